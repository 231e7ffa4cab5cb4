// Our signature room. canonical.ts turns a message into the octets that are signed, signature.ts
// writes and reads the DKIM-Signature field, sign.ts and verify.ts put the two together, keys.ts and
// keyring.ts hold the keys. The body is hashed chunk by chunk while it arrives; the header is short
// and handled as a latin-1 string, one character an octet.
//
// What can go wrong: a verifier that canonicalises differently sees a broken signature. So every rule
// here is checked against the samples of RFC 6376 and RFC 8463 and against three other
// implementations; chunk borders may fall anywhere, and empty lines are counted, never buffered.

import { createHash, type Hash } from 'node:crypto'
import type { Untidy } from '../mail/lines.ts'

export type Canonicalization = 'simple' | 'relaxed'

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32

/** Input is worked on in pieces of this size, so the output buffer stays in the processor's cache. */
const PIECE = 8192
/** More CRLFs in a row than this are written apart. */
const MOST_LINES = 256

/** The work space of body hashers; one serves any number of them, for no octet stays in it between calls. */
export function hashingScratch(): Uint8Array {
  return new Uint8Array(PIECE + 2 * MOST_LINES + 2)
}

/** What has been read of a body and not yet written. */
type Held = {
  /** CRLFs: those at the end of the body are never written. */
  lines: number
  /** White space: before a CRLF it is never written (relaxed only). */
  space: boolean
  /** How many octets the last call of relax wrote. */
  written: number
}

/** SHA-256 of a body's canonical form, fed in chunks split anywhere (RFC 6376 §3.4.3, §3.4.4, §3.7). */
export class BodyHasher {
  readonly #hash: Hash = createHash('sha256')
  readonly #relaxed: boolean
  readonly #out: Uint8Array
  readonly #held: Held = { lines: 0, space: false, written: 0 }
  /** The last chunk ended with CR. */
  #cr = false
  #any = false

  constructor(canonicalization: Canonicalization, scratch: Uint8Array) {
    this.#relaxed = canonicalization === 'relaxed'
    this.#out = scratch
  }

  /** @param untidy as LineCheck found it; the rest is hashed as it is, without looking at each octet */
  update(chunk: Uint8Array, untidy: Untidy = { from: 0, to: chunk.length }): void {
    if (chunk.length === 0) return
    let from = 0
    if (this.#cr) {
      this.#cr = false
      if (chunk[0] === LF) {
        this.#held.lines++
        this.#held.space = false
        from = 1
      } else this.#loneCr()
    }
    let to = chunk.length
    if (to > from && chunk[to - 1] === CR) {
      this.#cr = true
      to--
    }
    if (this.#relaxed) from = this.#tidy(chunk, { from, to }, untidy)
    this.#keep(chunk, from, to)
  }

  /** The hash in base64, as `bh=` wants it. The hasher is of no use afterwards. */
  digest(): string {
    if (this.#cr) this.#loneCr()
    if (this.#any || !this.#relaxed) this.#hash.update('\r\n')
    return this.#hash.digest('base64')
  }

  /** Hashes up to the end of what is untidy; returns where the rest begins. */
  #tidy(chunk: Uint8Array, { from, to }: Untidy, untidy: Untidy): number {
    const held = this.#held
    if (!held.space && untidy.from >= untidy.to) return from
    let at = from
    if (!held.space && untidy.from > from) {
      at = Math.min(untidy.from, to)
      this.#keep(chunk, from, at)
    }
    // White space that is pending at its end belongs to it, with the octet that follows.
    while (at < to && (at < untidy.to || held.space)) {
      at = this.#relax(chunk, at, Math.min(at + PIECE, at < untidy.to ? untidy.to : at + 1, to))
    }
    return at
  }

  #relax(chunk: Uint8Array, from: number, to: number): number {
    const held = this.#held
    const stop = relax(chunk, from, to, this.#out, held)
    if (held.written > 0) {
      this.#hash.update(this.#out.subarray(0, held.written))
      this.#any = true
    }
    if (stop < to) this.#writeLines()
    return stop
  }

  /** Simple: everything as it is, but for the CRLFs at the end. */
  #keep(chunk: Uint8Array, from: number, to: number): void {
    let end = to
    while (end - 2 >= from && chunk[end - 1] === LF && chunk[end - 2] === CR) end -= 2
    if (end > from) {
      this.#release()
      this.#hash.update(chunk.subarray(from, end))
    }
    this.#held.lines += (to - end) / 2
  }

  #loneCr(): void {
    this.#release()
    this.#hash.update('\r')
  }

  #release(): void {
    if (this.#held.lines > 0) this.#writeLines()
    if (this.#held.space) this.#hash.update(' ')
    this.#held.space = false
    this.#any = true
  }

  #writeLines(): void {
    for (let left = this.#held.lines; left > 0; left -= PIECE) {
      this.#hash.update('\r\n'.repeat(Math.min(left, PIECE)))
    }
    this.#held.lines = 0
    this.#any = true
  }
}

/**
 * Writes the relaxed form of chunk[from, to) to `out` and returns where it stopped: `to`, one more
 * when a CRLF lay across it, or earlier when there are more held lines than `out` has room for.
 */
function relax(chunk: Uint8Array, from: number, to: number, out: Uint8Array, held: Held): number {
  let lines = held.lines
  let space = held.space
  let o = 0
  let i = from
  while (i < to) {
    let c = chunk[i]!
    if (c === SPACE || c === TAB) {
      space = true
      i++
      continue
    }
    if (c === CR && chunk[i + 1] === LF) {
      lines++
      space = false
      i += 2
      continue
    }
    if (lines > 0) {
      if (lines > MOST_LINES) break
      for (; lines > 0; lines--) {
        out[o++] = CR
        out[o++] = LF
      }
    }
    if (space) {
      out[o++] = SPACE
      space = false
    }
    out[o++] = c
    i++
    while (i < to && (c = chunk[i]!) > SPACE) {
      out[o++] = c
      i++
    }
    // The usual single space between two words.
    if (c === SPACE && i + 1 < to && chunk[i + 1]! > SPACE) {
      out[o++] = SPACE
      i++
    }
  }
  held.lines = lines
  held.space = space
  held.written = o
  return i
}

/**
 * One header field in relaxed form, without its CRLF (RFC 6376 §3.4.2).
 * @param field name, colon and value as they stand in the message, latin-1, with or without the CRLF
 */
export function relaxField(field: string): string {
  const colon = field.indexOf(':')
  const name = withoutBlanks(field.slice(0, colon)).toLowerCase()
  const value = field.slice(colon + 1)
  // A CRLF inside a field is followed by white space, so unfolding and reducing are one step.
  const reduced = /[\t\r\n]| {2}/.test(value) ? value.replace(/[ \t\r\n]+/g, ' ') : value
  return `${name}:${withoutBlanks(reduced)}`
}

/** String.trim would take 0xA0 too, which may be the second half of a letter. */
function withoutBlanks(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isBlank(c: number): boolean {
  return c === SPACE || c === TAB || c === CR || c === LF
}

/** One header field in its canonical form, without its CRLF. */
export function canonicalField(field: string, canonicalization: Canonicalization): string {
  if (canonicalization === 'relaxed') return relaxField(field)
  return field.endsWith('\r\n') ? field.slice(0, -2) : field
}
