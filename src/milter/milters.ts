// Filters that other people run (OpenDKIM, rspamd …), asked about each message before it is signed
// and made durable. connection.ts holds a socket and what was agreed on it, session.ts is one
// filter's talk about one message, response.ts reads its answers, change.ts applies what it wants
// changed; here several stand in a row, each seeing what the ones before it made of the message, and
// connections are kept for the next message of the same client.
//
// What can go wrong: a filter is away, hangs, lies or dies. It then costs its time-out, is said to
// have failed, and `onFailure` decides: the message goes on without it, or the client hears 4xx or
// 5xx. Its half-told changes are dropped. Nothing is lost, and nothing leaves unsigned for it.

import type { Envelope } from '../mail/envelope.ts'
import { Refusal, refuse } from '../mail/reply.ts'
import type { Clock } from '../std/clock.ts'
import type { Draft } from './change.ts'
import { type MilterAddress, MilterConnection } from './connection.ts'
import { MilterSession, type Verdict } from './session.ts'

export type MilterOptions = {
  readonly name: string
  readonly address: MilterAddress
  readonly connectMs: number
  /** For the answer to each step. */
  readonly commandMs: number
  /** For the answer to the end of the message, and between signs of progress. */
  readonly messageMs: number
  readonly onFailure: 'accept' | 'tempfail' | 'reject'
  /** What becomes of a message that the filter wants in quarantine. */
  readonly onQuarantine: 'hold' | 'reject'
}

/** Who submits, as filters are told. */
export type MilterClient = {
  readonly door: string
  readonly address: string
  readonly port: number
  readonly helloName: string
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384` */
  readonly tls?: string
  readonly credential?: string
}

export type MilterDeps = {
  readonly clock: Clock
  readonly hostname: string
  readonly version: string
  readonly mostOctets: number
  /** A filter failed; the message fared as `onFailure` says. */
  onFailure(name: string, why: string): void
}

/** One message before all filters. Throws a Refusal where one of them says no. */
export type MilterTalk = Disposable & {
  /** Before the content; false: the message is to be thrown away. */
  envelope(envelope: Envelope): Promise<boolean>
  /**
   * The message as the filters want it; undefined: it is to be thrown away.
   * @param check throws a Refusal for what could not be sent: a filter that makes it so has failed
   */
  message(draft: Draft, check: (draft: Draft) => void): Promise<Draft | undefined>
}

export type Milters = Disposable & {
  begin(client: MilterClient, id: string): MilterTalk
}

/** Connections to one filter that wait for a message. */
const MOST_IDLE = 20
const IDLE_MS = 60_000

/** Puts filters in a row. Nothing is connected before there is mail. */
export function createMilters(options: readonly MilterOptions[], deps: MilterDeps): Milters {
  const peers = options.map((one) => ({ options: one, pool: new Pool(one, deps.clock) }))
  return {
    begin(client, id) {
      const seal = JSON.stringify(client)
      const sessions = peers.map(({ options, pool }) => ({
        options,
        session: new MilterSession(options, {
          ...deps,
          kept: () => pool.take(seal),
          open: () => pool.open(),
          keep: (connection) => pool.keep(connection, seal),
          onFailure: (why) => deps.onFailure(options.name, why),
        }),
      }))
      return {
        async envelope(envelope) {
          for (const { session } of sessions)
            if (!goesOn(await session.envelope(client, envelope, id))) return false
          return true
        },
        async message(draft, check) {
          let now = draft
          for (const { session, options } of sessions) {
            const asked = await session.message(now, id, check)
            if (!goesOn(asked.verdict)) return undefined
            now = asked.draft
            if (now.hold !== undefined && options.onQuarantine === 'reject' && !draft.hold)
              throw refuse(550, '5.7.1', `The filter ${options.name} refuses this message`)
            if (now.envelope.recipients.length === 0) return undefined
          }
          return now
        },
        [Symbol.dispose]() {
          for (const { session } of sessions) session.close()
        },
      }
    },
    [Symbol.dispose]() {
      for (const { pool } of peers) pool.close()
    },
  }
}

function goesOn(verdict: Verdict): boolean {
  if (verdict.kind === 'refuse') throw new Refusal(verdict.reply)
  return verdict.kind === 'go-on'
}

type Kept = {
  readonly connection: MilterConnection
  readonly seal: string
  readonly since: number
}

/**
 * Idle connections to one filter. Each stays with the client that it was told of: that way works with
 * filters of every version, while after QUIT_NC libmilter leaves CONNECT without an answer.
 */
class Pool {
  readonly #options: MilterOptions
  readonly #clock: Clock
  #idle: readonly Kept[] = []
  #closed = false

  constructor(options: MilterOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  open(): Promise<MilterConnection> {
    const { address, connectMs } = this.#options
    return MilterConnection.open(address, { clock: this.#clock, timeoutMs: connectMs })
  }

  take(seal: string): MilterConnection | undefined {
    this.#sweep()
    const found = this.#idle.findLast((one) => one.seal === seal)
    if (!found) return undefined
    this.#idle = this.#idle.filter((one) => one !== found)
    found.connection.idle = false
    return found.connection
  }

  keep(connection: MilterConnection, seal: string): void {
    this.#sweep()
    if (this.#closed) {
      connection.close()
      return
    }
    connection.reused = true
    connection.idle = true
    const kept = { connection, seal, since: this.#clock.elapsed() }
    this.#idle = [...this.#idle, kept]
    if (this.#idle.length > MOST_IDLE) this.#drop(this.#idle[0]!)
  }

  #sweep(): void {
    const now = this.#clock.elapsed()
    for (const one of this.#idle)
      if (one.connection.isGone || now - one.since >= IDLE_MS) this.#drop(one)
  }

  #drop(kept: Kept): void {
    kept.connection.close()
    this.#idle = this.#idle.filter((one) => one !== kept)
  }

  close(): void {
    this.#closed = true
    for (const one of this.#idle) this.#drop(one)
  }
}
