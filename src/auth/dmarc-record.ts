// A DMARC policy record as a value (RFC 9989 §4.7, §4.8). What is wrong in it is left out and told
// in `faults`: receivers ignore it, its owner should know.

export type DmarcPolicy = 'none' | 'quarantine' | 'reject'

export type DmarcRecord = {
  /** Absent when there is none or it is not one of the three. */
  readonly p?: DmarcPolicy
  readonly sp?: DmarcPolicy
  readonly np?: DmarcPolicy
  readonly adkim: 'relaxed' | 'strict'
  readonly aspf: 'relaxed' | 'strict'
  /** `t=y`: apply one policy less. */
  readonly testing: boolean
  readonly psd: 'y' | 'n' | 'u'
  /** Whole URIs, without the size that RFC 7489 allowed. */
  readonly rua: readonly string[]
  readonly ruf: readonly string[]
  /** Tags of RFC 7489 that mean nothing any more. */
  readonly removed: readonly string[]
  readonly faults: readonly DmarcFault[]
  readonly text: string
}

export type DmarcFault = {
  readonly tag: string
  readonly value: string
  readonly fault:
    | 'bad-value'
    | 'twice'
    | 'not-a-tag'
    | 'bad-uri'
    | 'policy-missing'
    | 'unknown-tag'
    | 'wrong-case'
}

const VERSION = /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/i
const REMOVED = new Set(['pct', 'rf', 'ri'])
const KNOWN = new Set(['v', 'p', 'sp', 'np', 'adkim', 'aspf', 'fo', 'rua', 'ruf', 't', 'psd'])
const POLICIES: Readonly<Record<string, DmarcPolicy>> = {
  none: 'none',
  quarantine: 'quarantine',
  reject: 'reject',
}
const MODES: Readonly<Record<string, 'relaxed' | 'strict'>> = { r: 'relaxed', s: 'strict' }
const FLAGS: Readonly<Record<string, 'y' | 'n' | 'u'>> = { y: 'y', n: 'n', u: 'u' }
const FAILURE_OPTIONS = /^(?:[01](?::[ds])*|[ds](?::[01ds])*)$/i
/** RFC 3986 without its grammar of parts; commas and exclamation marks are escaped (RFC 9989 §4.8). */
const URI = /^[a-z][a-z0-9+.-]*:(?:[a-z0-9\-._~:/?#[\]@$&'()*+;=]|%[0-9a-f]{2})+$/i

/** Whether a TXT record says that it is DMARC; its value alone minds the case (RFC 9989 §4.7 "v"). */
export function isDmarc(text: string): boolean {
  const version = VERSION.exec(text.trim())
  return version?.[0].includes('DMARC1') ?? false
}

/** Whether it is meant as DMARC by people: another version, other case, quotes left in, `p=` first. */
export function looksLikeDmarc(text: string): boolean {
  return /v[ \t]*=[ \t]*dmarc/i.test(text)
}

/** Reads a record that `isDmarc`. A tag that stands twice makes it no record at all (RFC 6376 §3.2). */
export function parseDmarc(text: string): DmarcRecord {
  const tags = new Map<string, string>()
  const faults: DmarcFault[] = []
  const removed: string[] = []
  for (const piece of text.split(';').slice(1)) {
    if (piece.trim() === '') continue
    const at = piece.indexOf('=')
    const tag = piece.slice(0, Math.max(at, 0)).trim()
    const value = piece.slice(at + 1).trim()
    if (at < 0 || !/^[a-z][a-z0-9_]*$/i.test(tag) || !/^[ -~]*$/.test(value))
      faults.push({ tag, value: piece.trim(), fault: 'not-a-tag' })
    else if (tags.has(tag) || tag === 'v') faults.push({ tag, value, fault: 'twice' })
    else {
      tags.set(tag, value)
      if (REMOVED.has(tag)) removed.push(tag)
      else if (KNOWN.has(tag.toLowerCase()) && tag !== tag.toLowerCase())
        faults.push({ tag, value, fault: 'wrong-case' })
      else if (!KNOWN.has(tag)) faults.push({ tag, value, fault: 'unknown-tag' })
    }
  }
  const one = <T>(tag: string, values: Readonly<Record<string, T>>): T | undefined => {
    const value = tags.get(tag)
    if (value === undefined) return undefined
    const known = values[value.toLowerCase()]
    if (known === undefined) faults.push({ tag, value, fault: 'bad-value' })
    return known
  }
  const p = one('p', POLICIES)
  const sp = one('sp', POLICIES)
  const np = one('np', POLICIES)
  if (!tags.has('p')) faults.push({ tag: 'p', value: '', fault: 'policy-missing' })
  const fo = tags.get('fo')
  if (fo !== undefined && !FAILURE_OPTIONS.test(fo))
    faults.push({ tag: 'fo', value: fo, fault: 'bad-value' })
  return {
    ...(p ? { p } : {}),
    ...(sp ? { sp } : {}),
    ...(np ? { np } : {}),
    adkim: one('adkim', MODES) ?? 'relaxed',
    aspf: one('aspf', MODES) ?? 'relaxed',
    testing: one('t', { y: true, n: false }) ?? false,
    psd: one('psd', FLAGS) ?? 'u',
    rua: uris('rua', tags.get('rua'), faults),
    ruf: uris('ruf', tags.get('ruf'), faults),
    removed,
    faults,
    text,
  }
}

function uris(tag: string, list: string | undefined, faults: DmarcFault[]): string[] {
  if (list === undefined) return []
  return list.split(',').flatMap((piece) => {
    const uri = piece.trim().replace(/![0-9]+[kmgt]?$/i, '')
    if (URI.test(uri)) return [uri]
    faults.push({ tag, value: piece.trim(), fault: 'bad-uri' })
    return []
  })
}

/** The record counts at all: no tag stands twice. */
export function isWhole(record: DmarcRecord): boolean {
  return !record.faults.some(({ fault }) => fault === 'twice')
}

/**
 * The policies that receivers act on: a record whose p, sp or np is wrong acts as p=none when it
 * asks for reports, and else not at all (RFC 9989 §4.10.1).
 */
export function policiesOf(
  record: DmarcRecord,
): { readonly p: DmarcPolicy; readonly sp?: DmarcPolicy; readonly np?: DmarcPolicy } | undefined {
  const wrong = record.faults.some(
    ({ tag, fault }) => fault === 'bad-value' && /^(p|sp|np)$/.test(tag),
  )
  const { p, sp, np } = record
  if (p && !wrong) return { p, ...(sp ? { sp } : {}), ...(np ? { np } : {}) }
  return record.rua.length > 0 ? { p: 'none' } : undefined
}
