// A site is where limits apply: how many deliveries run at once, and for how long it is left alone
// after it failed as a whole. The window works as Postfix's does: it opens by one with each success
// and halves with each failure of a session, so a site that recovers is not run over. All here is
// synchronous and knows neither store nor network.

import type { SiteName } from '../mail/entry.ts'
import type { Attempt, Failure } from '../mail/failure.ts'
import type { MessageId } from '../mail/message.ts'
import type { Random } from '../std/random.ts'
import type { Parcel } from './parcel.ts'

export type SiteLimits = {
  /** The most deliveries at once. */
  readonly connections: number
  /** The most recipients of one message in one transaction. */
  readonly recipientsPerBatch: number
  /** Deliveries at once before anything is known of the site. */
  readonly initialWindow: number
  /** Entries in memory; `QueueLimits.siteEntries` by default. A relay that takes all mail wants all. */
  readonly entries?: number
  /** The first rest after the site failed as a whole; 0: it never rests. One minute by default. */
  readonly restMs?: number
  /** Rests double up to this. A quarter of an hour by default. */
  readonly longestRestMs?: number
}

const REST_MS = 60_000
const LONGEST_REST_MS = 15 * 60_000
const REST_JITTER = 0.2

export class Site {
  readonly name: SiteName
  readonly limits: SiteLimits
  /** Deliveries that may run at once, now. */
  window: number
  /** Deliveries that run. */
  inFlight = 0
  /** Attempts that are over but not yet durable. */
  unsettled = 0
  /** Entries in memory: waiting, in flight or being settled. */
  held = 0
  /** The store has more that is due for this site than memory holds. */
  overflow = false
  /** A read of the store for this site is ordered or under way. */
  refilling = false
  /** Nothing starts before this moment of the monotonic clock; 0 when it does not rest. */
  restUntil = 0
  /** When it was last of use, on the monotonic clock. */
  usedAt = 0
  /** Where in the order of waiting parcels we are. */
  #head = 0
  #waiting: Parcel[] = []
  #rests = 0
  #restedAt = 0

  constructor(name: SiteName, limits: SiteLimits, now: number) {
    this.name = name
    this.limits = limits
    this.window = Math.max(1, Math.min(limits.initialWindow, limits.connections))
    this.usedAt = now
  }

  get waiting(): number {
    return this.#waiting.length - this.#head
  }

  get resting(): boolean {
    return this.restUntil > 0
  }

  /** It has failed as a whole, and nothing was delivered since. */
  get failing(): boolean {
    return this.#rests > 0
  }

  /** Memory holds nothing of it, and the store no more than the loader knows. */
  get idle(): boolean {
    return this.held === 0 && !this.overflow && !this.refilling
  }

  /**
   * Something waits and may start, as far as this site is concerned. What is delivered but not yet
   * durable counts as in flight: it is what a crash would deliver again.
   */
  get ready(): boolean {
    return this.waiting > 0 && !this.resting && this.inFlight + this.unsettled < this.window
  }

  /** The urgent before the others (RFC 6710), and those alike in order of arrival. */
  push(parcel: Parcel): void {
    const priority = parcel.message.priority ?? 0
    let place = this.#waiting.length
    while (place > this.#head && (this.#waiting[place - 1]!.message.priority ?? 0) < priority)
      place -= 1
    if (place === this.#waiting.length) this.#waiting.push(parcel)
    else this.#waiting.splice(place, 0, parcel)
  }

  /** Puts a parcel before all that wait. */
  unshift(parcel: Parcel): void {
    if (this.#head > 0) {
      this.#head -= 1
      this.#waiting[this.#head] = parcel
    } else this.#waiting.unshift(parcel)
  }

  /** Takes the oldest waiting parcel out. */
  shift(): Parcel | undefined {
    const parcel = this.#waiting[this.#head]
    if (!parcel) return undefined
    this.#head += 1
    if (this.#head === this.#waiting.length) {
      this.#waiting = []
      this.#head = 0
    } else if (this.#head >= 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    return parcel
  }

  /** Takes one entry out of what waits; false when it does not wait here. */
  remove(message: MessageId, index: number): boolean {
    for (let i = this.#head; i < this.#waiting.length; i++) {
      const parcel = this.#waiting[i]!
      if (parcel.message.id !== message) continue
      const entries = parcel.entries.filter((entry) => entry.index !== index)
      if (entries.length === parcel.entries.length) continue
      this.#waiting[i] = { ...parcel, entries }
      return true
    }
    return false
  }

  /** Takes out all that waits. */
  takeAll(): Parcel[] {
    const all = this.#waiting.slice(this.#head)
    this.#waiting = []
    this.#head = 0
    return all
  }

  succeeded(): void {
    this.#rests = 0
    this.window = Math.min(this.window + 1, Math.max(1, this.limits.connections))
  }

  /** A session failed: fewer at once. */
  stumbled(): void {
    this.window = Math.max(1, this.window >> 1)
  }

  /**
   * The site failed as a whole. Returns how long it rests in milliseconds; undefined when it does
   * not, or when the attempt began before its present or last rest and so tells nothing new.
   */
  failed(options: { startedAt: number; now: number; random: Random }): number | undefined {
    const first = this.limits.restMs ?? REST_MS
    if (first <= 0) {
      this.stumbled()
      return undefined
    }
    if (this.resting || (this.#rests > 0 && options.startedAt < this.#restedAt)) return undefined
    const longest = Math.max(first, this.limits.longestRestMs ?? LONGEST_REST_MS)
    const base = Math.min(longest, first * 2 ** Math.min(this.#rests, 20))
    const rest = Math.round(base * (1 + REST_JITTER * (2 * options.random() - 1)))
    this.#rests += 1
    this.#restedAt = options.now
    this.restUntil = options.now + Math.max(1, rest)
    this.window = 1
    return rest
  }

  /** The rest is over: one delivery at a time probes. */
  wake(): void {
    this.restUntil = 0
  }
}

export type Verdict =
  | { readonly kind: 'success' }
  | { readonly kind: 'neutral' }
  | { readonly kind: 'session' }
  | { readonly kind: 'site'; readonly failure: Failure }

const SUCCESS: Verdict = { kind: 'success' }
const NEUTRAL: Verdict = { kind: 'neutral' }
const SESSION: Verdict = { kind: 'session' }

/**
 * What an attempt says of its site. An answer about a recipient or a message proves that the site
 * works: only its success counts as one, so that a site which refuses everything is not courted.
 */
export function verdictOn(attempt: Attempt): Verdict {
  let verdict = NEUTRAL
  for (const outcome of attempt.outcomes.values()) {
    if (outcome.kind === 'delivered') return SUCCESS
    const { failure } = outcome
    if (failure.permanence === 'permanent') continue
    if (failure.scope === 'site') return { kind: 'site', failure }
    if (failure.scope === 'session') verdict = SESSION
  }
  return verdict
}
