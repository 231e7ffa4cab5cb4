import type { Site } from './site.ts'

/** The sites that rest, and when the first of them wakes. */
export class Rests {
  readonly #sites = new Set<Site>()
  #wakeAt = Number.POSITIVE_INFINITY

  get size(): number {
    return this.#sites.size
  }

  /** On the monotonic clock: no rest ends before this. */
  get wakeAt(): number {
    return this.#wakeAt
  }

  add(site: Site): void {
    this.#sites.add(site)
    this.#wakeAt = Math.min(this.#wakeAt, site.restUntil)
  }

  /** Ends the rests that are over at `now`; infinite: all. Returns whose they were. */
  wake(now: number): Site[] {
    if (now < this.#wakeAt) return []
    const woken: Site[] = []
    this.#wakeAt = Number.POSITIVE_INFINITY
    for (const site of this.#sites) {
      if (site.restUntil > now) this.#wakeAt = Math.min(this.#wakeAt, site.restUntil)
      else {
        this.#sites.delete(site)
        site.wake()
        woken.push(site)
      }
    }
    // Thousands of resting sites are looked through less often, not once for every end of a rest.
    this.#wakeAt = Math.max(this.#wakeAt, now + this.#sites.size / 100)
    return woken
  }
}
