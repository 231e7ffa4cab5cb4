// Whether mail can leave: dials the mail servers of a few well-known domains and hears who answers.

import { getDomain } from 'tldts'
import { hostsOf } from '../../dns/hosts.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { Domain } from '../../mail/domain.ts'
import type { Identity } from '../../mail/identity.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import type { Dial, Dialled, Peer } from '../dial.ts'
import { reverseName } from '../plan.ts'
import { providerOf } from '../providers.ts'
import { outboundPortTexts } from '../texts/outbound-port.ts'

const found = findingsOf(outboundPortTexts)

export type OutboundPortOptions = {
  readonly resolver: Resolver
  readonly identity: Identity
  readonly dial: Dial
  /** Domains whose mail servers are dialled, and the port there. */
  readonly domains: readonly Domain[]
  readonly port: number
  readonly protocol: 'ipv4' | 'ipv6' | 'both'
  readonly allowPrivate: boolean
  /** Dialled to learn whether there is a network at all, when nobody takes mail. */
  readonly elsewhere: () => Promise<readonly Peer[]>
  /** What the machine says of its maker, such as `Hetzner`. */
  readonly vendor: string
}

const portName = (port: number) => ({ en: `outgoing port ${port}`, ru: `исходящий порт ${port}` })
const NO_SERVER = { en: 'DNS names no mail server to dial', ru: 'DNS не назвал почтовых серверов' }
const NO_NETWORK = {
  en: 'nobody answered, on other ports neither',
  ru: 'никто не ответил, и на других портах тоже',
}

type Called = { readonly host: string; readonly heard: Dialled }

/** Nobody is dialled but the hosts that DNS names for `domains`. */
export function checkOutboundPort(options: OutboundPortOptions): Check {
  return { name: 'outbound-port', group: 'network', run: (signal) => look(options, signal) }
}

async function look(options: OutboundPortOptions, signal: AbortSignal): Promise<Finding[]> {
  const { port, domains } = options
  const subject = String(port)
  if (domains.length === 0) return []
  const calls = (await Promise.all(domains.map((domain) => call(domain, options, signal)))).flat()
  if (calls.length === 0) return [couldNotCheck(portName(port), NO_SERVER)]
  const answered = calls.flatMap(({ host, heard }) =>
    heard.kind === 'answered' ? [{ host, ...heard }] : [],
  )
  if (answered.length === 0) return [await whyNobody(calls, options, signal)]
  const { hostname, ipv4 } = options.identity
  const strange = answered.filter(({ host, banner }) => !speaksFor(banner, host))
  const [first] = strange
  if (first && strange.length === answered.length) {
    const facts = { port, host: first.host, banner: first.banner || '-', address: ipv4 ?? hostname }
    return [found('PORT25_HIJACKED', subject, facts)]
  }
  const hosts = answered.map(({ host }) => host).join(', ')
  return [found('PORT25_OK', subject, { port, hosts }), ...ownAddress(answered, options)]
}

async function call(
  domain: Domain,
  { resolver, dial, port, protocol, allowPrivate, identity }: OutboundPortOptions,
  signal: AbortSignal,
): Promise<Called[]> {
  const answer = await hostsOf(domain, resolver, { protocol, allowPrivate, random: () => 0 })
  const [host] = answer.kind === 'hosts' ? answer.hosts : []
  if (!host) return []
  const heard = await dial(
    { address: host.addresses[0]!, port },
    { hello: identity.hostname, signal },
  )
  return [{ host: host.name, heard }]
}

/** A greeting names the server (RFC 5321 §4.2); ours to judge is only whose name that is. */
function speaksFor(banner: string, host: string): boolean {
  const [, name = ''] = /^\d{3}[ -](\S+)/.exec(banner) ?? []
  const owner = (of: string) => getDomain(of.toLowerCase(), { allowPrivateDomains: false }) ?? of
  return owner(name) === owner(host) || owner(name).split('.')[0] === owner(host).split('.')[0]
}

async function whyNobody(
  calls: readonly Called[],
  { port, dial, elsewhere, identity, resolver, vendor }: OutboundPortOptions,
  signal: AbortSignal,
): Promise<Finding> {
  const peers = await elsewhere()
  const other = await Promise.all(peers.map((peer) => dial(peer, { signal })))
  const open = peers[other.findIndex(({ kind }) => kind === 'answered')]
  if (!open) return couldNotCheck(portName(port), NO_NETWORK)
  const names = identity.ipv4 && (await resolver.resolve(reverseName(identity.ipv4), 'PTR'))
  const hostNames = names && names.kind === 'records' ? names.records : []
  return found('PORT25_BLOCKED', String(port), {
    port,
    hosts: calls.map(({ host }) => host).join(', '),
    other: open.port,
    ...providerOf({ vendor, hostNames }),
  })
}

/** What peers see of us against what we believe. */
function ownAddress(
  answered: readonly { readonly seenAs?: string }[],
  { identity: { hostname, ipv4, ipv6 } }: OutboundPortOptions,
): Finding[] {
  const seen = answered.map(({ seenAs }) => seenAs).find((address) => address !== undefined)
  const known = seen?.includes(':') ? ipv6 : ipv4
  if (seen === undefined)
    return known === undefined && ipv6 === undefined ? [found('ADDRESS_UNKNOWN', hostname, {})] : []
  const option = seen.includes(':') ? 'public_ipv6' : 'public_ipv4'
  if (known === undefined) return [found('ADDRESS_NOT_SET', seen, { seen, option })]
  if (known !== seen) return [found('ADDRESS_MISMATCH', seen, { seen, address: known, option })]
  return []
}
