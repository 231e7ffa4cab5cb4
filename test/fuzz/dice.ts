// Chance that can be repeated: whatever is drawn follows from the seed alone.

/** A stream of choices from one 32-bit seed (mulberry32). */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** A whole number of 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }

  /** 0 up to, not including, `limit`. */
  below(limit: number): number {
    return limit <= 1 ? 0 : this.next() % limit
  }

  /** From `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** True once in `often` draws. */
  oneIn(often: number): boolean {
    return this.below(often) === 0
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** Up to `most`, small values far more often than large ones. */
  skewed(most: number): number {
    const bits = this.below(32 - Math.clz32(most) + 1)
    return Math.min(most, this.below(2 ** bits))
  }
}

/** The seed of one run, so that it can be had again without those before it (FNV-1a). */
export function seedOf(seed: number, name: string, index: number): number {
  let hash = 0x811c9dc5 ^ seed
  for (const text of [name, String(index)])
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash | 0
}
