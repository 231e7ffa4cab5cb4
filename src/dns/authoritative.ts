// What each name server of a zone says, asked itself: a recursive server shows one answer, perhaps
// of yesterday, while a zone's servers may differ for as long as a change takes to reach them all.
//
// The zone is found through the resolver, its servers' addresses too; then every server gets the
// question. Whatever goes wrong with one of them is that one's answer: `cannot-tell` with the why.

import type { Clock } from '../std/clock.ts'
import { canonicalAddress, isPublicAddress } from './address.ts'
import { type DnsServer, exchange } from './exchange.ts'
import { interpret, LONGEST_CHAIN, plainName } from './interpret.ts'
import { isName } from './packet.ts'
import type { Answer, RecordData, RecordType, Resolver } from './resolver.ts'

export type AuthoritativeOptions = {
  /** For the zone's servers and their addresses. */
  readonly resolver: Resolver
  readonly clock: Clock
  /** For each try, over UDP and again over TCP. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** 53 unless a test says otherwise. */
  readonly port?: number
  /** Also asks servers with loopback, private and reserved addresses: a zone inside one's own network. */
  readonly allowPrivate?: boolean
}

/** What one server says. */
export type ServerAnswer<T extends RecordType> = {
  /** Its name in the zone's NS records. */
  readonly host: string
  /** The address that answered, or the last one that was tried. */
  readonly address?: string
  readonly answer: Answer<RecordData[T]>
}

export type AuthoritativeAnswer<T extends RecordType> =
  | {
      readonly kind: 'answers'
      /** Where the name's records are: of its alias's target when it is an alias (CNAME). */
      readonly zone: string
      /** The name at the end of the aliases. */
      readonly name: string
      /** In the order of the servers' names; never empty. */
      readonly servers: readonly ServerAnswer<T>[]
    }
  /** Neither the zone nor a server of it could be found. */
  | { readonly kind: 'cannot-tell'; readonly why: string }

export type Zone =
  | { readonly kind: 'zone'; readonly name: string; readonly servers: readonly string[] }
  | { readonly kind: 'cannot-tell'; readonly why: string }

const MOST_SERVERS = 16
const MOST_ADDRESSES = 4
const TRIES = 2

/**
 * Asks every authoritative server of the zone that holds `name`; follows an alias to the servers of
 * its target. Never throws for what DNS says. No answer is `authentic`: nothing is validated here.
 */
export async function askAuthoritative<T extends RecordType>(
  name: string,
  type: T,
  options: AuthoritativeOptions,
): Promise<AuthoritativeAnswer<T>> {
  let at = plainName(name)
  for (let hops = 0; hops <= LONGEST_CHAIN; hops++) {
    const zone = await findZone(at, options.resolver)
    if (zone.kind === 'cannot-tell') return zone
    const asked = at
    const found = await Promise.all(
      zone.servers.map((host) => askServer(host, { name: asked, type }, options)),
    )
    const alias = found.find((one) => one.alias !== undefined)?.alias
    if (alias === undefined)
      return { kind: 'answers', zone: zone.name, name: at, servers: found.map(({ said }) => said) }
    at = alias
  }
  return { kind: 'cannot-tell', why: 'the aliases do not end' }
}

/** The zone that holds a name, and its servers' names: the nearest name upwards with NS records. */
export async function findZone(name: string, resolver: Resolver): Promise<Zone> {
  const labels = plainName(name).split('.')
  for (let i = 0; i < labels.length; i++) {
    const zone = labels.slice(i).join('.')
    const answer = await resolver.resolve(zone, 'NS')
    if (answer.kind === 'cannot-tell')
      return { kind: 'cannot-tell', why: `the name servers of ${zone}: ${answer.why}` }
    // Behind an alias are the servers of another zone.
    if (answer.kind !== 'records' || plainName(answer.name) !== zone) continue
    const servers = [...new Set(answer.records.map(plainName))].sort().slice(0, MOST_SERVERS)
    return { kind: 'zone', name: zone, servers }
  }
  return { kind: 'cannot-tell', why: `no zone holds ${name}` }
}

type Question<T extends RecordType> = { readonly name: string; readonly type: T }

type Found<T extends RecordType> = {
  readonly said: ServerAnswer<T>
  /** Where the server points to, when the target is not its own. */
  readonly alias?: string
}

/** Tries the server's addresses in turn until one answers. */
async function askServer<T extends RecordType>(
  host: string,
  question: Question<T>,
  options: AuthoritativeOptions,
): Promise<Found<T>> {
  const addresses = await addressesOf(host, options)
  if (typeof addresses === 'string') return { said: { host, answer: cannotTell(addresses) } }
  let last: Found<T> = { said: { host, answer: cannotTell('it has no address') } }
  for (const address of addresses) {
    last = await askAddress({ host, address }, question, options)
    if (last.said.answer.kind !== 'cannot-tell' || last.alias !== undefined) break
  }
  return last
}

async function addressesOf(
  host: string,
  options: AuthoritativeOptions,
): Promise<readonly string[] | string> {
  if (!isName(host)) return 'its name cannot be'
  const [ipv4, ipv6] = await Promise.all([
    options.resolver.resolve(host, 'A'),
    options.resolver.resolve(host, 'AAAA'),
  ])
  const found = [ipv4, ipv6].flatMap((answer) => (answer.kind === 'records' ? answer.records : []))
  const usable = found
    .map((address) => canonicalAddress(address))
    .filter((address) => address !== undefined)
    .filter((address) => options.allowPrivate || isPublicAddress(address))
    .slice(0, MOST_ADDRESSES)
  if (usable.length > 0) return usable
  if (found.length > 0) return 'its address is not of the public Internet'
  const failed = [ipv4, ipv6].find((answer) => answer.kind === 'cannot-tell')
  return failed?.kind === 'cannot-tell' ? `its address: ${failed.why}` : 'it has no address'
}

async function askAddress<T extends RecordType>(
  server: { readonly host: string; readonly address: string },
  question: Question<T>,
  options: AuthoritativeOptions,
): Promise<Found<T>> {
  const { host, address } = server
  const to: DnsServer = { address, port: options.port ?? 53 }
  const signal = options.signal ?? new AbortController().signal
  const { clock, timeoutMs } = options
  let why = 'no answer'
  for (let attempt = 0; attempt < TRIES && !signal.aborted; attempt++) {
    const result = await exchange(to, question, { clock, timeoutMs, signal })
    if (result.kind === 'failed') {
      why = result.why
      continue
    }
    // A forwarder or a server that has lost the zone would repeat what others said (RFC 1912 §2.8).
    if (!result.response.authoritative && /^(NOERROR|NXDOMAIN)$/.test(result.response.rcode))
      return { said: { host, address, answer: cannotTell('it does not serve the zone') } }
    const meaning = interpret(result.response, question.name, question.type)
    switch (meaning.kind) {
      case 'refused':
        return { said: { host, address, answer: cannotTell(meaning.why) } }
      case 'loop':
        return { said: { host, address, answer: cannotTell('the aliases do not end') } }
      case 'alias': {
        const answer = cannotTell(`an alias to ${meaning.target}`)
        return { said: { host, address, answer }, alias: meaning.target }
      }
      default: {
        const { hops: _, ...rest } = meaning
        const answer = { ...rest, authentic: false } as Answer<RecordData[T]>
        return { said: { host, address, answer } }
      }
    }
  }
  return { said: { host, address, answer: cannotTell(why) } }
}

function cannotTell(why: string): { readonly kind: 'cannot-tell'; readonly why: string } {
  return { kind: 'cannot-tell', why }
}
