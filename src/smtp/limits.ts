import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../std/clock.ts'

/** What one client may do in a session: RFC 5321 §4.5.3.1 and what experience adds. */
export type ProtocolLimits = {
  /** A command line with its CRLF. */
  readonly commandOctets: number
  /** A line of an AUTH dialogue (RFC 4954 §4). */
  readonly authOctets: number
  readonly recipients: number
  readonly messageOctets: number
  /** From this many errors on, each reply waits. */
  readonly softErrors: number
  readonly hardErrors: number
  readonly errorDelayMs: number
  /** Commands that lead nowhere; more of them count as errors. */
  readonly junkCommands: number
  readonly longLines: number
  readonly authFailures: number
  readonly idleMs: number
  readonly stressedIdleMs: number
  readonly tlsMs: number
  /** After this time content must come at the minimum rate. */
  readonly contentGraceMs: number
  readonly minimumOctetsPerSecond: number
}

export const defaultLimits: ProtocolLimits = {
  commandOctets: 2_048,
  authOctets: 12_288,
  recipients: 1_000,
  messageOctets: 26_214_400,
  softErrors: 10,
  hardErrors: 20,
  errorDelayMs: 1_000,
  junkCommands: 100,
  longLines: 3,
  authFailures: 5,
  idleMs: 300_000, // RFC 5321 §4.5.3.2.7
  stressedIdleMs: 10_000,
  tlsMs: 60_000,
  contentGraceMs: 60_000,
  minimumOctetsPerSecond: 500,
}

export type SlotLimits = { readonly perAddress: number; readonly total: number }

const STRESS = 0.8

/** Counts sessions, per address and in all, over all listeners that share it. */
export class SessionLimits {
  readonly #limits: SlotLimits
  readonly #addresses = new Map<string, number>()
  #total = 0

  constructor(limits: SlotLimits) {
    this.#limits = limits
  }

  /** Takes a slot; or says why there is none. */
  enter(address: string): 'entered' | 'address is full' | 'server is full' {
    if (this.#total >= this.#limits.total) return 'server is full'
    const key = addressKey(address)
    const count = this.#addresses.get(key) ?? 0
    if (count >= this.#limits.perAddress) return 'address is full'
    this.#addresses.set(key, count + 1)
    this.#total++
    return 'entered'
  }

  leave(address: string): void {
    const key = addressKey(address)
    const count = this.#addresses.get(key) ?? 0
    if (count > 1) this.#addresses.set(key, count - 1)
    else this.#addresses.delete(key)
    this.#total--
  }

  get total(): number {
    return this.#total
  }

  /** Most slots are taken: idle sessions must hurry. */
  get stressed(): boolean {
    return this.#total > this.#limits.total * STRESS
  }
}

const ADDRESSES_KEPT = 20_000

/** Slows down guessing of passwords over all sessions and listeners: so many failures an address and window. */
export class AuthThrottle {
  readonly #clock: Clock
  readonly #failures: number
  readonly #windowMs: number
  /** The times of the newest attempts of an address, oldest first. */
  readonly #attempts = new LRUCache<string, number[]>({ max: ADDRESSES_KEPT })

  constructor(clock: Clock, options = { failures: 20, windowMs: 600_000 }) {
    this.#clock = clock
    this.#failures = options.failures
    this.#windowMs = options.windowMs
  }

  /** Counts an attempt before its outcome is known, so that a hundred at once gain nothing; false when there were too many. */
  attempt(address: string): boolean {
    const now = this.#clock.elapsed()
    const key = addressKey(address)
    const recent = (this.#attempts.get(key) ?? []).filter((at) => at > now - this.#windowMs)
    if (recent.length < this.#failures) recent.push(now)
    else return false
    this.#attempts.set(key, recent)
    return true
  }

  /** The attempt was no failure after all. */
  succeeded(address: string): void {
    this.#attempts.get(addressKey(address))?.pop()
  }
}

/** What counts as one client: an IPv4 address, or an IPv6 network of 64 bits, which one host can fill. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  try {
    const parts = (ipaddr.parse(address) as ipaddr.IPv6).parts
    return `${parts.slice(0, 4).join(':')}::/64`
  } catch {
    return address
  }
}
