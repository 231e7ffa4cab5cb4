// The walk over a route's hosts, until one of them gives a session that is good enough; why the
// others did not is remembered. A walk goes on where it stopped: when a session fails before the
// message has left, the next host is tried.

import { isIP } from 'node:net'
import { type HostsAnswer, hostsOf } from '../dns/hosts.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Domain } from '../mail/domain.ts'
import type { Failure } from '../mail/failure.ts'
import type { Identity } from '../mail/identity.ts'
import type { World } from '../mail/message.ts'
import { status } from '../mail/status.ts'
import { type ClientSession, type ClientTimeouts, SessionFault } from '../smtp/client.ts'
import { isBrokenTls, isLoopback, openSession } from '../smtp/open.ts'
import type { TlsMemory } from '../smtp/tls-memory.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import { faultFailure, hostsFailure, replyFailure } from './classify.ts'
import type { RelayRoute, Route } from './route.ts'
import { type Demands, requireTlsFailure, requireTlsUnmet } from './security.ts'

export type WalkDeps = {
  readonly clock: Clock
  readonly log: Log
  readonly identity: Identity
  readonly resolvers: Partial<Record<World, Resolver>>
  readonly random: () => number
  readonly timeouts: ClientTimeouts
  readonly tlsMemory: TlsMemory
  /** Local addresses to bind connections to; without them the system chooses. */
  readonly sources?: { readonly ipv4?: string; readonly ipv6?: string }
}

type Candidate = { readonly host: string; readonly address: string }

/** Bounds of one attempt, however many hosts there are. */
const MOST_ADDRESSES = 5
const MOST_SESSIONS = 2

export class Walk {
  readonly #route: Route
  readonly #demands: Demands
  readonly #deps: WalkDeps
  #candidates: Candidate[] | undefined
  #addresses = 0
  #sessions = 0
  /** A session was ready for mail: the site is up. */
  #reached = false
  #passed: string | undefined
  #failure: Failure | undefined

  constructor(route: Route, demands: Demands, deps: WalkDeps) {
    this.#route = route
    this.#demands = demands
    this.#deps = deps
  }

  /** The next session that is good enough; undefined when there is none, and `failure` says why. */
  async next(signal: AbortSignal): Promise<ClientSession | undefined> {
    this.#candidates ??= await this.#lookUp()
    while (this.#addresses < MOST_ADDRESSES && this.#sessions < MOST_SESSIONS && !signal.aborted) {
      const candidate = this.#candidates.shift()
      if (!candidate) break
      if (candidate.address === this.#passed) continue
      this.#addresses++
      const session = await this.#open(candidate, signal)
      if (session) return session
    }
    return undefined
  }

  /** Remembers a failure of scope `session`. One that may pass beats one that will not. */
  note(failure: Failure): void {
    if (this.#failure?.permanence === 'transient' && failure.permanence === 'permanent') return
    this.#failure = failure
  }

  /** This address has had its turn, in a session that was kept from before. */
  pass(address: string): void {
    this.#passed = address
    this.#reached = true
    this.#sessions++
  }

  /** What the whole walk came to, once next() gives nothing. */
  get failure(): Failure {
    const failure = this.#failure ?? stopped
    // No host can do what the message demands: that is about the message.
    if (failure.scope === 'session' && failure.permanence === 'permanent')
      return { ...failure, scope: 'message' }
    // No host let us in: the site rests. But not for broken TLS, since the next
    // try goes without.
    const rests = failure.scope === 'session' && !this.#reached && failure.cause.kind !== 'tls'
    return rests ? { ...failure, scope: 'site' } : failure
  }

  async #open(candidate: Candidate, signal: AbortSignal): Promise<ClientSession | undefined> {
    const { clock, identity, timeouts, tlsMemory, log } = this.#deps
    const { host, address } = candidate
    const { login, verify } = this.#demands
    const opportunistic = this.#demands.level === 'opportunistic'
    const level = opportunistic && tlsMemory.isBroken(host) ? 'none' : this.#demands.level
    try {
      const opened = await openSession(
        { host, address, port: this.#route.port, ...this.#source(address) },
        {
          clock,
          timeouts,
          tlsMemory,
          signal,
          helloName: identity.hostname,
          security: { level, verify },
          ...(login && { login }),
        },
      )
      this.#sessions++
      if (opened.kind === 'open') return this.#admit(opened.session)
      const failure = replyFailure(opened.reply, opened.stage, host)
      this.note(opened.stage === 'tls' ? this.#tlsFailure(failure) : failure)
    } catch (error) {
      if (!(error instanceof SessionFault)) throw error
      if (error.stage !== 'connect') this.#sessions++
      const broken = isBrokenTls(error)
      if (broken && level === 'opportunistic') {
        tlsMemory.remember(host)
        // Its sender would rather have it arrive in the clear than late (RFC 8689 §4.2.2).
        if (this.#demands.tlsOptional) this.#candidates?.unshift(candidate)
      }
      const failure = faultFailure(error)
      this.note(broken ? this.#tlsFailure(failure) : failure)
      log.debug({ host, address, stage: error.stage, why: error.message }, 'no session')
    }
    return undefined
  }

  #admit(session: ClientSession): ClientSession | undefined {
    const failure = this.#demands.requireTls ? requireTlsFailure(session) : undefined
    if (!failure) {
      this.#reached = true
      return session
    }
    this.note(failure)
    void session.quit()
    return undefined
  }

  #tlsFailure(failure: Failure): Failure {
    const { cause } = failure
    if (!this.#demands.requireTls || cause.kind !== 'tls') return failure
    return requireTlsUnmet(`${cause.host}: ${cause.text}`)
  }

  #source(address: string): { localAddress?: string } {
    if (isLoopback(address)) return {}
    const { ipv4, ipv6 } = this.#deps.sources ?? {}
    const localAddress = isIP(address) === 6 ? ipv6 : ipv4
    return localAddress ? { localAddress } : {}
  }

  async #lookUp(): Promise<Candidate[]> {
    const route = this.#route
    const world = route.kind === 'direct' ? route.world : 'live'
    const resolver = this.#deps.resolvers[world]
    const name = route.kind === 'direct' ? route.domain : route.host
    if (!resolver) {
      this.note(dnsFailure(name, `there is no DNS for the ${world} world`))
      return []
    }
    const answer = await this.#ask(route, resolver)
    if (answer.kind !== 'hosts') {
      const failure = hostsFailure(answer, name)
      // A relay that cannot be found is a mistake in the configuration: no mail is given up for it.
      this.note(route.kind === 'relay' ? dnsFailure(name, describe(failure)) : failure)
      return []
    }
    // RFC 8689 §4.2.1: hosts that anybody may have named do not count as the domain's.
    if (this.#demands.requireTls && world === 'live' && !answer.implicit && !answer.authentic) {
      this.note(requireTlsUnmet(`the MX records of ${name} are not proved by DNSSEC`))
      return []
    }
    const all = answer.hosts.flatMap((host) =>
      host.addresses.map((address) => ({ host: host.name, address })),
    )
    if (world === 'live') return all
    // Whatever its DNS says, nothing of the sandbox leaves this machine.
    const inside = all.filter(({ address }) => isLoopback(address))
    if (inside.length === 0) this.note(dnsFailure(name, 'the sandbox has no host for it'))
    return inside
  }

  #ask(route: Route, resolver: Resolver): Promise<HostsAnswer> {
    const { identity, random } = this.#deps
    if (route.kind === 'relay') return relayHosts(route, resolver, random)
    const { domain, protocol, allowPrivate, world } = route
    const self = world === 'live' ? { self: identity } : {}
    return hostsOf(domain, resolver, { protocol, allowPrivate, random, ...self })
  }
}

const stopped: Failure = {
  permanence: 'transient',
  scope: 'message',
  status: status('4.3.2'),
  cause: { kind: 'local', text: 'this server is stopping' },
}

function dnsFailure(name: string, text: string): Failure {
  const cause = { kind: 'dns', name, code: 'no-hosts', text } as const
  return { permanence: 'transient', scope: 'site', status: status('4.4.3'), cause }
}

function describe(failure: Failure): string {
  return 'text' in failure.cause ? failure.cause.text : 'no host'
}

async function relayHosts(
  route: RelayRoute,
  resolver: Resolver,
  random: () => number,
): Promise<HostsAnswer> {
  const { host, protocol } = route
  if (isIP(host) !== 0 || host === 'localhost') {
    const addresses = host === 'localhost' ? ['127.0.0.1', '::1'] : [host]
    const hosts = [{ name: host, preference: 0, addresses }]
    return { kind: 'hosts', hosts, implicit: true, authentic: false }
  }
  const asked: Resolver = route.mx ? resolver : withoutMx(resolver)
  return hostsOf(host as Domain, asked, { protocol, allowPrivate: true, random })
}

/** The host itself is meant, whatever MX records it has. */
function withoutMx(resolver: Resolver): Resolver {
  return {
    resolve: async (name, type) =>
      type === 'MX'
        ? { kind: 'none', ttlSeconds: 0, authentic: false }
        : resolver.resolve(name, type),
  }
}
