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
  /** For a PROXY header, which a proxy sends at once. */
  readonly proxyMs: number
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
  proxyMs: 5_000,
  contentGraceMs: 60_000,
  minimumOctetsPerSecond: 500,
}

export type SlotLimits = { readonly perAddress: number; readonly total: number }

const STRESS = 0.8

/** What a connection finds that wants a slot. */
export type Slot = 'entered' | 'address is full' | 'server is full'

/** Counts sessions, per address and in all, over all listeners that share it. */
export class SessionLimits {
  readonly #limits: SlotLimits
  readonly #addresses = new Map<string, number>()
  #total = 0
  #entered = 0

  constructor(limits: SlotLimits) {
    this.#limits = limits
  }

  /** Takes a slot; or says why there is none. */
  enter(address: string): Slot {
    if (this.#total >= this.#limits.total) return 'server is full'
    const key = addressKey(address)
    const count = this.#addresses.get(key) ?? 0
    if (count >= this.#limits.perAddress) return 'address is full'
    this.#addresses.set(key, count + 1)
    this.#total++
    this.#entered++
    return 'entered'
  }

  /** Slots taken since the start. */
  get entered(): number {
    return this.#entered
  }

  /** The client turns out to be another one; false when that one has its share already. */
  move(from: string, to: string): boolean {
    const [old, key] = [addressKey(from), addressKey(to)]
    if (old === key) return true
    const count = this.#addresses.get(key) ?? 0
    if (count >= this.#limits.perAddress) return false
    this.leave(from)
    this.#addresses.set(key, count + 1)
    this.#total++
    return true
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

/** Tries of one address that are under way, and those that wait for them. */
type Under = { count: number; readonly line: (() => void)[] }

/** Slows down guessing of passwords over all sessions and listeners: so many failures an address and window. */
export class AuthThrottle {
  readonly #clock: Clock
  readonly #failures: number
  readonly #windowMs: number
  /** The times of the newest failures of an address, oldest first. */
  readonly #failed = new LRUCache<string, number[]>({ max: ADDRESSES_KEPT })
  readonly #under = new Map<string, Under>()

  constructor(clock: Clock, options = { failures: 20, windowMs: 600_000 }) {
    this.#clock = clock
    this.#failures = options.failures
    this.#windowMs = options.windowMs
  }

  /**
   * Begins a try; false when the address has failed too often. No more are under way at a time than
   * may fail, so that a hundred at once gain nothing; the others wait. Each true wants an ended().
   */
  async attempt(address: string): Promise<boolean> {
    const key = addressKey(address)
    for (;;) {
      const failed = this.#recent(key).length
      if (failed >= this.#failures) return false
      const under = this.#under.get(key) ?? { count: 0, line: [] }
      this.#under.set(key, under)
      if (failed + under.count < this.#failures) {
        under.count++
        return true
      }
      await new Promise<void>((again) => under.line.push(again))
    }
  }

  ended(address: string, { failed }: { readonly failed: boolean }): void {
    const key = addressKey(address)
    if (failed) this.#failed.set(key, [...this.#recent(key), this.#clock.elapsed()])
    const under = this.#under.get(key)
    if (!under) return
    if (--under.count === 0) this.#under.delete(key)
    for (const again of under.line.splice(0)) again()
  }

  #recent(key: string): number[] {
    const failed = this.#failed.get(key)
    if (!failed) return []
    const since = this.#clock.elapsed() - this.#windowMs
    return failed.filter((at) => at > since)
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
