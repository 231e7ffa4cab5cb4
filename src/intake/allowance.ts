// How much a credential may send: recipients in any minute, hour and day. Counted in windows that
// slide by a sixtieth, so that nobody can send twice as much around midnight. What was used survives a
// restart: usage() is kept by the caller and handed back.

import type { Clock } from '../std/clock.ts'
import type { SendingLimits } from '../store/store.ts'

const SLOTS = 60
const WINDOWS = {
  perMinute: { ms: 60_000, word: 'a minute' },
  perHour: { ms: 3_600_000, word: 'an hour' },
  perDay: { ms: 86_400_000, word: 'a day' },
} as const

type WindowName = keyof typeof WINDOWS

/** Counts by slot; a slot is named by its number since 1970. */
type Slots = Map<number, number>

/** As JSON holds it. */
export type Usage = Readonly<
  Record<string, Partial<Record<WindowName, readonly (readonly [slot: number, count: number])[]>>>
>

/** Why not now. */
export type Exhausted = {
  readonly limit: number
  /** Such as `an hour`. */
  readonly window: string
  /** When some of it is free again; milliseconds since 1970. */
  readonly againAt: number
}

export class Allowances {
  readonly #clock: Clock
  readonly #used = new Map<string, Map<WindowName, Slots>>()
  /** Something has changed since usage() was called. */
  #dirty = false

  constructor(clock: Clock, usage: Usage = {}) {
    this.#clock = clock
    for (const [name, windows] of Object.entries(usage))
      for (const [window, slots] of Object.entries(windows))
        if (Object.hasOwn(WINDOWS, window) && slots)
          this.#windowsOf(name).set(window as WindowName, new Map(slots))
  }

  /** Is there room for so many recipients? Undefined when there is. */
  check(name: string, limits: SendingLimits, count: number): Exhausted | undefined {
    for (const window of Object.keys(WINDOWS) as WindowName[]) {
      const limit = limits[window]
      if (limit === undefined) continue
      const slots = this.#slotsOf(name, window)
      let over = total(slots) + count - limit
      if (over <= 0) continue
      const { ms, word } = WINDOWS[window]
      const slotMs = ms / SLOTS
      let againAt = this.#clock.now()
      for (const [slot, used] of [...slots].sort(([a], [b]) => a - b)) {
        againAt = (slot + SLOTS) * slotMs
        over -= used
        if (over <= 0) break
      }
      return { limit, window: word, againAt }
    }
    return undefined
  }

  /** Counts recipients; a negative number gives back what was not sent. */
  use(name: string, limits: SendingLimits, count: number): void {
    for (const window of Object.keys(WINDOWS) as WindowName[]) {
      if (limits[window] === undefined) continue
      const slots = this.#slotsOf(name, window)
      const slot = this.#slotNow(window)
      slots.set(slot, Math.max(0, (slots.get(slot) ?? 0) + count))
      this.#dirty = true
    }
  }

  /** How much was used of each window. */
  used(name: string): Readonly<Record<WindowName, number>> {
    const of = (window: WindowName) => total(this.#slotsOf(name, window))
    return { perMinute: of('perMinute'), perHour: of('perHour'), perDay: of('perDay') }
  }

  forget(name: string): void {
    this.#dirty = this.#used.delete(name) || this.#dirty
  }

  /** To be kept; undefined when nothing has changed since the last time. */
  usage(): Usage | undefined {
    if (!this.#dirty) return undefined
    this.#dirty = false
    const usage: Record<string, Usage[string]> = {}
    for (const [name, windows] of this.#used) {
      const kept = [...windows.keys()].map((window) => [window, [...this.#slotsOf(name, window)]])
      usage[name] = Object.fromEntries(kept)
    }
    return usage
  }

  #windowsOf(name: string): Map<WindowName, Slots> {
    let windows = this.#used.get(name)
    if (!windows) {
      windows = new Map()
      this.#used.set(name, windows)
    }
    return windows
  }

  /** Without what is over. */
  #slotsOf(name: string, window: WindowName): Slots {
    const windows = this.#windowsOf(name)
    const slots = windows.get(window) ?? new Map<number, number>()
    windows.set(window, slots)
    const now = this.#slotNow(window)
    // Slots of the future are what a clock that was set back has left.
    for (const slot of slots.keys()) if (slot <= now - SLOTS || slot > now) slots.delete(slot)
    return slots
  }

  #slotNow(window: WindowName): number {
    return Math.floor(this.#clock.now() / (WINDOWS[window].ms / SLOTS))
  }
}

function total(slots: Slots): number {
  let sum = 0
  for (const count of slots.values()) sum += count
  return sum
}
