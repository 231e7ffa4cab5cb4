// How mail gets in. Every door (submission.ts for SMTP, the HTTP API, bounces) ends here: one flow
// from octets to a promise on disk. arrival.ts takes the octets; complete.ts makes the header whole;
// rights.ts says who may send as whom; dkim signs; the store makes it durable.
//
// What can go wrong: the client vanishes, the message is not fit to be sent, the disk is full. In
// each case nothing is left behind, and the client does not hear 250. After the commit nothing can go
// wrong any more: the queue has the message, whatever becomes of this process.

import { hashingScratch } from '../dkim/canonical.ts'
import type { Signer } from '../dkim/keyring.ts'
import type { Domain } from '../mail/domain.ts'
import type { SiteName } from '../mail/entry.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { HeaderField } from '../mail/header.ts'
import { formatMailbox, type Mailbox } from '../mail/mailbox.ts'
import {
  type Content,
  formatMessageId,
  type Message,
  type MessageId,
  type World,
} from '../mail/message.ts'
import { refuse } from '../mail/reply.ts'
import type { Milters } from '../milter/milters.ts'
import type { Rewriter } from '../rewrite/rules.ts'
import { assert } from '../std/assert.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import { type NewMessage, StorageFailed, StorageFull, type Store } from '../store/store.ts'
import { Arrival, type ArrivalOptions } from './arrival.ts'
import type { Accept, Accepted, ContentSource, Origin } from './door.ts'
import type { RightsTable } from './rights.ts'
import { screen } from './screen.ts'

export type IntakeLimits = {
  readonly messageOctets: number
  readonly recipients: number
  readonly headerOctets: number
  readonly headerFields: number
  /** More Received fields than this are a loop (RFC 5321 §6.3). */
  readonly received: number
}

export const defaultIntakeLimits: IntakeLimits = {
  messageOctets: 26_214_400,
  recipients: 1_000,
  headerOctets: 262_144,
  headerFields: 1_000,
  received: 50,
}

export type IntakeParts = {
  readonly store: Pick<Store, 'nextMessageId' | 'putContent' | 'discardContent' | 'commit'>
  readonly clock: Clock
  readonly log: Log
  readonly hostname: Domain
  readonly limits: IntakeLimits
  readonly rights: RightsTable<Signer>
  /** Letters and digits that make our Message-IDs unlike those of other servers. */
  readonly nonce: string
  /** How long a signature lasts; for ever without it. */
  readonly signature?: { readonly expiresAfterMs: number }
  /** The rewriting that is in force now; undefined when all of it is off. */
  rewriter?(): Rewriter | undefined
  /** Filters that are asked about each message, and a folder for what does not fit into memory. */
  readonly milters?: { readonly milters: Milters; readonly spoolFolder: string }
  siteOf(mailbox: Mailbox, world: World): SiteName
  /**
   * Hands a message that is durable to the queue; `content` when all of it is in memory.
   * `durationMs` is the time since the door was knocked at, arrival included. Must not throw.
   */
  onAccepted(
    message: NewMessage,
    content: Content | undefined,
    how: {
      readonly origin: Origin
      readonly durationMs: number
      readonly messageId: HeaderField
    },
  ): void
}

export type PrepareOptions = {
  /** For our own notices: they travel in the world of this message and are signed for its domain. */
  readonly about?: Pick<Message, 'fromDomain' | 'world'>
}

/** A message ready to be committed, with its content when all of it is in memory. */
export type Prepared = NewMessage & { readonly content?: Content }

type Taken = Prepared & { readonly messageId: HeaderField }

export type Intake = {
  readonly accept: Accept
  /**
   * All of accept but the commit, for mail that becomes durable together with something else. When it
   * will not be committed after all, and firstRow is not 0, its rows must be discarded.
   */
  prepare(
    envelope: Envelope,
    content: ContentSource,
    origin: Origin,
    options?: PrepareOptions,
  ): Promise<Prepared>
}

/** Makes the one door. */
export function createIntake(parts: IntakeParts): Intake {
  const { store, limits, log } = parts
  const scratch = hashingScratch()

  const accept: Accept = async (envelope, content, origin) => {
    const startedAt = parts.clock.elapsed()
    const prepared = await take(envelope, content, { origin, rewriter: parts.rewriter?.() })
    if (!prepared) return throwAway(envelope, origin)
    const { message, entries, firstRow, content: whole, messageId } = prepared
    try {
      await store.commit(prepared)
    } catch (error) {
      if (firstRow > 0) await discard(message.id)
      throw asRefusal(error)
    }
    const durationMs = parts.clock.elapsed() - startedAt
    parts.onAccepted(prepared, whole, { origin, durationMs, messageId })
    return { id: message.id, size: message.size, recipients: entries.length }
  }

  const prepare: Intake['prepare'] = async (envelope, content, origin, options) => {
    const prepared = await take(envelope, content, { ...options, origin })
    assert(prepared !== undefined, 'what is not rewritten keeps its recipients')
    return prepared
  }

  /** Undefined: nobody is left who should get it. */
  async function take(
    envelope: Envelope,
    content: ContentSource,
    options: Omit<ArrivalOptions, 'scratch'>,
  ): Promise<Taken | undefined> {
    if (envelope.recipients.length > limits.recipients) {
      throw refuse(452, '4.5.3', `Too many recipients: the limit is ${limits.recipients}`)
    }
    const { rewriter, origin } = options
    const rewritten = rewriter ? rewriter.envelope(envelope) : envelope
    if (rewritten.recipients.length === 0) {
      await content(() => undefined)
      return undefined
    }
    const hidesClient = rewriter?.hidesClient ?? false
    const { milters } = parts
    if (!milters || options.about)
      return arrive({ envelope: rewritten, content }, { ...options, hidesClient })
    const screening = { ...parts, ...milters, rewriter, origin }
    await using screened = await screen(rewritten, content, screening).catch((error) => {
      throw asRefusal(error)
    })
    if (!screened) return undefined
    const { id, hold } = screened
    // Its content lies in a spool that is gone when this scope ends.
    return await arrive(screened, { origin, hidesClient, id, ...(hold !== undefined && { hold }) })
  }

  async function arrive(
    { envelope, content }: { envelope: Envelope; content: ContentSource },
    options: Omit<ArrivalOptions, 'scratch'>,
  ): Promise<Taken> {
    const arrival = new Arrival(parts, envelope, { ...options, scratch })
    try {
      await content((chunk, lines) => arrival.take(chunk, lines))
      return await arrival.finish()
    } catch (error) {
      if (arrival.stored !== undefined) await discard(arrival.stored)
      throw asRefusal(error)
    }
  }

  /** As the operator wished; it has a number, so that it can be asked for. */
  function throwAway({ reversePath }: Envelope, { door, address }: Origin): Accepted {
    const id = store.nextMessageId()
    const from = reversePath ? formatMailbox(reversePath) : ''
    log.info({ id: formatMessageId(id), from, door, client: address }, 'thrown away')
    return { id, size: 0, recipients: 0 }
  }

  /** Failing here costs only disk: the store sweeps such rows at the next start. */
  async function discard(message: MessageId): Promise<void> {
    try {
      await store.discardContent(message)
    } catch (error) {
      log.warn({ error, message }, 'rows of a message that did not come in were not removed')
    }
  }

  return { accept, prepare }
}

function asRefusal(error: unknown): unknown {
  if (error instanceof StorageFull) {
    return refuse(
      452,
      '4.3.1',
      'Insufficient system storage, nothing was accepted, try again later',
    )
  }
  if (error instanceof StorageFailed) {
    return refuse(451, '4.3.0', 'The disk failed, nothing was accepted, try again later')
  }
  return error
}
