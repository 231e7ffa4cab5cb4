// Sessions that wait for the next message to the same site: the newest is taken first, so that the
// others grow old and leave. A kept session is not trusted: whether it still lives shows at MAIL.
// All leave with QUIT, off the delivery path.

import type { ClientSession } from '../smtp/client.ts'
import type { Clock, Timer } from '../std/clock.ts'
import type { Log } from '../std/log.ts'

export type KeepLimits = {
  readonly idleMs: number
  /** Transactions in one session; a peer's LIMITS MAILMAX may make it fewer (RFC 9422). */
  readonly messages: number
  /** However busy: DNS may have changed its mind meanwhile. */
  readonly ageMs: number
}

type Kept = { readonly session: ClientSession; readonly until: number }

const MOST_IDLE = 1_000

export class Sessions {
  readonly #clock: Clock
  readonly #log: Log
  readonly #idle = new Map<string, Kept[]>()
  readonly #leaving = new Set<Promise<void>>()
  #idleCount = 0
  readonly #busy = new Map<ClientSession, AbortSignal>()
  /** One listener a signal: attempts are many, and a listener for each is dear. */
  readonly #watched = new WeakSet<AbortSignal>()
  #sweeper: Timer | undefined
  #closed = false

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** For the status page. */
  get counts(): { readonly busy: number; readonly idle: number } {
    return { busy: this.#busy.size, idle: this.#idleCount }
  }

  /** A session that was kept under this key and seems alive. */
  take(key: string, signal: AbortSignal): ClientSession | undefined {
    const kept = this.#idle.get(key)
    if (!kept) return undefined
    for (let newest = kept.pop(); newest; newest = kept.pop()) {
      this.#idleCount--
      if (kept.length === 0) this.#idle.delete(key)
      if (newest.session.usable) {
        this.use(newest.session, signal)
        return newest.session
      }
      this.#dismiss(newest.session)
    }
    return undefined
  }

  /** A session is in use until release(); it is aborted with the signal. */
  use(session: ClientSession, signal: AbortSignal): void {
    this.#busy.set(session, signal)
    if (this.#watched.has(signal)) return
    this.#watched.add(signal)
    const abort = () => {
      for (const [busy, its] of this.#busy) if (its === signal) busy.abort()
    }
    signal.addEventListener('abort', abort, { once: true })
  }

  /** May another transaction begin in it? */
  hasRoom(session: ClientSession, limits: KeepLimits): boolean {
    const most = Math.min(limits.messages, session.capabilities.limits.mailMax ?? limits.messages)
    const age = this.#clock.elapsed() - session.openedAt
    return session.usable && session.transactions < most && age < limits.ageMs
  }

  /** Keeps the session for the next message, or lets it go. */
  release(key: string, session: ClientSession, limits: KeepLimits): void {
    this.#busy.delete(session)
    if (this.#closed || this.#idleCount >= MOST_IDLE || !this.hasRoom(session, limits)) {
      this.#dismiss(session)
      return
    }
    const kept = { session, until: this.#clock.elapsed() + limits.idleMs }
    const others = this.#idle.get(key)
    if (others) others.push(kept)
    else this.#idle.set(key, [kept])
    this.#idleCount++
    this.#sweeper ??= this.#clock.after(limits.idleMs, this.#sweep)
  }

  /** Quits all that are idle, and from now on every session that is released. */
  async close(): Promise<void> {
    this.#closed = true
    this.#sweeper?.cancel()
    this.#sweeper = undefined
    for (const kept of this.#idle.values()) for (const { session } of kept) this.#dismiss(session)
    this.#idle.clear()
    this.#idleCount = 0
    await Promise.all(this.#leaving)
  }

  readonly #sweep = (): void => {
    this.#sweeper = undefined
    const now = this.#clock.elapsed()
    let next = Number.POSITIVE_INFINITY
    for (const [key, kept] of this.#idle) {
      const still = kept.filter(({ session, until }) => until > now && session.usable)
      for (const old of kept) if (!still.includes(old)) this.#dismiss(old.session)
      this.#idleCount -= kept.length - still.length
      if (still.length > 0) this.#idle.set(key, still)
      else this.#idle.delete(key)
      for (const { until } of still) next = Math.min(next, until)
    }
    // Not more often than each second, however many there are.
    if (this.#idleCount > 0)
      this.#sweeper = this.#clock.after(Math.max(next - now, 1_000), this.#sweep)
  }

  #dismiss(session: ClientSession): void {
    const { host, address, transactions, tls } = session
    this.#log.debug({ host, address, transactions, tls: tls?.version }, 'session ends')
    if (!session.usable) {
      session.destroy()
      return
    }
    const leaving = session.quit().finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }
}
