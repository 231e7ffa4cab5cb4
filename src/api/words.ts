import type { Language } from '../config/language.ts'
import { describeFinding } from '../doctor/catalogue.ts'
import type { CheckResult } from '../doctor/doctor.ts'

/** Findings with their sentences beside codes and facts, which are the same in every language. */
export function inWords<T extends Pick<CheckResult, 'findings'>>(
  checks: readonly T[],
  language: Language,
) {
  return checks.map(({ findings, ...check }) => ({
    ...check,
    findings: findings.map((one) => ({ ...one, ...describeFinding(one, language) })),
  }))
}
