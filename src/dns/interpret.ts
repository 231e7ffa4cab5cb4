// What a response means for one question: records at the end of the aliases, nothing, or not enough.

import type { Answer as DnsRecord } from 'dns-packet'
import { type Response, recordData } from './packet.ts'
import type { RecordData, RecordType } from './resolver.ts'

/** As in resolver.ts, with two more: an alias whose target must be asked for, and a refusal of this server. */
export type Meaning<T extends RecordType> =
  | {
      readonly kind: 'records'
      readonly records: readonly RecordData[T][]
      readonly name: string
      readonly ttlSeconds: number
      readonly hops: number
    }
  | { readonly kind: 'none' | 'no-such-name'; readonly ttlSeconds: number; readonly hops: number }
  | {
      readonly kind: 'alias'
      readonly target: string
      readonly ttlSeconds: number
      readonly hops: number
    }
  | { readonly kind: 'loop' }
  | { readonly kind: 'refused'; readonly why: string }

/** Chains of aliases are followed this far (RFC 1034 §3.6.2 asks for robustness, not for patience). */
export const LONGEST_CHAIN = 8

export function interpret<T extends RecordType>(
  response: Response,
  name: string,
  type: T,
): Meaning<T> {
  const { rcode } = response
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') return { kind: 'refused', why: rcode }
  const chain = followAliases(response.answers, name, type)
  if (chain === undefined) return { kind: 'loop' }
  const { hops } = chain
  if (rcode === 'NXDOMAIN') {
    // With aliases the code speaks of the last name (RFC 6604 §3).
    const ttlSeconds = Math.min(chain.ttlSeconds, negativeTtl(response.authorities))
    return { kind: 'no-such-name', ttlSeconds, hops }
  }
  const records: RecordData[T][] = []
  let ttlSeconds = chain.ttlSeconds
  for (const record of response.answers) {
    if (plainName(record.name) !== chain.name || !isInternet(record)) continue
    const data = recordData(record, type)
    if (data === undefined) continue
    records.push(data)
    ttlSeconds = Math.min(ttlSeconds, ttlOf(record))
  }
  if (records.length > 0) return { kind: 'records', records, name: chain.name, ttlSeconds, hops }
  const proven = response.authorities.some((record) => record.type === 'SOA')
  if (chain.hops > 0 && !proven) return { kind: 'alias', target: chain.name, ttlSeconds, hops }
  // NS without SOA is a referral: this server does not resolve for us (RFC 2308 §2.2).
  if (!proven && response.authorities.some((record) => record.type === 'NS'))
    return { kind: 'refused', why: 'a referral' }
  return {
    kind: 'none',
    ttlSeconds: Math.min(ttlSeconds, negativeTtl(response.authorities)),
    hops,
  }
}

function followAliases(
  answers: readonly DnsRecord[],
  name: string,
  type: RecordType,
): { name: string; ttlSeconds: number; hops: number } | undefined {
  const aliases = new Map<string, { target: string; ttlSeconds: number }>()
  for (const record of answers) {
    if (record.type === 'CNAME' && isInternet(record))
      aliases.set(plainName(record.name), {
        target: plainName(record.data),
        ttlSeconds: ttlOf(record),
      })
  }
  const chain = { name, ttlSeconds: Number.POSITIVE_INFINITY, hops: 0 }
  if (type === 'CNAME') return chain
  for (let alias = aliases.get(name); alias; alias = aliases.get(chain.name)) {
    if (++chain.hops > LONGEST_CHAIN) return undefined
    chain.name = alias.target
    chain.ttlSeconds = Math.min(chain.ttlSeconds, alias.ttlSeconds)
  }
  return chain
}

/** How long "no" may be believed (RFC 2308 §5); without SOA not at all. */
function negativeTtl(authorities: readonly DnsRecord[]): number {
  for (const record of authorities)
    if (record.type === 'SOA') return Math.min(ttlOf(record), record.data.minimum ?? 0)
  return 0
}

/** Values over 31 bits count as 0 (RFC 2181 §8). */
function ttlOf(record: DnsRecord): number {
  const ttl = 'ttl' in record ? (record.ttl ?? 0) : 0
  return ttl > 0x7fffffff ? 0 : ttl
}

function isInternet(record: DnsRecord): boolean {
  return 'class' in record && record.class === 'IN'
}

/** Lower case, without the final dot. */
export function plainName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
}
