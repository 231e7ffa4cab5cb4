// What a torment is: something that happens to a running server, and figures that say how it bore it.
// Each is a function from circumstances to figures; registry.ts lists them, main.ts runs them, and
// survival.test.ts runs their short forms. What can go wrong here is a torment that proves nothing,
// so those that rest on a method (a power cut without a power switch) carry a control.

export type Circumstances = {
  /** As long as a release wants it, or as short as every change can bear. */
  readonly full: boolean
  /** From 0 up to 1; what is drawn follows from the seed. */
  readonly random: () => number
  readonly say: (text: string) => void
}

/** One line of the report; without a bound it only tells. */
export type Figure = {
  readonly what: string
  readonly value: number
  readonly unit?: string
  readonly atMost?: number
  readonly atLeast?: number
  /** It says as much of what else the machine does: the short form tells it and does not insist. */
  readonly isPace?: true
}

export type Torment = {
  /** As in docs/reliability.md: R1, R2 … */
  readonly id: string
  readonly name: string
  readonly what: string
  /** Why it cannot be done on this machine; undefined when it can. */
  readonly obstacle?: () => string | undefined
  /** How long its short form may take. */
  readonly shortSeconds: number
  run(circumstances: Circumstances): Promise<readonly Figure[]>
}

export function isMet({ value, atMost, atLeast }: Figure): boolean {
  if (Number.isNaN(value)) return false
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast)
}

/** `<= 5 a kill`, `0`, `> 1`; empty for a figure that only tells. */
export function goalOf({ atMost, atLeast, unit }: Figure): string {
  const tail = unit === undefined ? '' : ` ${unit}`
  if (atMost === 0 && atLeast === undefined) return '0'
  if (atMost !== undefined && atMost === atLeast) return `${atMost}${tail}`
  if (atMost !== undefined) return `<= ${atMost}${tail}`
  if (atLeast !== undefined) return `>= ${atLeast}${tail}`
  return ''
}

/** The value as people read it. */
export function measuredOf({ value, unit }: Figure): string {
  const text = Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(2)
  return unit === undefined ? text : `${text} ${unit}`
}

/** Numbers from 0 up to 1 that follow from the seed alone (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
