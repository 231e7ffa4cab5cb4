// DMARC (RFC 9989): which policy applies to an author's domain, found by walking up the tree of
// names, and whether what SPF and DKIM proved is aligned with it.

import type { Resolver } from '../dns/resolver.ts'
import {
  type DmarcPolicy,
  type DmarcRecord,
  isDmarc,
  isWhole,
  parseDmarc,
  policiesOf,
} from './dmarc-record.ts'

/** What stands at one name of a walk. */
export type DmarcStep = {
  /** The domain; the question was for `_dmarc.` in front of it. */
  readonly domain: string
  /** Every TXT record there that says it is DMARC. */
  readonly texts: readonly string[]
  /** The one that counts. */
  readonly record?: DmarcRecord
  /** Every other TXT record there. */
  readonly others: readonly string[]
}

export type DmarcWalk =
  | { readonly kind: 'walked'; readonly steps: readonly DmarcStep[] }
  | {
      readonly kind: 'cannot-tell'
      readonly domain: string
      readonly why: string
      readonly steps: readonly DmarcStep[]
    }

const LONGEST_WALK = 7

/** Walks from a domain to the top, at most eight questions; stops at `psd=y` and `psd=n` (RFC 9989 §4.10). */
export async function walkTree(domain: string, resolver: Resolver): Promise<DmarcWalk> {
  const steps: DmarcStep[] = []
  let labels = plain(domain).split('.')
  while (labels.length > 0) {
    const at = labels.join('.')
    const answer = await resolver.resolve(`_dmarc.${at}`, 'TXT')
    if (answer.kind === 'cannot-tell')
      return { kind: 'cannot-tell', domain: at, why: answer.why, steps }
    const step = readStep(at, answer.kind === 'records' ? answer.records : [])
    steps.push(step)
    if (step.record && step.record.psd !== 'u') break
    labels = labels.slice(labels.length > LONGEST_WALK ? -LONGEST_WALK : 1)
  }
  return { kind: 'walked', steps }
}

function readStep(domain: string, records: readonly string[]): DmarcStep {
  const texts = records.filter(isDmarc)
  const others = records.filter((text) => !isDmarc(text))
  const record = texts.length === 1 ? parseDmarc(texts[0]!) : undefined
  return { domain, texts, others, ...(record && isWhole(record) ? { record } : {}) }
}

/** The organizational domain of the name where a walk began (RFC 9989 §4.10.2). */
export function organizationalDomain(start: string, steps: readonly DmarcStep[]): string {
  const found = steps.filter((step) => step.record)
  for (const { domain, record } of found) {
    if (record!.psd === 'n') return domain
    if (record!.psd === 'y' && domain !== start)
      return start
        .split('.')
        .slice(-(domain.split('.').length + 1))
        .join('.')
  }
  return found.at(-1)?.domain ?? start
}

export type DmarcDiscovery =
  | {
      readonly kind: 'policy'
      readonly organizational: string
      /** The domain whose record applies. */
      readonly at: string
      readonly record: DmarcRecord
      /** For mail from this domain that fails, as the record asks before `t=y` lowers it. */
      readonly published: DmarcPolicy
      /** What receivers apply. */
      readonly policy: DmarcPolicy
      readonly steps: readonly DmarcStep[]
    }
  /** No record counts, or the one that would is of no use (RFC 9989 §4.10.1). */
  | { readonly kind: 'none'; readonly organizational: string; readonly steps: readonly DmarcStep[] }
  | { readonly kind: 'cannot-tell'; readonly domain: string; readonly why: string }

const LOWER: Readonly<Record<DmarcPolicy, DmarcPolicy>> = {
  reject: 'quarantine',
  quarantine: 'none',
  none: 'none',
}

/** The policy for an author's domain: its own record, else its organization's, else its public suffix's. */
export async function discoverDmarc(author: string, resolver: Resolver): Promise<DmarcDiscovery> {
  const start = plain(author)
  const walk = await walkTree(start, resolver)
  if (walk.kind === 'cannot-tell') return walk
  const { steps } = walk
  const organizational = organizationalDomain(start, steps)
  const applies =
    recordAt(steps, start) ??
    recordAt(steps, organizational) ??
    steps.find(({ record }) => record?.psd === 'y')
  const policies = applies?.record && policiesOf(applies.record)
  if (!applies?.record || !policies) return { kind: 'none', organizational, steps }
  let published = policies.p
  if (applies.domain !== start) {
    published = policies.sp ?? policies.p
    if (policies.np && policies.np !== published) {
      const exists = await nameExists(start, resolver)
      if (typeof exists !== 'boolean')
        return { kind: 'cannot-tell', domain: start, why: exists.why }
      if (!exists) published = policies.np
    }
  }
  const { record } = applies
  const policy = record.testing ? LOWER[published] : published
  return { kind: 'policy', organizational, at: applies.domain, record, published, policy, steps }
}

function recordAt(steps: readonly DmarcStep[], domain: string): DmarcStep | undefined {
  return steps.find((step) => step.domain === domain && step.record)
}

/** NXDOMAIN alone means that a name is not there; behind an alias it may speak of the target (RFC 6604 §3). */
async function nameExists(
  name: string,
  resolver: Resolver,
): Promise<boolean | { readonly why: string }> {
  const answer = await resolver.resolve(name, 'A')
  if (answer.kind === 'cannot-tell') return answer
  if (answer.kind !== 'no-such-name') return true
  const alias = await resolver.resolve(name, 'CNAME')
  return alias.kind === 'cannot-tell' ? alias : alias.kind === 'records'
}

/** What was proved about a message. */
export type DmarcIdentifiers = {
  readonly author: string
  /** The domain that passed SPF as MAIL FROM, or as HELO of a null reverse-path. */
  readonly spf?: string
  /** The domains (`d=`) of good signatures. */
  readonly dkim: readonly string[]
}

export type DmarcVerdict =
  | {
      readonly result: 'pass' | 'fail'
      readonly discovery: Extract<DmarcDiscovery, { kind: 'policy' }>
      readonly spfAligned: boolean
      /** Those of the signatures that are aligned. */
      readonly dkimAligned: readonly string[]
    }
  | { readonly result: 'none'; readonly organizational: string }
  | { readonly result: 'temperror'; readonly domain: string; readonly why: string }

/** A flood of signatures must not become a flood of questions. */
const MOST_SIGNATURES = 10

/** Evaluates DMARC as a receiver does (RFC 9989 §5.3). Never throws. */
export async function checkDmarc(
  { author, spf, dkim }: DmarcIdentifiers,
  resolver: Resolver,
): Promise<DmarcVerdict> {
  const discovery = await discoverDmarc(author, resolver)
  if (discovery.kind === 'cannot-tell')
    return { result: 'temperror', domain: discovery.domain, why: discovery.why }
  if (discovery.kind === 'none') return { result: 'none', organizational: discovery.organizational }
  const { record } = discovery
  const to = { author: plain(author), organizational: discovery.organizational }
  const bySpf =
    spf === undefined ? false : await isAligned(spf, to, { mode: record.aspf, resolver })
  const signers = [...new Set(dkim.map(plain))].slice(0, MOST_SIGNATURES)
  const byDkim = await Promise.all(
    signers.map((domain) => isAligned(domain, to, { mode: record.adkim, resolver })),
  )
  const dkimAligned = signers.filter((_, i) => byDkim[i] === true)
  if (bySpf === true || dkimAligned.length > 0)
    return { result: 'pass', discovery, spfAligned: bySpf === true, dkimAligned }
  const unknown = [bySpf, ...byDkim].find((aligned) => typeof aligned === 'object')
  if (unknown) return { result: 'temperror', ...unknown }
  return { result: 'fail', discovery, spfAligned: false, dkimAligned }
}

/**
 * Whether a proven domain is aligned with the author's (RFC 9989 §4.4): the same, or for relaxed of
 * the same organization. An object when DNS does not tell.
 */
export async function isAligned(
  identifier: string,
  to: { readonly author: string; readonly organizational: string },
  how: { readonly mode: 'relaxed' | 'strict'; readonly resolver: Resolver },
): Promise<boolean | { readonly domain: string; readonly why: string }> {
  const name = plain(identifier)
  if (name === to.author) return true
  // An organizational domain is the name itself or above it.
  const within = name === to.organizational || name.endsWith(`.${to.organizational}`)
  if (how.mode === 'strict' || !within) return false
  const walk = await walkTree(name, how.resolver)
  if (walk.kind === 'cannot-tell') return { domain: walk.domain, why: walk.why }
  return organizationalDomain(name, walk.steps) === to.organizational
}

function plain(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
}
