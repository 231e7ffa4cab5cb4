// What the sandbox's DNS holds: for the server's own domains exactly the records that `posthorn dns`
// prints, so that what passes here passes outside; for every other domain the same plan with the
// sandbox's key; a receiver for every domain; and some names that are broken on purpose.

import type { KeyRing } from '../dkim/keyring.ts'
import { publicText } from '../dkim/keys.ts'
import type { SigningKey } from '../dkim/sign.ts'
import { type PlannedRecord, plannedRecords, reverseName } from '../doctor/plan.ts'
import { type AddressLiteral, type Domain, isAddressLiteral, parseDomain } from '../mail/domain.ts'
import type { Identity } from '../mail/identity.ts'
import type { World, WorldAnswer, WorldRecord } from './dns-server.ts'

/** Used in examples and by `send-test`; ready in every sandbox. */
export const READY_DOMAIN = 'example.test'

/** Domains that answer as broken ones do outside; what each shows is in behaviours.ts. */
export const BROKEN_NAMES = {
  'null-mx.test': 'null-mx',
  'dns-failure.test': 'server-failure',
  'no-address.test': 'no-address',
  'unreachable.test': 'unreachable',
} as const

export type WorldOptions = {
  readonly keyring: KeyRing
  /** Signs for all domains that have no key of their own. */
  readonly sandboxKey: SigningKey
  /** With the address that the receiver believes mail to come from. */
  readonly identity: Identity
  readonly receiverAddress: string
  /** Where `broken-tls.<domain>` receives. */
  readonly brokenTlsAddress: string
}

/** What the receiver says in its banner. */
export const RECEIVER_HOSTNAME = 'mx.posthorn.test' as Domain

/** Nobody listens here. */
const UNREACHABLE_ADDRESS = '127.0.0.9'

/** Makes the function that answers for the whole world. Keys that are added later are seen. */
export function sandboxWorld(options: WorldOptions): World {
  return (name, type) => {
    const broken = brokenName(name, type)
    if (broken) return broken
    if (name.endsWith('.arpa')) return reverse(name, type, options.identity)
    const domain = parseDomain(ownerOf(name))
    if (domain === undefined || isPolicyAboveDomains(name)) return { kind: 'no-such-name' }
    const zone = zoneOf(domain, options)
    const planned = plannedRecords({ ...zone, identity: options.identity })
    const records = [
      ...planned.filter((record) => record.name === name).map(worldRecord),
      ...receiverRecords(name, domain, options),
    ]
    if (records.length === 0) return { kind: 'no-such-name' }
    const wanted = records.filter((record) => record.type === type)
    return wanted.length > 0 ? { kind: 'records', records: wanted } : { kind: 'none' }
  }
}

/** A DMARC record at a top-level domain would make all domains below it one organisation. */
function isPolicyAboveDomains(name: string): boolean {
  return name.startsWith('_dmarc.') && name.indexOf('.') === name.lastIndexOf('.')
}

/** Whose records these are: `_dmarc.` and `p1._domainkey.` belong to the domain below them. */
function ownerOf(name: string): string {
  const labels = name.split('.')
  return labels.slice(labels.findLastIndex((label) => label.startsWith('_')) + 1).join('.')
}

/** The domain whose plan speaks for this name, with the keys that are published there. */
function zoneOf(name: Domain, { keyring, sandboxKey }: WorldOptions) {
  const signer = keyring.keysFor(name)
  const published = signer ? [...signer.keys, ...(signer.published ?? [])] : [sandboxKey]
  const keys = published.map(({ selector, privateKey, flags }) => ({
    selector,
    txt: publicText(privateKey, flags),
  }))
  return { domain: signer?.domain ?? name, keys }
}

function worldRecord({ type, value }: PlannedRecord): WorldRecord {
  if (type !== 'MX') return { type, value }
  const [preference = '0', exchange = ''] = value.split(' ')
  return { type, value: { preference: Number(preference), exchange } }
}

/** Every domain takes mail, at one of our own addresses. */
function receiverRecords(name: string, domain: Domain, options: WorldOptions): WorldRecord[] {
  if (name !== domain) return []
  const exchange = receiverName(domain, options.identity)
  const records: WorldRecord[] = [{ type: 'MX', value: { preference: 10, exchange } }]
  const served = name.startsWith('mx.') ? name.slice(3) : name.replace(/^mx-receiver\./, '')
  if (served !== name && name !== options.identity.hostname) {
    const { receiverAddress, brokenTlsAddress } = options
    const value = served.startsWith('broken-tls.') ? brokenTlsAddress : receiverAddress
    records.push({ type: 'A', value })
  }
  return records
}

/** Who receives for a recipient's domain, as the receiver calls itself in its fields. */
export function receiverDomain(
  domain: Domain | AddressLiteral | undefined,
  identity: Identity,
): Domain {
  if (domain === undefined || isAddressLiteral(domain)) return RECEIVER_HOSTNAME
  return parseDomain(receiverName(domain, identity)) ?? RECEIVER_HOSTNAME
}

/** `mx.<domain>`, unless that is what this server calls itself: then mail would seem to loop. */
export function receiverName(domain: Domain, identity: Identity): string {
  return `mx.${domain}` === identity.hostname ? `mx-receiver.${domain}` : `mx.${domain}`
}

function reverse(name: string, type: string, { hostname, ipv4, ipv6 }: Identity): WorldAnswer {
  const ours = [ipv4, ipv6].some((address) => address && reverseName(address) === name)
  if (!ours) return { kind: 'no-such-name' }
  if (type !== 'PTR') return { kind: 'none' }
  return { kind: 'records', records: [{ type: 'PTR', value: hostname }] }
}

function brokenName(name: string, type: string): WorldAnswer | undefined {
  // RFC 6761 §6.4
  if (name === 'invalid' || name.endsWith('.invalid')) return { kind: 'no-such-name' }
  if (name === 'mx.no-address.test') return { kind: 'none' }
  if (name === 'mx.unreachable.test' && type === 'A')
    return { kind: 'records', records: [{ type: 'A', value: UNREACHABLE_ADDRESS }] }
  const fault = Object.hasOwn(BROKEN_NAMES, name)
    ? BROKEN_NAMES[name as keyof typeof BROKEN_NAMES]
    : undefined
  if (fault === 'server-failure') return { kind: 'server-failure' }
  if (fault === 'null-mx' && type === 'MX')
    return { kind: 'records', records: [{ type: 'MX', value: { preference: 0, exchange: '.' } }] }
  return undefined
}
