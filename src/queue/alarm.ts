import type { Clock, Timer } from '../std/clock.ts'

/** One timer for everything that has a time: it rings at the earliest moment that was asked for. */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #timer: Timer | undefined
  #at = Number.POSITIVE_INFINITY

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** @param at on the monotonic clock; a later moment than the one it is set to changes nothing */
  set(at: number): void {
    if (at >= this.#at) return
    this.#timer?.cancel()
    this.#at = at
    this.#timer = this.#clock.after(at - this.#clock.elapsed(), () => {
      this.#at = Number.POSITIVE_INFINITY
      this.#ring()
    })
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#at = Number.POSITIVE_INFINITY
  }
}
