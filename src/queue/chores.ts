/** Things to do on the side, a few at a time: deferring the mail of a site that rests, expiring. */
export class Chores {
  readonly #atOnce: number
  readonly #rested: () => void
  #waiting: (() => Promise<void>)[] = []
  #running = 0

  /** @param rested called when the last one is done; chores must not reject */
  constructor(atOnce: number, rested: () => void) {
    this.#atOnce = atOnce
    this.#rested = rested
  }

  get busy(): boolean {
    return this.#running > 0 || this.#waiting.length > 0
  }

  add(chore: () => Promise<void>): void {
    this.#waiting.push(chore)
    while (this.#running < this.#atOnce && this.#waiting.length > 0) {
      this.#running += 1
      void this.#run()
    }
  }

  /** Forgets those that have not begun. */
  drop(): void {
    this.#waiting = []
  }

  async #run(): Promise<void> {
    for (;;) {
      const chore = this.#waiting.shift()
      if (!chore) break
      await chore()
    }
    this.#running -= 1
    if (!this.busy) this.#rested()
  }
}
