// What a door behind an SMTP listener must answer. The session speaks the protocol and asks;
// submission (intake/) and the sandbox's receiver are two services over the same session.

import type { Envelope, Recipient } from '../mail/envelope.ts'
import type { TlsInfo } from '../mail/failure.ts'
import type { LineCheck } from '../mail/lines.ts'
import type { Mailbox } from '../mail/mailbox.ts'
import type { Mechanism, SaslService } from './sasl.ts'

/** The peer of one session, as far as it is known so far. */
export type Client = {
  readonly address: string
  readonly port: number
  readonly listener: string
  readonly helloName: string
  readonly esmtp: boolean
  readonly tls?: TlsInfo
  /** The credential's name after AUTH, and how it was proved. */
  readonly credential?: string
  readonly mechanism?: Mechanism
  /** Counts this server's sessions, so that what is told of one can be told from others. */
  readonly session?: number
}

export type MailRequest = Omit<Envelope, 'recipients'> & { readonly declaredSize?: number }

/**
 * Takes content; a promise means: give me the next chunk only when it has resolved. `lines` has seen
 * all octets up to and with these.
 */
export type ContentSink = (chunk: Uint8Array, lines: LineCheck) => Promise<void> | undefined

/** Each verb may return at once or a promise; "no" is a thrown Refusal. */
export type SmtpService = {
  /** Checks a password; false is answered 535 5.7.8. Absent: AUTH is not offered. */
  authenticate?(client: Client, username: string, password: string): Promise<boolean>
  /** What SCRAM, CRAM-MD5 and EXTERNAL ask; absent: only PLAIN and LOGIN are offered. */
  readonly sasl?: SaslService
  /** May a credential that was proved be used by this client? Absent: it may. */
  admits?(client: Client, username: string): boolean
  /** The mailbox that a name without a domain stands for; absent or undefined: it is refused. */
  completes?(localPart: string, role: 'sender' | 'recipient'): Mailbox | undefined
  /** The highest MT-PRIORITY that this client may ask for; absent: any. */
  highestPriority?(client: Client): number
  /** May this client begin this transaction? */
  mail(client: Client, request: MailRequest): void | Promise<void>
  /** May this recipient be added? Returns it, possibly completed. */
  recipient(
    client: Client,
    request: MailRequest,
    recipient: Recipient,
  ): Recipient | Promise<Recipient>
  /** Takes the content; resolves to the text after `250 2.0.0 ` when it is durable. */
  accept(
    client: Client,
    envelope: Envelope,
    content: (sink: ContentSink) => Promise<void>,
  ): Promise<string>
}
