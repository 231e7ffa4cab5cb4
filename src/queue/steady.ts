// Time for the queue, when the wall clock may be set while we run. Two questions, two answers:
//
// - "Is it due?" is asked of now(): the wall clock without its forward jumps. After a jump of a day
//   it catches up half as fast again as time, so retries come less than twice as often as usual;
//   after a backward step it follows at once, and the scheduler draws in what would wait too long.
// - "Is it too old?" is asked of age(): the time that really passed since acceptance, as far as this
//   process can know. Every step is remembered together with the newest message before it.
//
// A restart forgets both: then the wall clock is all we have.

import type { Message, MessageId } from '../mail/message.ts'
import type { Clock } from '../std/clock.ts'

/** Smaller differences are slewing, rounding or a slow tick: the wall clock is followed. */
const TOLERANCE_MS = 5_000
/** While it is behind, the queue's clock goes this much faster than time. */
const CATCH_UP_SPEED = 1.5
const MOST_STEPS = 64

type Step = { readonly newest: number; readonly by: number }

export class SteadyTime {
  readonly #clock: Clock
  #value: number
  #wall: number
  #elapsed: number
  #newest = 0
  #steps: Step[] = []
  #backward = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.#value = clock.now()
    this.#wall = this.#value
    this.#elapsed = clock.elapsed()
  }

  /** Milliseconds since 1970 for due times. */
  now(): number {
    const wall = this.#clock.now()
    const elapsed = this.#clock.elapsed()
    const passed = elapsed - this.#elapsed
    const step = wall - this.#wall - passed
    if (Math.abs(step) > TOLERANCE_MS) this.#remember(step)
    const expected = this.#value + passed
    if (wall < expected - TOLERANCE_MS) {
      this.#value = wall
      this.#backward = true
    } else if (wall <= expected + TOLERANCE_MS) {
      this.#value = Math.max(this.#value, wall)
    } else {
      this.#value = Math.min(wall, this.#value + passed * CATCH_UP_SPEED)
    }
    this.#wall = wall
    this.#elapsed = elapsed
    return this.#value
  }

  /** How far now() is behind the wall clock after a jump, in milliseconds; 0 as a rule. */
  lag(): number {
    const lag = this.#clock.now() - this.now()
    return lag > TOLERANCE_MS ? lag : 0
  }

  /** True once after now() went backward. */
  wentBack(): boolean {
    const went = this.#backward
    this.#backward = false
    return went
  }

  /** How long ago the message was accepted, in milliseconds, without what steps of the clock added. */
  age(message: Message): number {
    this.now()
    let age = this.#wall - message.acceptedAt
    for (const step of this.#steps) if (message.id <= step.newest) age -= step.by
    return age
  }

  /** Tells which messages there are before the next step: ids only grow. */
  saw(message: MessageId): void {
    if (message > this.#newest) this.#newest = message
  }

  #remember(by: number): void {
    this.#steps.push({ newest: this.#newest, by })
    if (this.#steps.length > MOST_STEPS) this.#merge()
  }

  /** Two oldest steps become one; a message between them is then judged as if before both. */
  #merge(): void {
    const [first, second, ...rest] = this.#steps
    if (first && second)
      this.#steps = [{ newest: second.newest, by: first.by + second.by }, ...rest]
  }
}
