// One SPF record out of what is published and what we need (RFC 7208 §3.2: never two). What others
// allowed stays allowed; our terms come first; what no receiver can read is left out and named.

import { parseSpf } from '../auth/spf-record.ts'

/** A term as written, in lower case where case means nothing. */
type Term = { readonly text: string; readonly kind: TermKind; readonly value: string }

type TermKind =
  | 'all'
  | 'include'
  | 'a'
  | 'mx'
  | 'ptr'
  | 'ip4'
  | 'ip6'
  | 'exists'
  | 'redirect'
  | 'other'

export type MergedSpf = {
  readonly value: string
  /** Terms that made the whole record an error (RFC 7208 §4.6), and are left out. */
  readonly dropped: readonly string[]
}

/** The terms behind the version; undefined for a term that has no meaning. */
export function spfTerms(record: string): {
  readonly terms: readonly Term[]
  readonly dropped: readonly string[]
} {
  const terms: Term[] = []
  const dropped: string[] = []
  for (const text of record.trim().split(/ +/).slice(1)) {
    const term = readTerm(text)
    if (term) terms.push(term)
    else dropped.push(text)
  }
  return { terms, dropped }
}

const MECHANISM = /^[-+~?]?(all|include|a|mx|ptr|ip4|ip6|exists)(?:([:/])(.*))?$/i
const MODIFIER = /^([a-z][a-z0-9_.-]*)=(.*)$/i

function readTerm(text: string): Term | undefined {
  // One opinion of what receivers can read.
  if ('fault' in parseSpf(`v=spf1 ${text}`)) return undefined
  const modifier = MODIFIER.exec(text)
  if (modifier) {
    const [, name = '', value = ''] = modifier
    const kind = name.toLowerCase() === 'redirect' ? 'redirect' : 'other'
    return kind === 'redirect' && value === '' ? undefined : { text, kind, value }
  }
  const match = MECHANISM.exec(text)
  if (!match) return undefined
  const kind = match[1]!.toLowerCase() as TermKind
  const value = match[2] === ':' ? (match[3] ?? '') : ''
  const needsValue = kind === 'include' || kind === 'exists' || kind === 'ip4' || kind === 'ip6'
  if (needsValue ? value === '' : match[2] === ':' && value === '') return undefined
  if (kind === 'all' && match[2] !== undefined) return undefined
  if (kind === 'ip4' && !/^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/.test(value)) return undefined
  if (kind === 'ip6' && !/^[0-9a-f:.]+(\/\d{1,3})?$/i.test(value)) return undefined
  return { text, kind, value }
}

/**
 * Brings published records and our own together.
 * @param published the SPF records that stand there now, any number
 * @param ours our record; its terms before `all` are what we need, its `all` is for a new record
 * @param isCovered whether a published term allows our term already
 */
export function mergeSpf(
  published: readonly string[],
  ours: string,
  isCovered: (term: string, by: string) => boolean = (term, by) => sameTerm(term, by),
): MergedSpf {
  if (published.length === 0) return { value: ours, dropped: [] }
  const read = published.map(spfTerms)
  const dropped = read.flatMap((one) => one.dropped)
  const theirs = read.flatMap((one) => one.terms)
  const needed = spfTerms(ours).terms.filter(({ kind }) => kind !== 'all')
  const missing = needed.filter(
    ({ text }) => !theirs.some((term) => allows(term) && isCovered(text, term.text)),
  )
  if (missing.length === 0 && published.length === 1 && dropped.length === 0)
    return { value: published[0]!, dropped }
  const { body, end } = published.length === 1 ? ofOne(theirs) : ofMany(theirs, ours)
  const terms = unique([...missing.map(({ text }) => text), ...body, ...end])
  return { value: ['v=spf1', ...terms].join(' '), dropped }
}

/**
 * The record to publish so that mail from our addresses passes, in place of what is there.
 * @param published the SPF records that stand there now, any number, readable or not
 */
export function withOurs(
  published: readonly string[],
  ours: { readonly hostname: string; readonly addresses: readonly string[] },
): string {
  const networks = ours.addresses.map((one) => `${one.includes(':') ? 'ip6' : 'ip4'}:${one}`)
  // Who does not know the addresses leaves a record as it is.
  const unknown = published.length > 0 ? [] : [`a:${ours.hostname}`]
  const terms = networks.length > 0 ? networks : unknown
  return mergeSpf(published, ['v=spf1', ...terms, '~all'].join(' ')).value
}

const allows = ({ text }: Term) => !/^[-~?]/.test(text)

function sameTerm(a: string, b: string): boolean {
  return a.replace(/^\+/, '').toLowerCase() === b.replace(/^\+/, '').toLowerCase()
}

/** What stands after `all` is never looked at (RFC 7208 §5.1), and so it may stand before it. */
function ofOne(theirs: readonly Term[]) {
  const all = theirs.find(({ kind }) => kind === 'all')
  const body = theirs.filter(({ kind }) => kind !== 'all').map(({ text }) => text)
  const redirected = theirs.some(({ kind }) => kind === 'redirect')
  return { body, end: all ? [all.text] : redirected ? [] : ['~all'] }
}

/** Of several records none counted; a redirect in one of them can only go on as an include. */
function ofMany(theirs: readonly Term[], ours: string) {
  const body = theirs
    .filter(({ kind }) => kind !== 'all')
    .map(({ kind, text, value }) => (kind === 'redirect' ? `include:${value}` : text))
  const alls = unique(theirs.filter(({ kind }) => kind === 'all').map(({ text }) => text))
  return { body, end: alls.length === 1 ? alls : [ours.split(' ').at(-1)!] }
}

function unique(terms: readonly string[]): string[] {
  return terms.filter((term, i) => terms.findIndex((other) => sameTerm(term, other)) === i)
}
