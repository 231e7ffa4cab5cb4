// What the doors (SMTP, HTTP, bounces) know of intake: a verb and its words.

import type { Envelope } from '../mail/envelope.ts'
import type { LineCheck } from '../mail/lines.ts'
import type { MessageId, Sender } from '../mail/message.ts'

/**
 * Hands the content over chunk by chunk and resolves at its end. A sink that returns a promise wants
 * the next chunk only when that has resolved. Chunks may be kept by the sink: they are never reused.
 * A door that looks at the lines itself hands over what it saw, with each chunk or with none, so that
 * they are looked at once.
 */
export type ContentSource = (
  sink: (chunk: Uint8Array, lines?: LineCheck) => Promise<void> | undefined,
) => Promise<void>

export type Accepted = {
  readonly id: MessageId
  readonly size: number
  readonly recipients: number
}

/** What a door tells of the client, for the Received field. */
export type Origin = {
  /** The listener's name, `http`, `posthorn`: for logs and figures. */
  readonly door: string
  readonly sender: Sender
  /** The name given in EHLO. */
  readonly helloName: string
  readonly address: string
  /** `ESMTP`, `ESMTPS`, `ESMTPSA`, `HTTP` … (RFC 3848). */
  readonly protocol: string
  readonly tls?: string
  /** How the credential was proved. */
  readonly mechanism?: string
  /** Of the listener's sessions, which. */
  readonly session?: number
  /** The number that the door has given the message already; fresh, from the store. */
  readonly id?: MessageId
}

/** The one door. Resolves when message, recipients and content are durable; throws a Refusal. */
export type Accept = (
  envelope: Envelope,
  content: ContentSource,
  origin: Origin,
) => Promise<Accepted>
