import { parseTags } from './signature.ts'

/** How the records at a selector's name compare with the key that should be there. */
export type Publication =
  | { readonly kind: 'published'; readonly testing: boolean }
  /** There is no TXT record. */
  | { readonly kind: 'missing' }
  /** Another key, or none (RFC 6376 §3.6.1: an empty `p=` revokes). */
  | { readonly kind: 'other-key' | 'revoked' }
  /** The record holds the beginning of the key. */
  | { readonly kind: 'cut' }
  /** More than one record: which one a verifier takes is open (RFC 6376 §3.6.2.2). */
  | { readonly kind: 'several' }
  /** The right key in a record that forbids its use: of another version, kind, hash or service. */
  | { readonly kind: 'not-usable' }
  /** No server could be asked, or one of them did not answer. */
  | { readonly kind: 'cannot-tell'; readonly why: string }

/**
 * Compares what DNS holds with what it should.
 * @param records the TXT records at `<selector>._domainkey.<domain>`, each with its strings joined
 * @param txt the record as publicText() writes it
 */
export function comparePublication(records: readonly string[], txt: string): Publication {
  if (records.length === 0) return { kind: 'missing' }
  if (records.length > 1) return { kind: 'several' }
  const tags = parseTags(records[0]!)
  const wanted = parseTags(txt)!
  const key = octetsOf(tags?.get('p'))
  if (tags === undefined || key === undefined) return { kind: 'other-key' }
  if (key === '') return { kind: 'revoked' }
  const ours = octetsOf(wanted.get('p'))!
  if (key !== ours) return { kind: ours.startsWith(key) ? 'cut' : 'other-key' }
  return isUsable(tags, wanted.get('k')!)
    ? { kind: 'published', testing: listed(tags.get('t')).includes('y') }
    : { kind: 'not-usable' }
}

/** RFC 6376 §3.6.1 */
function isUsable(tags: ReadonlyMap<string, string>, kind: string): boolean {
  if ((tags.get('v') ?? 'DKIM1') !== 'DKIM1') return false
  if ((tags.get('k') ?? 'rsa').toLowerCase() !== kind) return false
  const hashes = listed(tags.get('h'))
  if (tags.has('h') && !hashes.includes('sha256')) return false
  const services = listed(tags.get('s'))
  return !tags.has('s') || services.includes('*') || services.includes('email')
}

function listed(text: string | undefined): readonly string[] {
  return (text ?? '').split(':').map((word) => word.trim().toLowerCase())
}

function octetsOf(base64: string | undefined): string | undefined {
  return base64?.replace(/[ \t\r\n]+/g, '')
}
