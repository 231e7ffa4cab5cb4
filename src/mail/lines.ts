// What the octets of a message say about it, in one pass over its chunks: whether it may travel at
// all (RFC 5321 §2.3.8: CR and LF only together; §4.5.3.1.6: lines of 1,000 octets with CRLF), and
// whether it needs 8BITMIME. In the same pass: what signing and sending need to know, where white
// space is not tidy, and whether a line begins with a dot, so that nobody looks at each octet again.

import type { LineScan } from './line-scan.ts'

const CR = 0x0d
const LF = 0x0a
const TAB = 0x09
const SPACE = 0x20
const DOT = 0x2e
const HIGH_BITS = 0x80808080
/** Fewer octets than this are not worth a view of them. */
const FEW = 64

export type LineReport = {
  readonly octets: number
  /** Of the longest line, without its CRLF. */
  readonly longestLine: number
  readonly bareCr: boolean
  readonly bareLf: boolean
  readonly nul: boolean
  /** Some octet has its high bit set. */
  readonly eightBit: boolean
  /** Some line begins with a dot. */
  readonly dotted: boolean
  /** The last line has its CRLF. */
  readonly closed: boolean
}

/**
 * Where white space stands in a chunk that is more than one space between two other octets: a tab,
 * a run, or a space before a line's end. Outside of these offsets relaxed canonicalization (RFC 6376
 * §3.4.4) changes nothing but the ends of the body. Both are 0 when there is none.
 */
export type Untidy = { readonly from: number; readonly to: number }

/** Looks at content chunk by chunk, however it is split. */
export class LineCheck {
  /** Of the newest chunk. */
  untidy: Untidy = TIDY
  #octets = 0
  #high = 0
  #longest = 0
  #open = 0 // octets of the line that earlier chunks left open
  #afterCr = false
  #bareCr = false
  #bareLf = false
  #nul = false
  #dotted = false
  readonly #scan: LineScan | undefined

  /** @param scan looks at the usual chunk faster; it says the same */
  constructor(scan?: LineScan) {
    this.#scan = scan
  }

  push(chunk: Uint8Array): void {
    const length = chunk.length
    this.untidy = TIDY
    if (length === 0) return
    if (this.#scan && length >= FEW && !this.#afterCr && this.#pushWhole(chunk, this.#scan)) return
    let i = this.#afterCr ? this.#closeLine(chunk[0]!) : 0
    let lineStart = i // less what is still open from before
    let open = this.#open
    if (open === 0 && chunk[i] === DOT) this.#dotted = true
    let high = this.#high
    let untidyFrom = -1
    let untidyTo = 0
    const view =
      length < FEW ? undefined : new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    // Four octets at a time while each of them has one after it.
    const fours = view ? length - 5 : -1
    while (i < length) {
      if (i <= fours) {
        const four = view!.getInt32(i, true)
        const blank = blanks(four)
        if (blank === 0 || allAboveCr(four)) {
          if (blank !== 0 && (blank & blanks(view!.getInt32(i + 1, true))) !== 0) {
            if (untidyFrom < 0) untidyFrom = i
            untidyTo = i + 4
          }
          high |= four
          i += 4
          continue
        }
      }
      const octet = chunk[i]!
      if (octet > SPACE) high |= octet
      else if (octet === CR) {
        if (i + 1 === length) {
          this.#afterCr = true
          break
        }
        if (chunk[i + 1] === LF) {
          const line = open + i - lineStart
          if (line > this.#longest) this.#longest = line
          i++
          lineStart = i + 1
          open = 0
          if (chunk[lineStart] === DOT) this.#dotted = true
        } else this.#bareCr = true
      } else if (octet === LF) this.#bareLf = true
      else if (octet === 0) this.#nul = true
      else if (octet === TAB || i + 1 === length || chunk[i + 1]! <= SPACE) {
        if (untidyFrom < 0) untidyFrom = i
        untidyTo = i + 1
      }
      i++
    }
    this.#open = open + (this.#afterCr ? length - 1 : length) - lineStart
    this.#high = high
    this.#octets += length
    if (untidyFrom >= 0) this.untidy = { from: untidyFrom, to: untidyTo }
  }

  /** False when there is something in it that must be looked at octet by octet. */
  #pushWhole(chunk: Uint8Array, scan: LineScan): boolean {
    const seen = scan(chunk, this.#open)
    if (!seen) return false
    if (seen.dotted || (this.#open === 0 && chunk[0] === DOT)) this.#dotted = true
    if (seen.eightBit) this.#high |= HIGH_BITS
    if (seen.longest > this.#longest) this.#longest = seen.longest
    this.#open = seen.open
    this.#octets += chunk.length
    const { untidyFrom: from, untidyTo: to } = seen
    if (to > 0) this.untidy = { from, to }
    return true
  }

  /** A CR ended the last chunk: decides what it was; returns how many octets of this chunk that took. */
  #closeLine(next: number): 0 | 1 {
    this.#afterCr = false
    if (next !== LF) {
      this.#bareCr = true
      this.#open++ // it is an octet of the line
      return 0
    }
    if (this.#open > this.#longest) this.#longest = this.#open
    this.#open = 0
    return 1
  }

  /** It must not travel, whatever follows. A CR at the very end may still get its LF. */
  get faulty(): boolean {
    return this.#bareCr || this.#bareLf || this.#nul
  }

  /** What is known after all that was pushed, as if the content ended here. */
  report(): LineReport {
    const open = this.#open + (this.#afterCr ? 1 : 0)
    return {
      octets: this.#octets,
      longestLine: Math.max(this.#longest, open),
      bareCr: this.#bareCr || this.#afterCr,
      bareLf: this.#bareLf,
      nul: this.#nul,
      eightBit: (this.#high & HIGH_BITS) !== 0,
      dotted: this.#dotted,
      closed: open === 0 && this.#octets > 0,
    }
  }
}

const TIDY: Untidy = { from: 0, to: 0 }

/**
 * Is each of the four octets above CR, so that none is CR, LF or NUL? The sums stay within their
 * octets: seven bits of each and 0x72 have the high bit set from 0x0e on.
 */
export function allAboveCr(four: number): boolean {
  return (~(((four & 0x7f7f7f7f) + 0x72727272) | four) & HIGH_BITS) === 0
}

/** The high bit of each of four octets that is a space or below it. */
function blanks(four: number): number {
  return ~(((four & 0x7f7f7f7f) + 0x5f5f5f5f) | four) & HIGH_BITS
}
