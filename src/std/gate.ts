import type { Clock } from './clock.ts'

/** Lets a bounded number in at a time; the others wait in line. */
export class Gate {
  readonly #limit: number
  #inside = 0
  #line: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.length
  }

  /** Runs `work` when there is room; settles as it does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#limit) await new Promise<void>((enter) => this.#line.push(enter))
    else this.#inside++
    try {
      return await work()
    } finally {
      // Who is next takes our place, so that nobody slips in between.
      const next = this.#line.shift()
      if (next) next()
      else this.#inside--
    }
  }
}

/** So many at once, refilled evenly over time. */
export class TokenBucket {
  readonly #clock: Clock
  readonly #capacity: number
  readonly #perSecond: number
  #tokens: number
  #at: number

  constructor(clock: Clock, options: { readonly capacity: number; readonly perSecond: number }) {
    this.#clock = clock
    this.#capacity = options.capacity
    this.#perSecond = options.perSecond
    this.#tokens = options.capacity
    this.#at = clock.elapsed()
  }

  /** Takes one token; false, and nothing taken, when there is none. */
  take(): boolean {
    this.#refill()
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** Milliseconds until take() can succeed. */
  get waitMs(): number {
    this.#refill()
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000)
  }

  #refill(): void {
    const now = this.#clock.elapsed()
    const gained = ((now - this.#at) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#capacity, this.#tokens + gained)
    this.#at = now
  }
}
