// The plan beside what is published: which record is there, which differs, is missing, or has
// something in its way; and the value to publish, where ours must join what others put there.

import { isDmarc } from '../auth/dmarc-record.ts'
import { isSpf } from '../auth/spf-record.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Identity } from '../mail/identity.ts'
import { mergeDmarc } from './dmarc.ts'
import type { Found, Lookup } from './lookup.ts'
import type { Plan, PlannedRecord, RecordPurpose } from './plan.ts'
import { plannedRecords } from './plan.ts'
import { mergeSpf } from './spf.ts'
import { cheaperSpf, isWithinNetworks, MOST_LOOKUPS, type SpfCost, spfCost } from './spf-cost.ts'

export type RecordState =
  | 'present'
  | 'differs'
  | 'missing'
  /** Something stands in the way: an alias, a second record where only one may be. */
  | 'conflict'
  /** DNS did not answer. */
  | 'unknown'

/** What else there is to say of a record; the sentences are in notes.ts. */
export type Note = {
  readonly code: NoteCode
  readonly facts: Readonly<Record<string, string | number>>
}

export type NoteCode =
  | 'alias'
  | 'two-records'
  | 'other-address'
  | 'spf-merged'
  | 'spf-dropped'
  | 'spf-broken'
  | 'spf-lookups'
  | 'dkim-other-key'
  | 'dmarc-kept'
  | 'dmarc-removed-tags'
  | 'dmarc-above'
  | 'bimi-policy'
  | 'cannot-tell'

export type ComparedRecord = PlannedRecord & {
  readonly state: RecordState
  /** What is published for the same purpose; the first one is equal, or to be replaced. */
  readonly published: readonly string[]
  /** Published records that must go. */
  readonly extra: readonly { readonly type: string; readonly value: string }[]
  /** Other published values of this name and type; they stay. */
  readonly beside: readonly string[]
  /** The name whose record speaks for this one, so that none is needed here. */
  readonly covered?: string
  readonly notes: readonly Note[]
}

export type CompareOptions = {
  readonly lookup: Lookup
  /** For the includes of SPF records; without it they are not counted. */
  readonly resolver?: Resolver
  /** Networks in place of names in SPF. */
  readonly flatten?: boolean
  /** Without the terms of SPF that are broken. */
  readonly prune?: boolean
}

/** Compares every planned record; never rejects for what DNS says. */
export async function comparePlan(
  plan: Plan,
  options: CompareOptions,
): Promise<readonly ComparedRecord[]> {
  const records = await Promise.all(
    plannedRecords(plan).map((record) => compare(record, plan, options)),
  )
  const dmarc = records.find(({ why }) => why === 'dmarc')
  const enforced = dmarc && /p\s*=\s*(quarantine|reject)/i.test(dmarc.published[0] ?? dmarc.value)
  return records.map((record) =>
    record.why === 'bimi' && !enforced ? withNote(record, 'bimi-policy') : record,
  )
}

async function compare(
  record: PlannedRecord,
  plan: Plan,
  options: CompareOptions,
): Promise<ComparedRecord> {
  const found = await options.lookup(record.name, record.type)
  if (found.kind === 'cannot-tell')
    return { ...unseen(record), notes: [{ code: 'cannot-tell', facts: { why: found.why } }] }
  const isOurs = MINE[record.why]
  const published = found.values.filter(isOurs)
  const beside = found.values.filter((value) => !isOurs(value))
  const merged = await merge(record, published, { plan, options })
  const above =
    record.why === 'dmarc' && published.length === 0
      ? await policyAbove(plan.domain, options.lookup)
      : undefined
  return settle({ ...record, value: merged.value }, { found, published, beside, merged, above })
}

const unseen = (record: PlannedRecord) =>
  ({ ...record, state: 'unknown', published: [], extra: [], beside: [] }) as const

/** Which of the values at a name are about a purpose: others have their own TXT records there. */
const MINE: Readonly<Record<RecordPurpose, (value: string) => boolean>> = {
  hostname: () => true,
  'hello-spf': isSpf,
  'domain-spf': isSpf,
  dkim: () => true,
  dmarc: isDmarc,
  'dmarc-reports': isDmarc,
  'return-path': () => true,
  'return-path-spf': isSpf,
  'mta-sts': (value) => /^v=STSv1\b/i.test(value),
  'tls-rpt': (value) => /^v=TLSRPTv1\b/i.test(value),
  bimi: (value) => /^v=BIMI1\b/i.test(value),
  'reverse-dns': () => true,
}

type Merged = { readonly value: string; readonly notes: readonly Note[] }

async function merge(
  record: PlannedRecord,
  published: readonly string[],
  { plan, options }: { readonly plan: Plan; readonly options: CompareOptions },
): Promise<Merged> {
  switch (record.why) {
    case 'hello-spf':
    case 'domain-spf':
    case 'return-path-spf':
      return mergeSpfRecord(record, published, { identity: plan.identity, options })
    case 'dmarc': {
      const { value, removed, stricter } = mergeDmarc(published[0], record.value)
      const notes: Note[] = []
      if (removed.length > 0) notes.push(note('dmarc-removed-tags', { tags: removed.join(', ') }))
      else if (stricter) notes.push(note('dmarc-kept'))
      return { value, notes }
    }
    case 'dkim': {
      const same = published.find((value) => isSameKey(value, record.value))
      const other = same === undefined && published.length > 0
      return { value: same ?? record.value, notes: other ? [note('dkim-other-key')] : [] }
    }
    case 'mta-sts':
    case 'tls-rpt':
    case 'dmarc-reports':
      return { value: published[0] ?? record.value, notes: [] }
    case 'hostname': {
      const elsewhere = published.length > 0 && !published.includes(record.value)
      const notes = elsewhere ? [note('other-address', { address: published.join(', ') })] : []
      return { value: record.value, notes }
    }
    default:
      return { value: record.value, notes: [] }
  }
}

async function mergeSpfRecord(
  record: PlannedRecord,
  published: readonly string[],
  { identity, options }: { readonly identity: Identity; readonly options: CompareOptions },
): Promise<Merged> {
  const { resolver, flatten, prune } = options
  const cost = (text: string) => (resolver ? spfCost(text, record.name, resolver) : undefined)
  const before = published.length === 1 ? await cost(published[0]!) : undefined
  const merged = mergeSpf(published, record.value, coverage(identity, before))
  const notes: Note[] = []
  if (published.length > 0 && merged.value !== published[0]) notes.push(note('spf-merged'))
  if (merged.dropped.length > 0)
    notes.push(note('spf-dropped', { terms: merged.dropped.join(' ') }))
  const after = merged.value === published[0] ? before : await cost(merged.value)
  if (!after) return { value: merged.value, notes }
  const value = flatten || prune ? cheaperSpf(after, { ...options }) : merged.value
  const now = value === merged.value ? after : ((await cost(value)) ?? after)
  return { value, notes: [...notes, ...costNotes(now)] }
}

function costNotes({ lookups, terms }: SpfCost): Note[] {
  const broken = terms.filter((term) => term.broken).map(({ text }) => text)
  const notes = broken.length > 0 ? [note('spf-broken', { terms: broken.join(' ') })] : []
  if (lookups <= MOST_LOOKUPS) return notes
  const worst = terms.toSorted((a, b) => b.lookups - a.lookups)[0]!
  const facts = { lookups, most: MOST_LOOKUPS, term: worst.text, cost: worst.lookups }
  return [...notes, note('spf-lookups', facts)]
}

/** A term is covered by the same term, and our addresses also by a network that holds them. */
function coverage({ ipv4, ipv6 }: Identity, cost: SpfCost | undefined) {
  const own = [ipv4 && `ip4:${ipv4}`, ipv6 && `ip6:${ipv6}`].filter((term) => term !== undefined)
  return (term: string, by: string): boolean => {
    if (term.toLowerCase() === by.replace(/^\+/, '').toLowerCase()) return true
    const networks = cost?.terms.find(({ text }) => text === by)?.networks ?? [by]
    const wanted = /^ip[46]:/.test(term) ? [term] : own
    return wanted.length > 0 && wanted.every((one) => isWithinNetworks(one, networks))
  }
}

/** The policy of a domain above (RFC 9989 §4.10): a record here would replace it for this one. */
async function policyAbove(domain: string, lookup: Lookup) {
  const labels = domain.split('.')
  for (let i = Math.max(1, labels.length - 7); i < labels.length - 1; i++) {
    const name = `_dmarc.${labels.slice(i).join('.')}`
    const found = await lookup(name, 'TXT')
    const records = found.kind === 'values' ? found.values.filter(isDmarc) : []
    if (records.length === 1 && !/psd\s*=\s*y/i.test(records[0]!))
      return { name, value: records[0]! }
  }
  return undefined
}

function settle(
  record: PlannedRecord,
  seen: {
    readonly found: Extract<Found, { kind: 'values' }>
    readonly published: readonly string[]
    readonly beside: readonly string[]
    readonly merged: Merged
    readonly above: { readonly name: string; readonly value: string } | undefined
  },
): ComparedRecord {
  const { found, published, merged, above } = seen
  const base = { ...record, published, extra: [], beside: seen.beside, notes: merged.notes }
  const there = published.includes(record.value)
  const several = ONLY_ONE.has(record.why) && published.length > 1
  if (there && !several) return { ...base, state: 'present' }
  if (found.alias !== undefined) {
    const extra = [{ type: 'CNAME', value: found.alias }]
    const alias = note('alias', { target: found.alias })
    // Values behind an alias are not at this name: nothing of them can be changed here.
    return { ...base, state: 'conflict', published: [], beside: [], extra, notes: [alias] }
  }
  if (above) {
    const notes = [note('dmarc-above', above)]
    return { ...base, state: 'present', covered: above.name, notes }
  }
  if (published.length === 0) return { ...base, state: 'missing' }
  const kept = there ? record.value : published[0]!
  const extra = withoutOne(published, kept).map((value) => ({ type: record.type, value }))
  if (!several) return { ...base, state: 'differs', published: [kept], extra }
  const notes = [note('two-records', { count: published.length }), ...base.notes]
  return { ...base, state: 'conflict', published: [kept], extra, notes }
}

/** Where a second record makes both worthless, or leads receivers elsewhere. */
const ONLY_ONE = new Set<RecordPurpose>([
  'hello-spf',
  'domain-spf',
  'return-path-spf',
  'dkim',
  'dmarc',
  'mta-sts',
  'tls-rpt',
  'bimi',
])

function withoutOne(values: readonly string[], one: string): string[] {
  const at = values.indexOf(one)
  return values.filter((_, i) => i !== at)
}

/** The same key, however it is written: spaces, order and further tags do not matter. */
function isSameKey(a: string, b: string): boolean {
  const keyOf = (text: string) => {
    const tag = (name: string) =>
      new RegExp(`(?:^|;)\\s*${name}\\s*=([^;]*)`).exec(text)?.[1]?.replace(/\s+/g, '')
    return `${tag('k') ?? 'rsa'} ${tag('p') ?? ''}`
  }
  return keyOf(a) === keyOf(b)
}

function note(code: NoteCode, facts: Note['facts'] = {}): Note {
  return { code, facts }
}

function withNote(record: ComparedRecord, code: NoteCode): ComparedRecord {
  return { ...record, notes: [...record.notes, note(code)] }
}
