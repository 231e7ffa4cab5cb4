// Inputs that a stranger might send: noise, words of the grammar in any order, and valid samples that
// were cut, flipped, spliced, repeated and nested.

import type { Dice } from './dice.ts'

/** What inputs of one parser are made from; texts are written as UTF-8. */
export type Recipe = {
  readonly samples: readonly (string | Uint8Array)[]
  readonly tokens: readonly (string | Uint8Array)[]
}

/** A recipe with its octets at hand. */
export type Larder = { readonly samples: readonly Buffer[]; readonly tokens: readonly Buffer[] }

/** The longest input. */
export const LONGEST = 65_536

/** Octets that mean something in one grammar or another. */
const TELLING = Buffer.from(
  '\0\t\n\r "%&\'()+,-./0159:;<=>?@AZ[\\]_az{}~\x7f\x80\x85\xa0\xc3\xff',
  'latin1',
)

export function larderOf(recipe: Recipe): Larder {
  const octets = (item: string | Uint8Array) =>
    typeof item === 'string' ? Buffer.from(item) : Buffer.from(item)
  return { samples: recipe.samples.map(octets), tokens: recipe.tokens.map(octets) }
}

/** One input; about one in 300 is long, up to LONGEST. */
export function inputFor(dice: Dice, larder: Larder): Buffer {
  const octets = anyInput(dice, larder)
  return octets.length > LONGEST ? octets.subarray(0, LONGEST) : octets
}

function anyInput(dice: Dice, larder: Larder): Buffer {
  if (dice.oneIn(300)) return longInput(dice, larder)
  switch (dice.below(8)) {
    case 0:
      return noise(dice, dice.skewed(400))
    case 1:
    case 2:
      return words(dice, larder, dice.skewed(40))
    case 3:
      return dice.pick(larder.samples)
    case 4:
      return repeated(dice, larder, dice.skewed(1_200))
    default:
      return mutated(dice, larder, dice.pick(larder.samples))
  }
}

function noise(dice: Dice, length: number): Buffer {
  const octets = Buffer.allocUnsafe(length)
  const ascii = dice.oneIn(2)
  for (let i = 0; i < length; i++) octets[i] = ascii ? dice.between(0x20, 0x7e) : dice.below(256)
  return octets
}

function words(dice: Dice, larder: Larder, count: number): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i < count; i++) parts.push(piece(dice, larder))
  return Buffer.concat(parts)
}

/** A word of the grammar, a telling octet, or a part of a sample. */
function piece(dice: Dice, larder: Larder): Buffer {
  const kind = dice.below(8)
  if (kind === 0) return oneOctet(dice)
  if (kind === 1 || larder.tokens.length === 0) return part(dice, dice.pick(larder.samples))
  return dice.pick(larder.tokens)
}

function oneOctet(dice: Dice): Buffer {
  const at = dice.below(TELLING.length)
  return TELLING.subarray(at, at + 1)
}

function part(dice: Dice, octets: Buffer): Buffer {
  const from = dice.below(octets.length)
  return octets.subarray(from, from + 1 + dice.skewed(octets.length - from))
}

function mutated(dice: Dice, larder: Larder, sample: Buffer): Buffer {
  let octets = sample
  for (let count = 1 + dice.skewed(7); count > 0; count--)
    octets = mutatedOnce(dice, larder, octets)
  return octets
}

function mutatedOnce(dice: Dice, larder: Larder, octets: Buffer): Buffer {
  const at = dice.below(octets.length + 1)
  const before = octets.subarray(0, at)
  switch (dice.below(9)) {
    case 0: {
      const flipped = Buffer.from(octets)
      if (at < flipped.length) flipped[at]! ^= 1 << dice.below(8)
      return flipped
    }
    case 1: {
      const replaced = Buffer.from(octets)
      if (at < replaced.length) replaced[at] = oneOctet(dice)[0]!
      return replaced
    }
    case 2:
      return Buffer.concat([before, octets.subarray(at + 1 + dice.skewed(octets.length))])
    case 3:
      return before
    case 4: {
      const again = part(dice, octets)
      return Buffer.concat([before, again, again, octets.subarray(at)])
    }
    case 5: {
      const other = dice.pick(larder.samples)
      return Buffer.concat([before, other.subarray(dice.below(other.length))])
    }
    case 6:
      return Buffer.concat([before, oneOctet(dice), octets.subarray(at)])
    default:
      return Buffer.concat([before, piece(dice, larder), octets.subarray(at)])
  }
}

/** One piece again and again: long runs, deep nesting. */
export function repeated(dice: Dice, larder: Larder, length: number): Buffer {
  const one = piece(dice, larder)
  const times = Math.max(1, Math.floor(length / Math.max(1, one.length)))
  const run = Buffer.alloc(times * one.length, one.length > 0 ? one : 0)
  switch (dice.below(4)) {
    case 0:
      return run
    case 1:
      return Buffer.concat([dice.pick(larder.samples), run])
    case 2: {
      const close = piece(dice, larder)
      return Buffer.concat([run, piece(dice, larder), Buffer.alloc(times * close.length, close)])
    }
    default: {
      const sample = dice.pick(larder.samples)
      const at = dice.below(sample.length)
      return Buffer.concat([sample.subarray(0, at), run, sample.subarray(at)])
    }
  }
}

function longInput(dice: Dice, larder: Larder): Buffer {
  const length = dice.oneIn(4) ? LONGEST : 1_024 + dice.skewed(LONGEST)
  return dice.oneIn(6)
    ? Buffer.concat([words(dice, larder, 2_000), noise(dice, 2_000)])
    : repeated(dice, larder, length)
}

/** A smaller input that still fails; at most some thousand tries. */
export async function shrunk(
  octets: Buffer,
  fails: (octets: Buffer) => boolean | Promise<boolean>,
): Promise<Buffer> {
  let best = octets
  let size = Math.ceil(best.length / 2)
  for (let tries = 0; size >= 1 && tries < 4_000; ) {
    let smaller = false
    for (let at = 0; at < best.length && tries < 4_000; tries++) {
      const without = Buffer.concat([best.subarray(0, at), best.subarray(at + size)])
      if (await fails(without)) {
        best = without
        smaller = true
      } else at += size
    }
    if (!smaller) size = Math.floor(size / 2)
  }
  return best
}

/** The input cut into chunks anywhere. */
export function chunksOf(octets: Buffer, dice: Dice): Buffer[] {
  const chunks: Buffer[] = []
  const most = dice.oneIn(3) ? 1 + dice.below(3) : 1 + dice.skewed(Math.max(1, octets.length))
  const least = Math.max(1, Math.floor(octets.length / 2_000))
  for (let at = 0; at < octets.length; ) {
    const size = Math.max(least, dice.between(dice.oneIn(40) ? 0 : 1, most))
    chunks.push(octets.subarray(at, at + size))
    at += size
  }
  return chunks
}
