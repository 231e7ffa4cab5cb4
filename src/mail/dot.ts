// The end of data and the dots that hide it (RFC 5321 §4.5.2), over whole chunks: nothing is copied
// and no line becomes a string. Only CR LF . CR LF ends a message; every look-alike is content
// (LineCheck tells of it), so that no two servers can disagree about where a message ends
// (CVE-2023-51764 and its kin).

import { allAboveCr } from './lines.ts'

const CR = 0x0d
const LF = 0x0a
const DOT = 0x2e
const CRLF_DOT = Buffer.from('\r\n.')
const ONE_DOT = Buffer.from('.')
const ONE_CR = Buffer.from('\r')
const DOT_LINE = Buffer.from('.\r\n')
const CRLF_DOT_LINE = Buffer.from('\r\n.\r\n')

/** What a chunk held. */
export type DotResult = {
  /** The content in it, without the dots that were stuffed; parts of the chunk, not copies. */
  readonly pieces: Uint8Array[]
  /** The offset in the chunk after the end of data; undefined when that is still to come. */
  readonly end: number | undefined
}

/**
 * Where the reader stands between chunks: how much of CR LF . CR LF it has seen. A CR LF before a
 * dot is content whatever follows, and is handed on at once; the dot is never content; only a CR
 * after it is kept back until the next octet tells what it was.
 */
type Place = 'inside' | 'after CR' | 'line start' | 'after dot' | 'after dot CR'

/**
 * Finds the end of a message that arrives in chunks, and removes the stuffed dots. The CRLF before
 * the final dot belongs to the content. One reader reads one message.
 */
export class DotReader {
  #place: Place = 'line start'

  /** Takes the next chunk. Its octets must stay as they are while the pieces are in use. */
  push(chunk: Uint8Array): DotResult {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    const pieces: Uint8Array[] = []
    const resumed = this.#resume(bytes, pieces)
    if (resumed.end !== undefined || this.#place !== 'inside') return { pieces, end: resumed.end }
    let from = resumed.from // what was not yet handed on
    let at = resumed.at
    for (;;) {
      const found = bytes.indexOf(CRLF_DOT, at)
      if (found < 0) break
      pieces.push(bytes.subarray(from, found + 2))
      from = found + 3
      at = from
      if (from === bytes.length) {
        this.#place = 'after dot'
        return { pieces, end: undefined }
      }
      if (bytes[from] !== CR) continue
      if (from + 1 === bytes.length) {
        this.#place = 'after dot CR'
        return { pieces, end: undefined }
      }
      if (bytes[from + 1] === LF) return { pieces, end: from + 2 }
    }
    if (from < bytes.length) {
      pieces.push(from === 0 ? chunk : bytes.subarray(from))
      this.#place = placeAfter(bytes)
    }
    return { pieces, end: undefined }
  }

  /**
   * Goes on with a CR LF . CR LF that an earlier chunk began, octet by octet, until the place is
   * 'inside' again or the chunk is over. What lies before `at` is decided; from `from` on nothing
   * has been handed on.
   */
  #resume(bytes: Buffer, pieces: Uint8Array[]): { from: number; at: number; end?: number } {
    let from = 0
    let at = 0
    for (; at < bytes.length && this.#place !== 'inside'; at++) {
      const octet = bytes[at]
      switch (this.#place) {
        case 'after CR':
          if (octet !== CR) this.#place = octet === LF ? 'line start' : 'inside'
          break
        case 'line start':
          if (octet === DOT) {
            if (from < at) pieces.push(bytes.subarray(from, at))
            from = at + 1
            this.#place = 'after dot'
          } else this.#place = octet === CR ? 'after CR' : 'inside'
          break
        case 'after dot':
          this.#place = octet === CR ? 'after dot CR' : 'inside'
          if (octet === CR) from = at + 1
          break
        case 'after dot CR':
          if (octet === LF) return { from, at, end: at + 1 }
          pieces.push(ONE_CR) // a bare CR after a stuffed dot: content after all
          this.#place = octet === CR ? 'after CR' : 'inside'
      }
    }
    if (this.#place !== 'inside' && from < bytes.length) pieces.push(bytes.subarray(from))
    return { from, at }
  }
}

function placeAfter(bytes: Buffer): Place {
  const last = bytes[bytes.length - 1]
  if (last === CR) return 'after CR'
  return last === LF && bytes[bytes.length - 2] === CR ? 'line start' : 'inside'
}

/** Content that must not leave: it has a bare CR, a bare LF or a NUL (RFC 5321 §2.3.8 and §4.1.1.4). */
export class UnsafeContent extends Error {
  override readonly name = 'UnsafeContent'
}

/**
 * Writes content for DATA: stuffs dots over any split of chunks, adds a missing final CRLF, ends
 * with the dot line, and throws UnsafeContent rather than let a bare CR, bare LF or NUL leave.
 */
export class DotStuffer {
  #last = LF // as if a line had just ended

  /** The pieces to write for this chunk: parts of it, with dots between them. */
  push(chunk: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = []
    const length = chunk.length
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let last = this.#last
    let from = 0
    let i = 0
    while (i < length) {
      if (last > CR && i + 4 <= length && allAboveCr(view.getInt32(i, true))) {
        i += 4
        last = DOT // any octet above CR will do
        continue
      }
      const octet = chunk[i]!
      if ((last === CR) !== (octet === LF)) throw new UnsafeContent('bare CR or LF in content')
      if (octet === 0) throw new UnsafeContent('NUL in content')
      if (octet === DOT && last === LF) {
        if (from < i) pieces.push(chunk.subarray(from, i))
        pieces.push(ONE_DOT)
        from = i
      }
      last = octet
      i++
    }
    this.#last = last
    if (from < length) pieces.push(from === 0 ? chunk : chunk.subarray(from))
    return pieces
  }

  /** The octets after the last chunk: the dot line, with the CRLF that the content may lack. */
  end(): Uint8Array {
    if (this.#last === CR) throw new UnsafeContent('bare CR at the end of content')
    return this.#last === LF ? DOT_LINE : CRLF_DOT_LINE
  }
}
