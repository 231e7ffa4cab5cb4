import type { Clock, Timer } from '../std/clock.ts'

/** One timer for all deadlines of a connection: moving a deadline back costs nothing, for the owner looks again when it rings. */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #timer: Timer | undefined
  #at = 0

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Rings at `deadline` (in the time of Clock.elapsed) or before. */
  by(deadline: number): void {
    if (this.#timer && this.#at <= deadline) return
    this.#timer?.cancel()
    this.#at = deadline
    this.#timer = this.#clock.after(deadline - this.#clock.elapsed(), () => {
      this.#timer = undefined
      this.#ring()
    })
  }

  off(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
