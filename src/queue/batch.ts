import type { QueueEntry, SiteName } from '../mail/entry.ts'
import type { Attempt, Failure } from '../mail/failure.ts'
import type { Content, Message } from '../mail/message.ts'
import type { NewMessage } from '../store/store.ts'

/** What one attempt carries: one message, some of its recipients, one site. */
export type Batch = {
  readonly site: SiteName
  readonly message: Message
  readonly entries: readonly QueueEntry[]
  /** From memory for fresh mail, else from the store. */
  content(): Promise<Content>
}

/** Speaks to the world; never touches the queue and never throws for what the world did. */
export type Deliver = (batch: Batch, signal: AbortSignal) => Promise<Attempt>

/** What the scheduler learns when an attempt has been settled. */
export type Settled = {
  /** A failure of scope `site`: the site rests. */
  readonly siteFailure?: Failure
  /** Something was delivered: the site's window may grow. */
  readonly delivered: boolean
  /** The earliest new due time among deferred entries. */
  readonly nextDue?: number
  /** Bounces and notices that are in the queue now. */
  readonly notices: readonly NewMessage[]
}

export type Settle = (batch: Batch, attempt: Attempt) => Promise<Settled>
