// What the octets of a message say about it, in one pass over its chunks: whether it may travel at
// all (RFC 5321 §2.3.8: CR and LF only together; §4.5.3.1.6: lines of 1,000 octets with CRLF), and
// whether it needs 8BITMIME.

const CR = 0x0d
const LF = 0x0a

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
    for (; i < length; i++) {
      const octet = chunk[i]!
      high |= octet
      if (octet > CR) continue
      if (octet === CR) {
        if (i + 1 === length) {
          this.#afterCr = true
          break
        }
        if (chunk[i + 1] !== LF) {
          this.#bareCr = true
          continue
        }
        const line = open + i - lineStart
        if (line > this.#longest) this.#longest = line
        i++
        lineStart = i + 1
        open = 0
      } else if (octet === LF) this.#bareLf = true
      else if (octet === 0) this.#nul = true
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
      eightBit: this.#high > 0x7f,
    }
  }
}
