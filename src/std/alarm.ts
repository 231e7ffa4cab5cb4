import type { Clock, Timer } from './clock.ts'

/**
 * One timer for everything that has a deadline: it rings at the earliest that was asked for. Moving
 * a deadline back costs nothing, for the owner looks again when it rings.
 */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #timer: Timer | undefined
  #at = Number.POSITIVE_INFINITY

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Rings at `deadline` (in the time of Clock.elapsed) or before; then it is off until the next call. */
  by(deadline: number): void {
    if (deadline >= this.#at) return
    this.#timer?.cancel()
    this.#at = deadline
    this.#timer = this.#clock.after(deadline - this.#clock.elapsed(), () => {
      this.off()
      this.#ring()
    })
  }

  off(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#at = Number.POSITIVE_INFINITY
  }
}
