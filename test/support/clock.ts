import type { Clock, Timer } from '../../src/std/clock.ts'

type Waiting = { readonly at: number; readonly order: number; readonly then: () => void }

/** 2026-01-05 12:00 UTC, a Monday. */
export const MANUAL_START = Date.UTC(2026, 0, 5, 12)

/**
 * A clock that tests drive. `advance` lets time pass, timers in their order; `step` sets only the
 * wall clock, as an administrator or NTP would.
 */
export class ManualClock implements Clock {
  /** Awaited after every timer: give it what makes the system under test come to rest. */
  settle: () => Promise<void> = turns
  #wall: number
  #elapsed = 0
  #order = 0
  readonly #waiting = new Set<Waiting>()

  constructor(start: number = MANUAL_START) {
    this.#wall = start
  }

  readonly now = (): number => this.#wall + this.#elapsed
  readonly elapsed = (): number => this.#elapsed

  readonly after = (ms: number, then: () => void): Timer => {
    const waiting = { at: this.#elapsed + Math.max(ms, 0), order: this.#order++, then }
    this.#waiting.add(waiting)
    return { cancel: () => void this.#waiting.delete(waiting) }
  }

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = () => {
        timer.cancel()
        reject(signal?.reason)
      }
      const timer = this.after(ms, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      signal?.addEventListener('abort', abort, { once: true })
    })

  /** How many timers wait. */
  get timers(): number {
    return this.#waiting.size
  }

  /** Sets the wall clock forward or back; no time passes. */
  step(ms: number): void {
    this.#wall += ms
  }

  /** Lets `ms` milliseconds pass. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms
    await this.settle()
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#waiting.delete(next)
      this.#elapsed = Math.max(this.#elapsed, next.at)
      next.then()
      await this.settle()
    }
    this.#elapsed = until
    await this.settle()
  }

  #next(until: number): Waiting | undefined {
    let first: Waiting | undefined
    for (const waiting of this.#waiting) {
      if (waiting.at > until) continue
      if (
        !first ||
        waiting.at < first.at ||
        (waiting.at === first.at && waiting.order < first.order)
      )
        first = waiting
    }
    return first
  }
}

/** Some turns of the event loop: enough for promises and immediate callbacks to run. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}
