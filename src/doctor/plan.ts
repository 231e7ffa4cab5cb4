// The doctor's room: which DNS records a domain should have, and (checks/) which it has.
//
// plan.ts says what should be published so that receivers believe the mail; compare.ts sets that
// against what is published and merges (spf.ts, dmarc.ts); zone.ts and formats.ts print it for
// people, name servers and the forms of providers (zone-keepers.ts). The sandbox answers from the
// same plan, so that mail which passes there passes outside once the records are published.
// Everything here is pure: what can go wrong is only that we do not know our own address, and then
// the plan has fewer records.

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
  | 'return-path'
  | 'return-path-spf'
  | 'mta-sts'
  | 'tls-rpt'
  | 'bimi'
  | 'reverse-dns'

export type PlannedRecord = {
  readonly type: 'A' | 'AAAA' | 'MX' | 'TXT' | 'PTR'
  /** Whole, lower case, without the final dot. */
  readonly name: string
  /** For TXT the text as one string, however long; for MX `10 mail.example.com`. */
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
  readonly extras?: PlannedExtras
}

/** What not every domain needs, and who asks for it gets. */
export type PlannedExtras = {
  /** Bounces come back to `bounce.` the domain, which this server receives. */
  readonly returnPath?: boolean
  /** The id of the policy that a web server of the domain hands out (RFC 8461 §3.1). */
  readonly mtaSts?: string
  /** Reports about TLS to `tls-reports@` the domain (RFC 8460 §3). */
  readonly tlsRpt?: boolean
  /** Addresses of the logo and of its certificate. */
  readonly bimi?: { readonly logo: string; readonly evidence?: string }
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
    ...extraRecords(plan),
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
function domainSpf(identity: Identity): string {
  return `v=spf1 ${ourTerms(identity).join(' ')} ~all`
}

/** The SPF terms that mean this server: addresses cost no lookup (RFC 7208 §4.6.4). */
function ourTerms({ hostname, ipv4, ipv6 }: Identity): string[] {
  const ours = [ipv4 && `ip4:${ipv4}`, ipv6 && `ip6:${ipv6}`].filter((term) => term !== undefined)
  return ours.length > 0 ? ours : [`a:${hostname}`]
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

function extraRecords({ domain, identity, extras = {} }: Plan): PlannedRecord[] {
  const records: PlannedRecord[] = []
  const add = (type: 'MX' | 'TXT', name: string, value: string, why: RecordPurpose) =>
    records.push(zoneRecord(type, name, { value, why }))
  if (extras.returnPath) {
    const name = `bounce.${domain}`
    add('MX', name, `10 ${identity.hostname}`, 'return-path')
    add('TXT', name, `v=spf1 ${ourTerms(identity).join(' ')} -all`, 'return-path-spf')
  }
  if (extras.mtaSts) add('TXT', `_mta-sts.${domain}`, `v=STSv1; id=${extras.mtaSts}`, 'mta-sts')
  const reports = `v=TLSRPTv1; rua=mailto:tls-reports@${domain}`
  if (extras.tlsRpt) add('TXT', `_smtp._tls.${domain}`, reports, 'tls-rpt')
  const { bimi } = extras
  if (bimi)
    add(
      'TXT',
      `default._bimi.${domain}`,
      `v=BIMI1; l=${bimi.logo}; a=${bimi.evidence ?? ''}`,
      'bimi',
    )
  return records
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
