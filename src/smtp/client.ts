// One outgoing connection, once it is open: commands are written, replies are read in order, and
// whoever writes several commands before reading pipelines (RFC 2920). open.ts makes one;
// transact.ts sends a message over it. Replies are values, also 4yz and 5yz; what breaks the
// connection is thrown as SessionFault. What can go wrong: silence (a time limit for each kind of
// reply, counted over the whole reply, and one for all commands of a transaction), replies without end (bounded), lines that are no reply.

import { type Capabilities, noCapabilities } from '../mail/capabilities.ts'
import type { Cause, Stage, TlsInfo } from '../mail/failure.ts'
import { type Reply, ReplyReader } from '../mail/reply.ts'
import type { Clock } from '../std/clock.ts'
import { LineMalformed, LineTooLong } from './input.ts'
import { type Wire, WireClosed, WireTimeout } from './wire.ts'

/** How long to wait, in milliseconds (RFC 5321 §4.5.3.2); `block` is for one piece of content to leave. */
export type ClientTimeouts = {
  readonly connect: number
  readonly banner: number
  readonly hello: number
  readonly tls: number
  readonly auth: number
  readonly mail: number
  readonly rcpt: number
  readonly data: number
  /** For all from MAIL to DATA together. */
  readonly commands: number
  readonly block: number
  readonly content: number
  readonly reset: number
  readonly quit: number
}

export const clientTimeouts: ClientTimeouts = {
  connect: 30_000,
  banner: 300_000,
  hello: 300_000,
  tls: 60_000,
  auth: 120_000,
  mail: 300_000,
  rcpt: 300_000,
  data: 120_000,
  commands: 1_800_000,
  block: 180_000,
  content: 600_000,
  reset: 20_000,
  quit: 10_000,
}

/** What a reply is read for: a stage of the dialogue, or the RSET that cleans up after one. */
type Awaited = Exclude<Stage, 'lookup' | 'connect'> | 'reset'

/** The connection failed under us. */
export class SessionFault extends Error {
  override readonly name = 'SessionFault'
  readonly stage: Stage
  readonly seen: Cause
  constructor(stage: Stage, seen: Cause, options?: ErrorOptions) {
    super('text' in seen ? seen.text : seen.kind, options)
    this.stage = stage
    this.seen = seen
  }
}

class ReplyNonsense extends Error {}

const LONGEST_LINE = 65_536

/** A session with one peer. It is used by one transaction at a time. */
export class ClientSession {
  readonly host: string
  readonly address: string
  readonly port: number
  readonly openedAt: number
  readonly timeouts: ClientTimeouts
  capabilities: Capabilities = noCapabilities
  tls: TlsInfo | undefined
  /** Transactions begun. */
  transactions = 0
  /** A transaction ended half way: RSET must come before the next. */
  dirty = false
  /** The peer said 421 or something that we do not understand: no further transaction. */
  leaving = false
  readonly #wire: Wire
  readonly #clock: Clock
  readonly #reader = new ReplyReader()
  #aborted = false
  #commandsUntil = Number.POSITIVE_INFINITY

  constructor(
    wire: Wire,
    peer: { readonly host: string; readonly port: number },
    options: { readonly clock: Clock; readonly timeouts: ClientTimeouts },
  ) {
    this.#wire = wire
    this.#clock = options.clock
    this.host = peer.host
    this.port = peer.port
    this.address = wire.remoteAddress
    this.timeouts = options.timeouts
    this.openedAt = options.clock.elapsed()
  }

  /** Nothing has come since the last reply, not even the end: another transaction may begin. */
  get usable(): boolean {
    return !this.leaving && !this.#wire.closed && this.#wire.buffered === 0
  }

  /** A transaction starts, and with it the time that its commands may take together. */
  begin(): void {
    this.transactions++
    this.#commandsUntil = this.#clock.elapsed() + this.timeouts.commands
  }

  /** Gathers until the next reply() or drain(). */
  write(data: string | Uint8Array): void {
    this.#wire.write(data)
  }

  /** Sends what was gathered; a promise when the peer is slow to take it. Throws SessionFault. */
  drain(): Promise<void> | undefined {
    return this.#wire
      .flush({ timeoutMs: this.timeouts.block })
      ?.catch((error: unknown) => Promise.reject(this.#fault('content', error)))
  }

  /** The reply to the oldest command that has none yet. Throws SessionFault. */
  async reply(awaited: Awaited): Promise<Reply> {
    const stage = awaited === 'reset' ? 'mail' : awaited
    const isCommand = stage === 'mail' || stage === 'rcpt' || stage === 'data'
    const start = this.#clock.elapsed()
    const most = isCommand ? this.#commandsUntil - start : Number.POSITIVE_INFINITY
    const timeoutMs = Math.min(this.timeouts[awaited], most)
    let remaining = timeoutMs
    try {
      for (;;) {
        const next = this.#wire.readLine({ maxBytes: LONGEST_LINE, timeoutMs: remaining })
        const line = typeof next === 'string' ? next : await next
        const reply = this.#reader.push(line)
        if (reply) {
          if ('fault' in reply) throw new ReplyNonsense(reply.fault)
          if (reply.code === 421) this.leaving = true
          return reply
        }
        remaining = start + timeoutMs - this.#clock.elapsed()
        if (remaining <= 0) throw new WireTimeout('the reply does not end')
      }
    } catch (error) {
      throw this.#fault(stage, error)
    }
  }

  /** Writes one command and waits for its reply. Throws SessionFault. */
  ask(line: string, awaited: Awaited): Promise<Reply> {
    this.#wire.write(`${line}\r\n`)
    return this.reply(awaited)
  }

  /** QUIT, a short wait for its reply, and the end. Never rejects. */
  async quit(): Promise<void> {
    if (this.#wire.closed) return
    this.leaving = true
    try {
      await this.ask('QUIT', 'quit')
    } catch (error) {
      if (!(error instanceof SessionFault)) throw error
    } finally {
      this.#wire.end()
    }
  }

  /** Closes at once, for there is nothing more to say. */
  destroy(): void {
    this.leaving = true
    this.#wire.destroy()
  }

  /** Ends what is going on: the pending reply fails with the code `aborted`. */
  abort(): void {
    this.#aborted = true
    this.destroy()
  }

  #fault(stage: Stage, error: unknown): SessionFault {
    this.leaving = true
    if (this.#aborted) {
      const seen = { stage, host: this.host, code: 'aborted', text: 'stopped by this server' }
      return new SessionFault(stage, { kind: 'network', ...seen })
    }
    return sessionFault(stage, this.host, error)
  }
}

/** What the wire throws, as a SessionFault; anything else is no fault of the world and is thrown on. */
function sessionFault(stage: Stage, host: string, error: unknown): SessionFault {
  const network = (code: string, text: string) =>
    new SessionFault(stage, { kind: 'network', stage, host, code, text }, { cause: error })
  if (error instanceof SessionFault) return error
  if (error instanceof WireTimeout) return network('timeout', 'no answer in time')
  if (error instanceof WireClosed) return network(error.code, describeClosed(error.code))
  if (error instanceof LineTooLong || error instanceof LineMalformed)
    return network('garbage', 'a reply without end')
  if (error instanceof ReplyNonsense) return network('garbage', error.message)
  throw error
}

function describeClosed(code: string): string {
  return code === 'closed' ? 'the connection was closed' : `the connection was lost (${code})`
}
