// Runs checks side by side, each with its own patience; whatever happens in one, the report is whole.

import type { Clock } from '../std/clock.ts'
import {
  type Check,
  couldNotCheck,
  type Finding,
  GROUPS,
  type Group,
  type Severity,
} from './check.ts'

export type CheckResult = {
  readonly check: string
  readonly group: Group
  readonly findings: readonly Finding[]
}

export type Report = {
  readonly at: number
  readonly durationMs: number
  /** In the order of the groups. */
  readonly results: readonly CheckResult[]
  /** How many findings of each kind. */
  readonly counts: Readonly<Record<Severity, number>>
}

export type ExamineOptions = {
  readonly clock: Clock
  /** For each check. */
  readonly patienceMs?: number
}

const PATIENCE_MS = 15_000
const IN_TIME = { en: 'no answer in time', ru: 'нет ответа вовремя' }

/** Looks at everything at once. Never rejects: a check that throws or hangs could not be made. */
export async function examine(
  checks: readonly Check[],
  { clock, patienceMs = PATIENCE_MS }: ExamineOptions,
): Promise<Report> {
  const at = clock.now()
  const began = clock.elapsed()
  const results = await Promise.all(
    checks.map(async (check) => ({
      check: check.name,
      group: check.group,
      findings: await findingsIn(check, { clock, patienceMs }),
    })),
  )
  results.sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group))
  return { at, durationMs: Math.round(clock.elapsed() - began), results, counts: countsOf(results) }
}

/** How many findings of each severity. */
export function countsOf(
  results: readonly Pick<CheckResult, 'findings'>[],
): Readonly<Record<Severity, number>> {
  const counts = { ok: 0, note: 0, warning: 0, error: 0, unknown: 0 }
  for (const { findings } of results) for (const { severity } of findings) counts[severity]++
  return counts
}

async function findingsIn(
  check: Check,
  { clock, patienceMs }: Required<ExamineOptions>,
): Promise<readonly Finding[]> {
  const giveUp = new AbortController()
  const patience = Promise.withResolvers<readonly Finding[]>()
  const timer = clock.after(patienceMs, () => {
    giveUp.abort()
    patience.resolve([couldNotCheck(check.name, IN_TIME)])
  })
  const looking = (async () => check.run(giveUp.signal))().catch((error: unknown) => [
    couldNotCheck(check.name, reasonOf(error)),
  ])
  try {
    return await Promise.race([looking, patience.promise])
  } finally {
    timer.cancel()
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return (error as NodeJS.ErrnoException).code ?? error.message
}
