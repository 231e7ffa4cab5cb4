// What the doctor's rounds tell the log: only what is wrong, in English, and only when it changes.

import type { DoctorReport } from '../api/control.ts'
import { describeFinding } from '../doctor/catalogue.ts'
import type { Finding } from '../doctor/check.ts'
import type { Log } from '../std/log.ts'
import type { Gauge } from '../std/metrics.ts'

export type Trouble = { readonly finding: Finding; readonly check: string; readonly domain: string }

/**
 * Problems and advice by what they are about. What could not be checked this time is as it was
 * known before: an outage of DNS neither mends anything nor breaks it.
 */
export function troublesOf(
  report: DoctorReport,
  known: ReadonlyMap<string, Trouble>,
): ReadonlyMap<string, Trouble> {
  const troubles = new Map<string, Trouble>()
  const places = [
    { domain: '', checks: report.host },
    ...report.domains.map(({ domain, checks }) => ({ domain, checks })),
  ]
  for (const { domain, checks } of places)
    for (const { check, findings } of checks) {
      for (const finding of findings)
        if (finding.severity === 'error' || finding.severity === 'warning')
          troubles.set(`${domain} ${finding.code} ${finding.subject}`, { finding, check, domain })
      if (!findings.some(({ severity }) => severity === 'unknown')) continue
      for (const [key, trouble] of known)
        if (trouble.check === check && trouble.domain === domain && !troubles.has(key))
          troubles.set(key, trouble)
    }
  return troubles
}

/** How many there are of each code; those that are mended go. */
export function show(
  gauge: Gauge<'code' | 'severity'>,
  troubles: ReadonlyMap<string, Trouble>,
): void {
  gauge.reset()
  for (const { finding } of troubles.values())
    gauge.inc({ code: finding.code, severity: finding.severity })
}

/** A line for each trouble that came or went. */
export function tell(
  log: Log,
  before: ReadonlyMap<string, Trouble>,
  now: ReadonlyMap<string, Trouble>,
): void {
  for (const [key, trouble] of now) {
    if (before.has(key)) continue
    const { code, severity } = trouble.finding
    const { saw, fix } = describeFinding(trouble.finding, 'en')
    const line = `${code}: ${saw}`
    if (severity === 'error') log.error({ ...about(trouble), fix }, line)
    else log.warn({ ...about(trouble), fix }, line)
  }
  for (const [key, trouble] of before)
    if (!now.has(key)) log.info(about(trouble), `${trouble.finding.code}: mended`)
}

function about({ finding, domain }: Trouble) {
  return { code: finding.code, subject: finding.subject, ...(domain && { domain }) }
}
