import assert from 'node:assert/strict'
import { LineCheck } from '../../src/mail/lines.ts'
import type { Dice } from './dice.ts'
import type { Recipe } from './octets.ts'

/** A parser, what to feed it, and what it promises. */
export type Target = Recipe & {
  readonly name: string
  /**
   * Feeds it one input and throws when a promise is broken. `dice` decides what else varies: how
   * octets become text, where chunks are cut.
   */
  readonly check: (octets: Buffer, dice: Dice) => void | Promise<void>
  /** Slow ones run less often: this part of the runs. */
  readonly share?: number
  /** Reads what only the operator writes: how long that takes is told, but no goal. */
  readonly operator?: true
}

/** Octets as text in one of the ways in which text comes: UTF-8 mostly, one character an octet, halves of characters. */
export function textOf(octets: Buffer, dice: Dice): string {
  switch (dice.below(6)) {
    case 0:
      return octets.toString('latin1')
    case 1:
      return octets.subarray(0, octets.length & ~1).toString('utf16le')
    default:
      return octets.toString('utf8')
  }
}

/** One line of a command or a field: nothing in it can end it. */
export function assertOneLine(text: string): void {
  assert.doesNotMatch(text, /[\r\n\0]/, 'a line break or NUL')
}

/** Lines that all end with CRLF, without NUL, none longer than RFC 5321 §4.5.3.1.6 allows. */
export function assertLines(octets: Uint8Array): void {
  const check = new LineCheck()
  check.push(octets)
  const { bareCr, bareLf, nul, longestLine } = check.report()
  assert.deepEqual({ bareCr, bareLf, nul }, { bareCr: false, bareLf: false, nul: false })
  assert.ok(longestLine <= 998, `a line of ${longestLine} octets`)
}

/** Runs it; true when it threw an error of this type, and everything else goes on. */
export function throwsOnly<E extends Error>(
  type: abstract new (...args: never[]) => E,
  run: () => void,
): boolean {
  try {
    run()
    return false
  } catch (error) {
    if (error instanceof type) return true
    throw error
  }
}
