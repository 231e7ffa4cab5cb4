// What a connection has received and nobody has read yet, as lines or as chunks. Pure: no socket,
// no time. Lines are cut without copying unless they lie across chunks, and then all that came is
// joined once, so that a peer sending octet by octet costs no more than one sending at once.

import { slimmed } from './slim.ts'

/**
 * What ends a line. `crlf`: CRLF alone, anything else is malformed (RFC 5321 §2.3.8).
 * `first-decides`: the first line says whether it is `crlf` or `lf` for the whole session, so a
 * person with nc can talk to us and yet no session ever has two kinds of line end.
 * `either`: replies of careless servers.
 */
export type LineEnding = 'crlf' | 'lf' | 'first-decides' | 'either'

/** Why a line cannot be had; it has been dropped. */
export type LineFault =
  | 'too long'
  | 'without end'
  | 'bare line feed'
  | 'mixed line ends'
  | 'not UTF-8'

/** A line is longer than allowed; it has been read to its end and dropped. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong'
}

/** A line that must not be read; it has been dropped. */
export class LineMalformed extends Error {
  override readonly name = 'LineMalformed'
  readonly fault: LineFault
  constructor(fault: LineFault) {
    super(fault)
    this.fault = fault
  }
}

const NOTHING = Buffer.alloc(0)
/** Of a line that is too long so many octets are read and dropped; who sends more may do so for ever. */
const MOST_SKIPPED = 65_536
const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const HIGH_OCTET = /[\x80-\xff]/
/** A byte order mark is no part of SMTP: it stays in the line, which is then no command. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class Input {
  /** Unread octets. */
  size = 0
  lineEnding: LineEnding
  /** The newest line that takeLine() could not give. */
  fault: LineFault | undefined
  #head: Buffer = NOTHING
  #at = 0
  #tail: Buffer[] = []
  /** The head has no line feed: look at the tail only. */
  #barren = false
  /** An over-long line is being dropped: so many octets of it are gone. */
  #skipped: number | undefined

  constructor(lineEnding: LineEnding) {
    this.lineEnding = lineEnding
  }

  /** Takes what the socket read, which is not to be used any more; returns what is kept of it. */
  push(read: Buffer): Buffer {
    const chunk = slimmed(read)
    this.size += chunk.length
    if (this.#at === this.#head.length) {
      this.#head = chunk
      this.#at = 0
      this.#barren = false
    } else {
      this.#tail.push(chunk)
    }
    return chunk
  }

  /**
   * The next line without its end. Undefined either because it is not complete (`fault` is undefined)
   * or because it must not be read (`fault` says why, and the line is gone).
   * @param maxBytes with the line's end; of a longer line nothing is kept
   */
  takeLine(maxBytes: number): string | undefined {
    this.fault = undefined
    if (this.size === 0) return undefined
    const lineFeed = this.#findLineFeed()
    if (lineFeed < 0) return this.#wait(maxBytes)
    const start = this.#at
    const head = this.#head
    this.#consume(lineFeed + 1 - start)
    if (this.#skipped !== undefined || lineFeed + 1 - start > maxBytes) {
      this.#skipped = undefined
      return this.#fail('too long')
    }
    return this.#decode(head, start, lineFeed)
  }

  /** Whether this chunk can complete the line that takeLine() could not give. */
  worthLooking(chunk: Buffer, maxBytes: number): boolean {
    return this.size > maxBytes || this.#skipped !== undefined || chunk.includes(LINE_FEED)
  }

  /** All octets of one arrival; empty when there are none. */
  takeChunk(): Buffer {
    const chunk = this.#at === 0 ? this.#head : this.#head.subarray(this.#at)
    this.#consume(chunk.length)
    return chunk
  }

  /** Gives back the end of what takeChunk() returned. */
  unread(rest: Buffer): void {
    if (rest.length === 0) return
    if (this.#at < this.#head.length) this.#tail.unshift(this.#head.subarray(this.#at))
    this.#head = rest
    this.#at = 0
    this.#barren = false
    this.size += rest.length
  }

  clear(): void {
    this.#head = NOTHING
    this.#at = 0
    this.#tail = []
    this.size = 0
  }

  /** The line is not complete. */
  #wait(maxBytes: number): undefined {
    if (this.#skipped === undefined && this.size <= maxBytes) return undefined
    this.#skipped = (this.#skipped ?? 0) + this.size
    this.clear()
    return this.#skipped > MOST_SKIPPED ? this.#fail('without end') : undefined
  }

  #consume(octets: number): void {
    this.#at += octets
    this.size -= octets
    if (this.#at < this.#head.length) return
    this.#head = this.#tail.shift() ?? NOTHING
    this.#at = 0
    this.#barren = false
  }

  /** Where the next line feed is in the head; -1 when there is none in all that came. */
  #findLineFeed(): number {
    if (!this.#barren) {
      const found = this.#head.indexOf(LINE_FEED, this.#at)
      if (found >= 0) return found
      this.#barren = true
    }
    if (this.#tail.length === 0) return -1
    const searched = this.#head.length - this.#at
    this.#head = Buffer.concat([this.#head.subarray(this.#at), ...this.#tail])
    this.#at = 0
    this.#tail = []
    const found = this.#head.indexOf(LINE_FEED, searched)
    this.#barren = found < 0
    return found
  }

  #decode(head: Buffer, start: number, lineFeed: number): string | undefined {
    const carriageReturn = lineFeed > start && head[lineFeed - 1] === CARRIAGE_RETURN
    if (this.lineEnding === 'first-decides') this.lineEnding = carriageReturn ? 'crlf' : 'lf'
    if (this.lineEnding === 'crlf' && !carriageReturn) return this.#fail('bare line feed')
    if (this.lineEnding === 'lf' && carriageReturn) return this.#fail('mixed line ends')
    const end = carriageReturn ? lineFeed - 1 : lineFeed
    const text = head.toString('latin1', start, end)
    if (!HIGH_OCTET.test(text)) return text
    try {
      return strictUtf8.decode(head.subarray(start, end))
    } catch {
      return this.lineEnding === 'either' ? text : this.#fail('not UTF-8')
    }
  }

  #fail(fault: LineFault): undefined {
    this.fault = fault
    return undefined
  }
}
