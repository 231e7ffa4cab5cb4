import type { Mailbox } from './mailbox.ts'

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

export type Envelope = {
  readonly reversePath: ReversePath
  readonly recipients: readonly Recipient[]
  readonly body: BodyType
  readonly smtputf8: boolean
  readonly requireTls: boolean
  readonly ret?: Ret
  /** ENVID, xtext decoded (RFC 3461 §4.4). */
  readonly envelopeId?: string
}
