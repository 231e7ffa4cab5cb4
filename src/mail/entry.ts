import type { Recipient } from './envelope.ts'
import type { Failure } from './failure.ts'
import type { Message, MessageId } from './message.ts'

/** Names an entry: the message and the recipient's place in its envelope. */
export type EntryKey = { readonly message: MessageId; readonly index: number }

/** Where limits apply: a next hop as the router names it, such as `example.com` or `relay:[192.0.2.1]:587`. */
export type SiteName = string

export type EntryState =
  | {
      readonly kind: 'ready'
      readonly at: number
      /** The sender chose the time, and no correction of our clock changes it. */
      readonly chosen?: true
    }
  | { readonly kind: 'held'; readonly why: string }

/** One recipient's place in the queue. In flight is what the scheduler has in memory; a crash makes it ready again. */
export type QueueEntry = EntryKey & {
  readonly recipient: Recipient
  readonly site: SiteName
  readonly state: EntryState
  readonly attempts: number
  readonly acceptedAt: number
  /** The newest failure, for `queue show` and for the bounce on expiry. */
  readonly lastFailure?: Failure
  /** A delay notice has been sent (or is not wanted any more). */
  readonly delayNoticed: boolean
}

/** The ways out of the queue. */
export type EntryEnd = 'delivered' | 'relayed' | 'bounced' | 'expired' | 'cancelled'

/** What is due, with its message: all that an attempt needs but the content. */
export type DueMessage = { readonly message: Message; readonly entries: readonly QueueEntry[] }
