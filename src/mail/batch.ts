// An attempt as the queue orders it and as delivery carries it out, by one or more mail transactions
// (RFC 5321 §3.3): the words that both rooms share.

import type { QueueEntry, SiteName } from './entry.ts'
import type { Attempt } from './failure.ts'
import type { Content, Message } from './message.ts'

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
