// The domain's SPF as a receiver evaluates it, for each address that we send from, and beyond: what
// would break for other senders of the domain breaks here tomorrow.

import { checkSpf, MOST_LOOKUPS, type SpfOutcome, type SpfProblem } from '../../auth/spf.ts'
import { isSpf, parseSpf } from '../../auth/spf-record.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import { withOurs } from '../spf.ts'
import { spfTexts } from '../texts/spf.ts'

const found = findingsOf(spfTexts)

export type SpfCheckOptions = {
  readonly resolver: Resolver
  /** The domain of reverse-paths. */
  readonly domain: string
  readonly hostname: string
  /** Where mail leaves from. */
  readonly addresses: readonly string[]
}

/** Looks further than receivers do, so that one can say how much is too much. */
const WIDE = { lookups: 60, voidLookups: 60 }
const MOST_VOID_LOOKUPS = 2
/** Nobody's address (RFC 5737, RFC 3849): evaluation goes through the whole record. */
const STRANGERS = ['203.0.113.255', '2001:db8:ffff::ffff']
const MECHANISM_NAMES = /^(all|include|a|mx|ptr|ip4|ip6|exists)=/i

/** One readable record, within the limits, that covers our addresses and means something. */
export function checkSpfRecord(options: SpfCheckOptions): Check {
  return { name: 'spf', group: 'spf', run: () => examineSpf(options) }
}

async function examineSpf(options: SpfCheckOptions): Promise<readonly Finding[]> {
  const { resolver, domain } = options
  const answer = await resolver.resolve(domain, 'TXT')
  if (answer.kind === 'cannot-tell') return [couldNotCheck(domain, answer.why)]
  const records = answer.kind === 'records' ? answer.records.filter(isSpf) : []
  const merged = withOurs(records, options)
  if (records.length === 0) return [found('SPF_MISSING', domain, { domain, record: merged })]
  if (records.length > 1) {
    const facts = { domain, count: records.length, record: merged }
    return [found('SPF_TWO_RECORDS', domain, facts)]
  }
  const text = records[0]!
  const record = parseSpf(text)
  if ('fault' in record) {
    const { term } = record
    return [found('SPF_SYNTAX', domain, { domain, term, at: domain, record: merged })]
  }
  const { addresses } = options
  const outcomes = await Promise.all(addresses.map((address) => evaluate(address, options)))
  const wide = await Promise.all(STRANGERS.map((address) => evaluate(address, options, WIDE)))
  const findings = [
    ...costFindings(wide, merged, domain),
    ...outcomes.flatMap((outcome, i) => coverage(outcome, addresses[i]!, { domain, merged })),
    ...styleFindings(text, wide, domain),
  ]
  const bad = findings.some(({ severity }) => severity === 'error' || severity === 'unknown')
  if (bad) return findings
  const lookups = Math.max(...wide.map((one) => one.lookups))
  const ok = found('SPF_OK', domain, { domain, lookups, addresses: addresses.join(', ') || '-' })
  return [ok, ...findings]
}

function evaluate(
  address: string,
  { domain, hostname, resolver }: SpfCheckOptions,
  limits?: typeof WIDE,
): Promise<SpfOutcome> {
  const connection = { address, sender: `postmaster@${domain}`, helloName: hostname }
  return checkSpf(connection, { resolver, ...(limits ? { limits } : {}) })
}

/** What is wrong with the record for whoever it is evaluated. */
function costFindings(wide: readonly SpfOutcome[], record: string, domain: string): Finding[] {
  const [worst] = wide.toSorted((a, b) => b.lookups - a.lookups)
  const problem = wide.find((outcome) => outcome.problem)?.problem
  if (problem && problem.kind !== 'too-many-lookups' && problem.kind !== 'too-many-void-lookups')
    return [problemFinding(problem, record, domain)]
  const findings: Finding[] = []
  if (worst && worst.lookups > MOST_LOOKUPS) {
    const [most] = worst.costs.toSorted((a, b) => b.lookups - a.lookups)
    const { term = '', lookups: cost = 0 } = most ?? {}
    const facts = { domain, lookups: worst.lookups, term, cost, record }
    findings.push(found('SPF_TOO_MANY_LOOKUPS', domain, facts))
  }
  // IPv6 alone misses what has only IPv4; the kinder of both counts is nobody's fault.
  const voids = Math.min(...wide.map(({ voidLookups }) => voidLookups))
  if (voids > MOST_VOID_LOOKUPS) findings.push(found('SPF_VOID_LOOKUPS', domain, { domain, voids }))
  return findings
}

function problemFinding(problem: SpfProblem, record: string, domain: string): Finding {
  const { domain: at } = problem
  switch (problem.kind) {
    case 'dns':
      return couldNotCheck(at, problem.why)
    case 'syntax':
      return found('SPF_SYNTAX', domain, { domain, term: problem.fault.term, at, record })
    case 'too-many-mx':
      return found('SPF_TOO_MANY_MX', domain, { domain, at })
    default: {
      const target = problem.kind === 'bad-name' ? problem.name : at
      return found('SPF_BROKEN_INCLUDE', domain, { domain, target })
    }
  }
}

/** As a receiver sees mail from this address. */
function coverage(
  outcome: SpfOutcome,
  address: string,
  { domain, merged }: { readonly domain: string; readonly merged: string },
): Finding[] {
  const { result, problem } = outcome
  // Errors are told by costFindings, but for one that only this address meets.
  if (result === 'permerror' && problem?.kind === 'too-many-void-lookups')
    return [found('SPF_VOID_LOOKUPS', domain, { domain, voids: outcome.voidLookups })]
  if (result === 'pass' || result === 'permerror' || result === 'temperror') return []
  return [found('SPF_NO_IP', domain, { domain, address, result, record: merged })]
}

function styleFindings(text: string, wide: readonly SpfOutcome[], domain: string): Finding[] {
  const findings: Finding[] = []
  const terms = text.split(' ').slice(1)
  const odd = terms.find((term) => MECHANISM_NAMES.test(term))
  if (odd !== undefined)
    findings.push(
      found('SPF_ODD_TERM', domain, { domain, term: odd, right: odd.replace('=', ':') }),
    )
  if (terms.some((term) => /^[+?~-]?ptr(:|$)/i.test(term)))
    findings.push(found('SPF_PTR', domain, { domain }))
  if (wide.some(({ result }) => result === 'pass'))
    findings.push(found('SPF_ALLOWS_ALL', domain, { domain }))
  else if (wide.some(({ result }) => result === 'neutral'))
    findings.push(found('SPF_NEUTRAL', domain, { domain }))
  return findings
}

/** The host name's own SPF, which receivers ask for when the reverse-path is null (RFC 7208 §2.4). */
export function checkHelloSpf(options: Omit<SpfCheckOptions, 'domain'>): Check {
  const { resolver, hostname, addresses } = options
  return {
    name: 'hello-spf',
    group: 'identity',
    async run() {
      const outcomes = await Promise.all(
        addresses.map((address) =>
          checkSpf({ address, sender: '', helloName: hostname }, { resolver }),
        ),
      )
      const findings = outcomes.flatMap(({ result, problem }, i): Finding[] => {
        const address = addresses[i]!
        if (problem?.kind === 'dns') return [couldNotCheck(hostname, problem.why)]
        if (result === 'none') return [found('HELO_SPF_MISSING', hostname, { hostname })]
        if (result === 'pass') return [found('HELO_SPF_OK', hostname, { hostname, address })]
        return [found('HELO_SPF_FAILS', hostname, { hostname, address, result })]
      })
      // One record is missing once, however many addresses.
      return findings.filter(
        ({ code }, i) => findings.findIndex((other) => other.code === code) === i,
      )
    },
  }
}
