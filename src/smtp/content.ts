// Reading a message's octets from a client, as DATA and as BDAT, in bounded memory. Whatever is
// wrong with a message, its octets are read to their end, so that the next command is a command; the
// two exceptions hang up: a message without end, and one whose end two servers could see in
// different places (CVE-2023-51764).

import { DotReader } from '../mail/dot.ts'
import type { LineScan } from '../mail/line-scan.ts'
import { LineCheck } from '../mail/lines.ts'
import { Refusal, refuse, reply } from '../mail/reply.ts'
import type { Clock } from '../std/clock.ts'
import type { ProtocolLimits } from './limits.ts'
import type { ContentSink } from './service.ts'
import { letGo } from './slim.ts'
import { type Wire, WireTimeout } from './wire.ts'

/** What reading is bounded by; `idleMs` is asked again for each arrival. */
export type ContentLimits = Pick<
  ProtocolLimits,
  'messageOctets' | 'contentGraceMs' | 'minimumOctetsPerSecond'
> & { readonly clock: Clock; readonly scan: LineScan | undefined; idleMs(): number }

/** RFC 5321 §4.5.3.1.6, without CRLF. */
const LONGEST_LINE = 998
/** A message so many times too big is not read to its end. */
const PATIENCE = 4
const CRLF = Buffer.from('\r\n')
/** The two clients that meet this most often. */
const FIX = 'Fix: in Python use send_message() instead of sendmail(bytes), with curl --crlf'

/** One message on its way in: hands octets to the sink until something is wrong, then drops them. */
export class Incoming {
  /** Why this message cannot be taken: the sink's error, or a Refusal of ours. */
  failure: unknown
  /** The sink's error, when that came first. */
  sinkFailure: unknown
  octets = 0
  readonly #wire: Wire
  readonly #sink: ContentSink
  readonly #limits: ContentLimits
  readonly #check: LineCheck
  readonly #startedAt: number
  /** Time that the sink took: not the client's fault. */
  #sinkMs = 0
  #lastOctet = 10

  constructor(wire: Wire, sink: ContentSink, limits: ContentLimits) {
    this.#wire = wire
    this.#sink = sink
    this.#limits = limits
    this.#check = new LineCheck(limits.scan)
    this.#startedAt = limits.clock.elapsed()
  }

  /** What came, at least one octet. Throws WireTimeout when the client is too slow. */
  arrival(): Buffer | Promise<Buffer> {
    const { clock, contentGraceMs, minimumOctetsPerSecond } = this.#limits
    const spent = clock.elapsed() - this.#startedAt - this.#sinkMs
    const earned = contentGraceMs + (this.octets / minimumOctetsPerSecond) * 1000
    if (spent >= earned) throw new WireTimeout('content comes too slowly')
    return this.#wire.readSome({ timeoutMs: Math.min(earned - spent, this.#limits.idleMs()) })
  }

  /** Hands on one piece; a promise when the sink wants us to wait. */
  take(piece: Uint8Array): Promise<void> | undefined {
    this.octets += piece.length
    this.#lastOctet = piece[piece.length - 1] ?? this.#lastOctet
    const { messageOctets } = this.#limits
    if (this.octets > messageOctets * PATIENCE) throw tooBig(messageOctets, { hangUp: true })
    if (this.failure === undefined && this.octets > messageOctets) {
      this.failure = tooBig(messageOctets, { hangUp: false })
    }
    this.#check.push(piece)
    if (this.failure !== undefined) return undefined
    try {
      const busy = this.#sink(piece, this.#check)
      return busy && this.#wait(busy)
    } catch (error) {
      this.#giveUp(error)
      return undefined
    }
  }

  /** Some line does not end in CRLF, or there is a NUL. */
  get malformed(): boolean {
    return this.#check.faulty
  }

  /** Throws what is wrong with the message, if anything. */
  async finish(): Promise<void> {
    if (this.#lastOctet !== 10) await this.take(CRLF) // BDAT may end anywhere; a message does not
    if (this.failure !== undefined) throw this.failure
    if (this.malformed) throw badLineEnds({ hangUp: false })
    const { longestLine } = this.#check.report()
    if (longestLine > LONGEST_LINE) {
      throw refuse(
        554,
        '5.6.0',
        `Error: a line of ${longestLine} octets; at most ${LONGEST_LINE} are allowed, use quoted-printable or base64`,
      )
    }
  }

  async #wait(busy: Promise<void>): Promise<void> {
    const { clock } = this.#limits
    const since = clock.elapsed()
    try {
      await busy
    } catch (error) {
      this.#giveUp(error)
    }
    this.#sinkMs += clock.elapsed() - since
  }

  #giveUp(error: unknown): void {
    this.sinkFailure = error ?? new Error('the sink failed')
    this.failure = this.sinkFailure
  }
}

/**
 * Reads DATA up to CR LF . CR LF and gives back what follows. Rejects with WireClosed, WireTimeout,
 * a Refusal, or the sink's own error (after the end of the content).
 */
export async function readContent(wire: Wire, incoming: Incoming): Promise<void> {
  const dots = new DotReader()
  const byLineFeeds = wire.lineEnding === 'lf'
  for (;;) {
    const arrived = await incoming.arrival()
    const strayCr = byLineFeeds ? arrived.indexOf(13) : -1
    const readable = strayCr < 0 ? arrived : arrived.subarray(0, strayCr)
    const chunk = byLineFeeds ? toCrlf(readable) : readable
    const { pieces, end } = dots.push(chunk)
    for (const piece of pieces) {
      await incoming.take(piece)
    }
    if (incoming.malformed || (end === undefined && strayCr >= 0)) {
      throw badLineEnds({ hangUp: true })
    }
    if (end === undefined) {
      if (incoming.failure !== undefined) letGo(arrived)
      continue
    }
    const rest = chunk.subarray(end)
    const after = byLineFeeds ? arrived.subarray(readable.length - toLineFeeds(rest).length) : rest
    wire.unread(after)
    return incoming.finish()
  }
}

/**
 * Reads one chunk of BDAT (RFC 3030 §2); what is wrong with it is in `incoming.failure`. Rejects
 * with WireClosed, WireTimeout, a Refusal.
 */
export async function readChunk(wire: Wire, octets: number, incoming: Incoming): Promise<void> {
  let left = octets
  while (left > 0) {
    const arrived = await incoming.arrival()
    if (arrived.length > left) wire.unread(arrived.subarray(left))
    const chunk = arrived.length > left ? arrived.subarray(0, left) : arrived
    left -= chunk.length
    await incoming.take(chunk)
    if (incoming.failure !== undefined && chunk === arrived) letGo(arrived)
  }
  if (incoming.malformed) incoming.failure ??= badLineEnds({ hangUp: false })
}

function tooBig(messageOctets: number, options: { hangUp: boolean }): Refusal {
  const text = `Error: message too big; the limit is ${messageOctets} octets`
  return new Refusal(reply(552, '5.3.4', text), options)
}

function badLineEnds(options: { hangUp: boolean }): Refusal {
  const text = `Error: a bare CR, a bare LF or a NUL in the message; lines must end with CR LF. ${FIX}`
  return new Refusal(reply(550, '5.6.11', text), options)
}

/** For a session by hand that has LF for all its line ends; there is no CR in the chunk, so the way back is exact. */
function toCrlf(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString('latin1').replaceAll('\n', '\r\n'), 'latin1')
}

function toLineFeeds(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
}
