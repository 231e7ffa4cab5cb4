// What the octets of a message say about it, in one pass over its chunks: whether it may travel at
// all (RFC 5321 §2.3.8: CR and LF only together; §4.5.3.1.6: lines of 1,000 octets with CRLF), and
// whether it needs 8BITMIME.

const CR = 0x0d
const LF = 0x0a
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
}

/** Looks at content chunk by chunk, however it is split. */
export class LineCheck {
  #octets = 0
  #high = 0
  #longest = 0
  #open = 0 // octets of the line that earlier chunks left open
  #afterCr = false
  #bareCr = false
  #bareLf = false
  #nul = false

  push(chunk: Uint8Array): void {
    const length = chunk.length
    if (length === 0) return
    let i = this.#afterCr ? this.#closeLine(chunk[0]!) : 0
    let lineStart = i // less what is still open from before
    let open = this.#open
    let high = this.#high
    const view =
      length < FEW ? undefined : new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    while (i < length) {
      if (view && i + 4 <= length) {
        const four = view.getInt32(i, true)
        if (allAboveCr(four)) {
          high |= four
          i += 4
          continue
        }
      }
      const octet = chunk[i]!
      high |= octet
      if (octet === CR) {
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
        } else this.#bareCr = true
      } else if (octet === LF) this.#bareLf = true
      else if (octet === 0) this.#nul = true
      i++
    }
    this.#open = open + (this.#afterCr ? length - 1 : length) - lineStart
    this.#high = high
    this.#octets += length
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
    }
  }
}

const HIGH_BITS = 0x80808080

/**
 * Is each of the four octets above CR, so that none is CR, LF or NUL? The sums stay within their
 * octets: seven bits of each and 0x72 have the high bit set from 0x0e on.
 */
export function allAboveCr(four: number): boolean {
  return (~(((four & 0x7f7f7f7f) + 0x72727272) | four) & HIGH_BITS) === 0
}
