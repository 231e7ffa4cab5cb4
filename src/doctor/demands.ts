// What must be proved before a domain's mail goes out into the world: findings of one round, read
// as demands of receivers. An error stands against it; so does silence where only a "yes" counts.

import { type Finding, findingsOf, type Group } from './check.ts'
import type { CheckResult } from './doctor.ts'
import { outboundPortTexts } from './texts/outbound-port.ts'

export type Demand = {
  /** The check that looked. */
  readonly check: string
  readonly group: Group
  /** `unknown`: it could not be seen, and counts as not met. */
  readonly state: 'met' | 'missing' | 'unknown'
  /** All that the check found. */
  readonly findings: readonly Finding[]
}

/** Where "nothing wrong was seen" is not enough. */
const MUST_BE_SEEN: ReadonlySet<string> = new Set([
  'outbound-port',
  'relay',
  'hello-name',
  'reverse-dns',
  'domain',
  'spf',
  'dkim',
  'dmarc',
])
/** Advice at other times; without our own address SPF and reverse DNS prove nothing. */
const NO_ADDRESS: ReadonlySet<string> = new Set(['ADDRESS_UNKNOWN', 'ADDRESS_NOT_SET'])

/** The demands of one round over the host and a domain; checks that had nothing to look at ask for none. */
export function demandsOf(results: readonly CheckResult[]): readonly Demand[] {
  return results.flatMap(({ check, group, findings }): Demand[] => {
    const has = (severity: Finding['severity']) =>
      findings.some((finding) => finding.severity === severity)
    const isMissing = has('error') || findings.some(({ code }) => NO_ADDRESS.has(code))
    if (!MUST_BE_SEEN.has(check) && !isMissing) return []
    // Our own address is told by the check of the port; without one this check sees nothing.
    if (findings.length === 0) return []
    const state = isMissing ? 'missing' : has('unknown') || !has('ok') ? 'unknown' : 'met'
    return [{ check, group, state, findings }]
  })
}

/** For a server that does not know where its mail comes from, when the port was not looked at. */
export function addressDemand(hostname: string): Demand {
  const findings = [findingsOf(outboundPortTexts)('ADDRESS_UNKNOWN', hostname, {})]
  return { check: 'address', group: 'identity', state: 'missing', findings }
}
