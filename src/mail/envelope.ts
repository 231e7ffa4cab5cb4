import type { Mailbox } from './mailbox.ts'
import type { ByWish } from './wishes.ts'

/** null is the empty reverse-path `<>` of bounces (RFC 5321 §4.5.5). */
export type ReversePath = Mailbox | null

/** Which notifications the sender wants for a recipient (RFC 3461 §4.1). */
export type Notify =
  | 'never'
  | { readonly success: boolean; readonly failure: boolean; readonly delay: boolean }

export type BodyType = '7bit' | '8bitmime'

/** How much of the message a bounce returns (RFC 3461 §4.3). */
export type Ret = 'full' | 'headers'

export type Recipient = {
  readonly mailbox: Mailbox
  readonly notify?: Notify
  /** ORCPT as `type;address`, xtext decoded (RFC 3461 §4.2). */
  readonly originalRecipient?: string
}

/** Until when delivery is of use (RFC 2852), in milliseconds since 1970. */
export type DeliverBy = Omit<ByWish, 'seconds'> & { readonly at: number }

export type Envelope = {
  readonly reversePath: ReversePath
  readonly recipients: readonly Recipient[]
  readonly body: BodyType
  readonly smtputf8: boolean
  readonly requireTls: boolean
  readonly ret?: Ret
  /** ENVID, xtext decoded (RFC 3461 §4.4). */
  readonly envelopeId?: string
  /** Not to be tried before (RFC 4865), in milliseconds since 1970. */
  readonly holdUntil?: number
  readonly deliverBy?: DeliverBy
  /** -9 to 9, absent: 0 (RFC 6710). */
  readonly priority?: number
}
