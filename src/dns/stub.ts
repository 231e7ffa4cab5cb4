// Our resolver: a stub that asks recursive servers and keeps what node:dns hides, the TTL and the
// proof by DNSSEC.
//
// A question goes cache → questions under way → servers in turn, each over UDP and TCP
// (exchange.ts); interpret.ts says what a response means. What can go wrong ends in `cannot-tell`:
// no exception leaves this room, and no failure is ever taken for "there is none".

import type { Clock } from '../std/clock.ts'
import { Gate } from '../std/gate.ts'
import { AnswerCache } from './cache.ts'
import { type DnsServer, exchange } from './exchange.ts'
import { interpret, LONGEST_CHAIN, type Meaning, plainName } from './interpret.ts'
import { isName } from './packet.ts'
import type { Answer, RecordData, RecordType, Resolver } from './resolver.ts'

export type { DnsServer }

export type StubOptions = {
  /** Asked in this order; one that was silent is asked last for a while. */
  readonly servers: readonly DnsServer[]
  readonly clock: Clock
  /** For each try, over UDP and again over TCP. */
  readonly timeoutMs: number
  /** Rounds over all servers. */
  readonly attempts: number
  readonly cacheEntries: number
  /** Believes the AD bit also from servers that are not on loopback: the way to them is trusted. */
  readonly trustAd: boolean
}

export type StubResolver = Resolver &
  Disposable & {
    /** Ends the questions under way with `cannot-tell`. */
    close(): void
  }

/** Makes a resolver over recursive servers (RFC 1034 §5.3.1). It holds no socket between questions. */
export function createResolver(options: StubOptions): StubResolver {
  return new Stub(options)
}

const DEAD_MS = 30_000
const MOST_AT_ONCE = 128
const MOST_WAITING = 10_000

class Stub implements StubResolver {
  readonly #options: StubOptions
  readonly #cache: AnswerCache
  readonly #underWay = new Map<string, Promise<Answer<unknown>>>()
  readonly #deadUntil = new Map<DnsServer, number>()
  readonly #closing = new AbortController()
  readonly #gate = new Gate(MOST_AT_ONCE)

  constructor(options: StubOptions) {
    this.#options = options
    this.#cache = new AnswerCache(options.cacheEntries, () => options.clock.elapsed())
  }

  resolve<T extends RecordType>(name: string, type: T): Promise<Answer<RecordData[T]>> {
    const plain = plainName(name)
    // A name that no zone can hold.
    if (!isName(plain)) return Promise.resolve(noSuchName)
    if (plain === 'localhost' || plain.endsWith('.localhost'))
      return Promise.resolve(localhost(plain, type))
    const key = `${plain} ${type}`
    const kept = this.#cache.get(key)
    if (kept !== undefined) return Promise.resolve(kept as Answer<RecordData[T]>)
    const asked = this.#underWay.get(key)
    if (asked !== undefined) return asked as Promise<Answer<RecordData[T]>>
    const asking = this.#askAndKeep(plain, type, key)
    this.#underWay.set(key, asking)
    return asking
  }

  async #askAndKeep<T extends RecordType>(
    name: string,
    type: T,
    key: string,
  ): Promise<Answer<RecordData[T]>> {
    try {
      const answer = await this.#followed(name, type)
      if (!this.#closing.signal.aborted) this.#cache.put(key, answer)
      return answer
    } finally {
      this.#underWay.delete(key)
    }
  }

  close(): void {
    this.#closing.abort()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Follows aliases that the server left to us. */
  async #followed<T extends RecordType>(name: string, type: T): Promise<Answer<RecordData[T]>> {
    let at = name
    let ttl = Number.POSITIVE_INFINITY
    let authentic = true
    for (let hops = 0; hops <= LONGEST_CHAIN; ) {
      if (!isName(at)) return noSuchName
      const { meaning, proved } = await this.#ask(at, type)
      if (meaning.kind === 'refused') return { kind: 'cannot-tell', why: meaning.why }
      if (meaning.kind === 'loop') break
      ttl = Math.min(ttl, meaning.ttlSeconds)
      authentic &&= proved
      if (meaning.kind !== 'alias') return answerOf(meaning, { ttl, authentic })
      at = meaning.target
      hops += meaning.hops
    }
    return { kind: 'cannot-tell', why: 'the aliases do not end' }
  }

  async #ask<T extends RecordType>(
    name: string,
    type: T,
  ): Promise<{ meaning: Meaning<T>; proved: boolean }> {
    if (this.#gate.waiting >= MOST_WAITING)
      return { meaning: refused('too many questions'), proved: false }
    return this.#gate.run(() => this.#askInTurn(name, type))
  }

  async #askInTurn<T extends RecordType>(
    name: string,
    type: T,
  ): Promise<{ meaning: Meaning<T>; proved: boolean }> {
    const { clock, timeoutMs, attempts, trustAd } = this.#options
    const { signal } = this.#closing
    let why = 'there is no server to ask'
    for (let attempt = 0; attempt < attempts; attempt++) {
      for (const server of this.#serversInTurn()) {
        if (signal.aborted) return { meaning: refused('the resolver was closed'), proved: false }
        const answer = await exchange(server, { name, type }, { clock, timeoutMs, signal })
        if (answer.kind === 'failed') {
          why = `${server.address}: ${answer.why}`
          if (answer.silent) this.#deadUntil.set(server, clock.elapsed() + DEAD_MS)
          continue
        }
        this.#deadUntil.delete(server)
        const meaning = interpret(answer.response, name, type)
        if (meaning.kind !== 'refused')
          return { meaning, proved: answer.response.authentic && believesProof(server, trustAd) }
        why = `${server.address}: ${meaning.why}`
      }
    }
    return { meaning: refused(why), proved: false }
  }

  #serversInTurn(): readonly DnsServer[] {
    const now = this.#options.clock.elapsed()
    const dead = (server: DnsServer) => (this.#deadUntil.get(server) ?? 0) > now
    const { servers } = this.#options
    return [...servers.filter((s) => !dead(s)), ...servers.filter(dead)]
  }
}

const noSuchName = { kind: 'no-such-name', ttlSeconds: 0, authentic: false } as const

function refused(why: string): { readonly kind: 'refused'; readonly why: string } {
  return { kind: 'refused', why }
}

function answerOf<T extends RecordType>(
  meaning: Extract<Meaning<T>, { kind: 'records' | 'none' | 'no-such-name' }>,
  so: { ttl: number; authentic: boolean },
): Answer<RecordData[T]> {
  const ttlSeconds = so.ttl
  const { authentic } = so
  if (meaning.kind !== 'records') return { kind: meaning.kind, ttlSeconds, authentic }
  return { kind: 'records', records: meaning.records, name: meaning.name, ttlSeconds, authentic }
}

/** Never leaves the machine (RFC 6761 §6.3). */
function localhost<T extends RecordType>(name: string, type: T): Answer<RecordData[T]> {
  const address = type === 'A' ? '127.0.0.1' : type === 'AAAA' ? '::1' : undefined
  if (address === undefined) return { kind: 'none', ttlSeconds: 0, authentic: false }
  const records = [address] as unknown as RecordData[T][]
  return { kind: 'records', records, ttlSeconds: 0, authentic: false, name }
}

/** Docker's resolver: on loopback inside a container, but it passes questions and answers on. */
const DOCKER_RESOLVER = '127.0.0.11'

/**
 * Whether a server's AD bit means anything to us: the bit is not signed, so that the way from the
 * server must be trusted (RFC 6840 §5.8), which it is on loopback, or when the operator says so.
 */
export function believesProof(server: DnsServer, trustAd: boolean): boolean {
  const { address } = server
  const isLoopback =
    address === '::1' || (address.startsWith('127.') && address !== DOCKER_RESOLVER)
  return trustAd || isLoopback
}
