// The doctor's room: which DNS records a domain should have, and (checks/) which it has.
//
// plan.ts says what should be published so that receivers believe the mail; zone.ts prints that for
// people and name servers; the sandbox answers from the same plan, so that mail which passes there
// passes outside once the records are published. Everything here is pure: what can go wrong is only
// that we do not know our own address, and then the plan has fewer records.

import ipaddr from 'ipaddr.js'
import type { Domain } from '../mail/domain.ts'
import type { Identity } from '../mail/identity.ts'
import { formatMailbox, type Mailbox } from '../mail/mailbox.ts'

/** What a record is for; zone.ts has the sentences. */
export type RecordPurpose =
  | 'hostname'
  | 'hello-spf'
  | 'domain-spf'
  | 'dkim'
  | 'dmarc'
  | 'dmarc-reports'
  | 'reverse-dns'

export type PlannedRecord = {
  readonly type: 'A' | 'AAAA' | 'TXT' | 'PTR'
  /** Whole, lower case, without the final dot. */
  readonly name: string
  /** For TXT the text as one string, however long. */
  readonly value: string
  readonly ttl: number
  /** False for what is set elsewhere: reverse DNS, another domain. */
  readonly inZone: boolean
  readonly why: RecordPurpose
}

export type Plan = {
  readonly domain: Domain
  /** `txt` as the key prints it: `v=DKIM1; k=rsa; p=…`. */
  readonly keys: readonly { readonly selector: string; readonly txt: string }[]
  readonly identity: Identity
  /** Where aggregate reports go; `dmarc@` the domain when absent. */
  readonly dmarcReportsTo?: Mailbox
}

/** Short, because a plan is corrected on its first day. */
const TTL_SECONDS = 300

/** The records that a domain needs for sending from here: address, SPF, DKIM, DMARC, reverse DNS. */
export function plannedRecords(plan: Plan): PlannedRecord[] {
  return [
    ...hostRecords(plan),
    zoneRecord('TXT', plan.domain, { value: domainSpf(plan.identity), why: 'domain-spf' }),
    ...plan.keys.map(({ selector, txt }) =>
      zoneRecord('TXT', `${selector}._domainkey.${plan.domain}`, { value: txt, why: 'dkim' }),
    ),
    ...dmarcRecords(plan),
    ...reverseRecords(plan.identity),
  ]
}

/** The host's own records, when its name is in this domain. */
function hostRecords({ domain, identity }: Plan): PlannedRecord[] {
  const { hostname, ipv4, ipv6 } = identity
  if (!isWithin(hostname, domain)) return []
  const records: PlannedRecord[] = []
  if (ipv4) records.push(zoneRecord('A', hostname, { value: ipv4, why: 'hostname' }))
  if (ipv6) records.push(zoneRecord('AAAA', hostname, { value: ipv6, why: 'hostname' }))
  // Bounces have no sender domain: then receivers check the HELO name (RFC 7208 §2.4).
  if (records.length > 0 && hostname !== domain)
    records.push(zoneRecord('TXT', hostname, { value: 'v=spf1 a -all', why: 'hello-spf' }))
  return records
}

/** `~all`: DMARC decides; `-all` would refuse forwarded mail before its signature is looked at. */
function domainSpf({ hostname, ipv4, ipv6 }: Identity): string {
  const ours = [ipv4 && `ip4:${ipv4}`, ipv6 && `ip6:${ipv6}`].filter(Boolean)
  return `v=spf1 ${ours.length > 0 ? ours.join(' ') : `a:${hostname}`} ~all`
}

function dmarcRecords({ domain, dmarcReportsTo }: Plan): PlannedRecord[] {
  const to = dmarcReportsTo ?? { localPart: 'dmarc', domain }
  const value = `v=DMARC1; p=none; rua=mailto:${uriAddress(to)}`
  const record = zoneRecord('TXT', `_dmarc.${domain}`, { value, why: 'dmarc' })
  if (isWithin(to.domain, domain) || isWithin(domain, to.domain)) return [record]
  // Reports to another domain need its consent (RFC 7489 §7.1).
  const name = `${domain}._report._dmarc.${to.domain}`
  const consent = zoneRecord('TXT', name, { value: 'v=DMARC1', why: 'dmarc-reports' })
  return [record, { ...consent, inZone: false }]
}

function reverseRecords({ hostname, ipv4, ipv6 }: Identity): PlannedRecord[] {
  return [ipv4, ipv6]
    .filter((address) => address !== undefined)
    .map((address) => ({
      type: 'PTR',
      name: reverseName(address),
      value: hostname,
      ttl: TTL_SECONDS,
      inZone: false,
      why: 'reverse-dns',
    }))
}

/** `192.0.2.25` → `25.2.0.192.in-addr.arpa` (RFC 1035 §3.5), IPv6 by nibbles (RFC 3596 §2.5). */
export function reverseName(address: string): string {
  const parsed = ipaddr.parse(address)
  if (parsed.kind() === 'ipv4')
    return `${[...parsed.toByteArray()].reverse().join('.')}.in-addr.arpa`
  const nibbles = parsed.toByteArray().flatMap((octet) => [octet >> 4, octet & 15])
  return `${nibbles
    .reverse()
    .map((nibble) => nibble.toString(16))
    .join('.')}.ip6.arpa`
}

function zoneRecord(
  type: PlannedRecord['type'],
  name: string,
  rest: { readonly value: string; readonly why: RecordPurpose },
): PlannedRecord {
  return { type, name, value: rest.value, ttl: TTL_SECONDS, inZone: true, why: rest.why }
}

/** Commas, exclamation marks and semicolons mean something in `rua` (RFC 7489 §6.2). */
function uriAddress(mailbox: Mailbox): string {
  return formatMailbox(mailbox).replace(/[%,!;?#&" ]/g, (c) =>
    encodeURIComponent(c).replace('!', '%21'),
  )
}

function isWithin(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`)
}
