// What is remembered of TLS between connections: tickets, which spare a full handshake, and hosts
// whose TLS is broken, which get their next opportunistic try in plaintext. Bounded, and forgotten
// after a while.

import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../std/clock.ts'

export type Ticket = { readonly session: Buffer; readonly verified: boolean }

const MOST_HOSTS = 2_000
const TICKET_MS = 3_600_000
/** Longer than the longest pause between two tries, so that the retry still knows. */
const BROKEN_MS = 2 * 3_600_000

export class TlsMemory {
  readonly #tickets: LRUCache<string, Ticket>
  readonly #broken: LRUCache<string, true>
  /** Made once: parsing a hundred and fifty authorities for each connection would be slow. */
  readonly context: SecureContext

  /** @param trust authorities to trust beside the usual ones, PEM */
  constructor(clock: Clock, trust: readonly string[] = []) {
    const ca = trust.length > 0 ? { ca: [...getCACertificates('default'), ...trust] } : {}
    this.context = createSecureContext({ minVersion: 'TLSv1.2', ...ca })
    const perf = { now: () => clock.elapsed() }
    const common = { max: MOST_HOSTS, perf, ttlResolution: 0 }
    this.#tickets = new LRUCache({ ...common, ttl: TICKET_MS })
    this.#broken = new LRUCache({ ...common, ttl: BROKEN_MS })
  }

  /** A ticket that may be used; one of an unverified session cannot make a verified one. */
  ticket(key: string, options: { readonly verify: boolean }): Ticket | undefined {
    const ticket = this.#tickets.get(key)
    return ticket && (ticket.verified || !options.verify) ? ticket : undefined
  }

  keep(key: string, ticket: Ticket): void {
    this.#tickets.set(key, ticket)
  }

  forget(key: string): void {
    this.#tickets.delete(key)
  }

  /** The handshake with this host failed: see isBroken(). */
  remember(host: string): void {
    this.#broken.set(host, true)
  }

  isBroken(host: string): boolean {
    return this.#broken.has(host)
  }
}
