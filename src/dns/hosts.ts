// Who takes mail for a domain, in the order in which to try (RFC 5321 §5.1).
//
// hostsOf() asks for MX records, falls back to the domain itself only when DNS says that there are
// none, cuts what would lead back to us, and looks up addresses. It answers with a value for every
// state of the world, so that the delivery room decides what is permanent: a name that does not
// exist and a null MX are; a server failure never is, and never leads to the implicit MX.
// A stranger's domain chooses where we connect, hence the check of every address.

import { isIP } from 'node:net'
import type { AddressLiteral, Domain } from '../mail/domain.ts'
import { isAddressLiteral, literalAddress } from '../mail/domain.ts'
import type { Identity } from '../mail/identity.ts'
import { canonicalAddress, isPublicAddress } from './address.ts'
import type { Answer, MxRecord, Resolver } from './resolver.ts'

export type MailHost = {
  /** Lower case, without the final dot; an address for an address literal. */
  readonly name: string
  readonly preference: number
  /** In the order to try; never empty. */
  readonly addresses: readonly string[]
}

export type HostsAnswer =
  | {
      readonly kind: 'hosts'
      readonly hosts: readonly MailHost[]
      /** There was no MX record: the domain is its own host. */
      readonly implicit: boolean
      /** The MX answer was proved by DNSSEC. */
      readonly authentic: boolean
    }
  /** The domain takes no mail and says so (RFC 7505 §3). */
  | { readonly kind: 'null-mx' }
  | { readonly kind: 'no-such-domain' }
  /** The domain exists, but no host of it has an address that we could use. */
  | { readonly kind: 'no-hosts'; readonly why: string }
  /** It has addresses, but only such as no public host can have. */
  | { readonly kind: 'prohibited'; readonly why: string }
  /** We are its best host ourselves. */
  | { readonly kind: 'loops-back' }
  | { readonly kind: 'cannot-tell'; readonly why: string }

export type HostsOptions = {
  /** `both` prefers IPv4. */
  readonly protocol: 'ipv4' | 'ipv6' | 'both'
  /** Allows loopback, private and reserved addresses: for the sandbox and for internal networks. */
  readonly allowPrivate: boolean
  /** Who we are, so that mail does not come back to us. */
  readonly self?: Identity
  /** At least 0 and below 1. */
  readonly random: () => number
}

const MOST_RECORDS = 100
const ENOUGH_HOSTS = 10
const MOST_ADDRESSES = 16
const LOOKUPS_AT_ONCE = 5

/** Finds the hosts of a domain and their addresses. Never throws for what DNS says. */
export async function hostsOf(
  domain: Domain | AddressLiteral,
  resolver: Resolver,
  options: HostsOptions,
): Promise<HostsAnswer> {
  if (isAddressLiteral(domain)) return literalHost(literalAddress(domain), options)
  const answer = await resolver.resolve(domain, 'MX')
  switch (answer.kind) {
    case 'cannot-tell':
      return { kind: 'cannot-tell', why: `MX of ${domain}: ${answer.why}` }
    case 'no-such-name':
      return { kind: 'no-such-domain' }
    case 'none': {
      const itself = [{ preference: 0, exchange: domain }]
      return withAddresses(itself, resolver, { ...options, implicit: true, answer })
    }
    case 'records': {
      const exchanges = usableExchanges(answer.records)
      if (exchanges === 'null-mx') return { kind: 'null-mx' }
      if (exchanges.length === 0)
        return { kind: 'no-hosts', why: `no MX record of ${domain} names a host` }
      return withAddresses(inOrder(exchanges, options.random), resolver, {
        ...options,
        implicit: false,
        answer,
      })
    }
  }
}

function literalHost(text: string, options: HostsOptions): HostsAnswer {
  const address = canonicalAddress(text) ?? text
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (isOurs(address, options.self)) return { kind: 'loops-back' }
  if (!options.allowPrivate && !isPublicAddress(address))
    return { kind: 'prohibited', why: `${address} is not a public address` }
  if (options.protocol !== 'both' && options.protocol !== family)
    return { kind: 'no-hosts', why: `${address} cannot be reached over ${options.protocol}` }
  const host = { name: address, preference: 0, addresses: [address] }
  return { kind: 'hosts', hosts: [host], implicit: false, authentic: false }
}

/** What the records name. An address instead of a name is a common mistake and no host. */
function usableExchanges(records: readonly MxRecord[]): readonly MxRecord[] | 'null-mx' {
  const named: MxRecord[] = []
  let nulls = 0
  for (const { preference, exchange } of records) {
    const name = exchange.replace(/\.$/, '').toLowerCase()
    if (name === '') nulls++
    else if (isIP(name) === 0) named.push({ preference, exchange: name })
  }
  // Beside other records a null MX is against RFC 7505 §3 and means nothing.
  return named.length === 0 && nulls > 0 ? 'null-mx' : named
}

/** By preference; equals in random order, which spreads the load (RFC 5321 §5.1). */
function inOrder(records: readonly MxRecord[], random: () => number): MxRecord[] {
  return shuffled(records, random)
    .sort((a, b) => a.preference - b.preference)
    .slice(0, MOST_RECORDS)
}

type Search = HostsOptions & { readonly implicit: boolean; readonly answer: Answer<MxRecord> }

/** Looks addresses up, best hosts first, until there are enough hosts or we meet ourselves. */
async function withAddresses(
  records: readonly MxRecord[],
  resolver: Resolver,
  search: Search,
): Promise<HostsAnswer> {
  const { self } = search
  // RFC 5321 §5.1: when we are among the hosts, those of our preference and worse are cut.
  const ours = records.find((record) => record.exchange === self?.hostname)?.preference
  let usable = ours === undefined ? records : records.filter((r) => r.preference < ours)
  const hosts: MailHost[] = []
  const faults = new Faults()
  for (let from = 0; from < usable.length && hosts.length < ENOUGH_HOSTS; from += LOOKUPS_AT_ONCE) {
    const group = usable.slice(from, from + LOOKUPS_AT_ONCE)
    const found = await Promise.all(
      group.map((record) => addressesOf(record.exchange, resolver, { ...search, faults })),
    )
    const met = group.find((_, i) => found[i]!.some((address) => isOurs(address, self)))?.preference
    if (met !== undefined) usable = usable.slice(0, from + group.length)
    for (const [i, { exchange, preference }] of group.entries()) {
      if (met !== undefined && preference >= met) continue
      const addresses = found[i]!
      if (addresses.length > 0) hosts.push({ name: exchange, preference, addresses })
    }
    if (met === undefined) continue
    if (hosts.length === 0 && !faults.uncertain) return { kind: 'loops-back' }
    break
  }
  if (hosts.length > 0) {
    const { implicit, answer } = search
    return { kind: 'hosts', hosts, implicit, authentic: 'authentic' in answer && answer.authentic }
  }
  return usable.length === 0 ? { kind: 'loops-back' } : faults.answer()
}

/** Why hosts had no addresses: the kindest reason is told, since a permanent one loses mail. */
class Faults {
  uncertain: string | undefined
  prohibited: string | undefined
  missing = 'no host has an address'

  answer(): HostsAnswer {
    if (this.uncertain !== undefined) return { kind: 'cannot-tell', why: this.uncertain }
    if (this.prohibited !== undefined) return { kind: 'prohibited', why: this.prohibited }
    return { kind: 'no-hosts', why: this.missing }
  }
}

async function addressesOf(
  host: string,
  resolver: Resolver,
  options: HostsOptions & { readonly faults: Faults },
): Promise<readonly string[]> {
  const { protocol, faults, random } = options
  const answers = await Promise.all([
    protocol === 'ipv6' ? undefined : resolver.resolve(host, 'A'),
    protocol === 'ipv4' ? undefined : resolver.resolve(host, 'AAAA'),
  ])
  const addresses: string[] = []
  for (const answer of answers) {
    if (answer?.kind === 'cannot-tell') faults.uncertain ??= `address of ${host}: ${answer.why}`
    if (answer?.kind !== 'records') continue
    for (const text of shuffled(answer.records, random)) {
      const address = canonicalAddress(text)
      if (address === undefined) continue
      if (options.allowPrivate || isPublicAddress(address)) addresses.push(address)
      else faults.prohibited ??= `${host} is at ${address}, which is not a public address`
    }
  }
  if (addresses.length === 0 && protocol !== 'both')
    faults.missing = `${host} has no ${protocol === 'ipv4' ? 'IPv4' : 'IPv6'} address`
  else if (addresses.length === 0) faults.missing = `${host} has no address`
  return addresses.slice(0, MOST_ADDRESSES)
}

function isOurs(address: string, self: Identity | undefined): boolean {
  if (self === undefined) return false
  return [self.ipv4, self.ipv6].some(
    (own) => own !== undefined && canonicalAddress(own) === address,
  )
}

/** Fisher and Yates, on a copy. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const other = out[j]!
    out[j] = out[i]!
    out[i] = other
  }
  return out
}
