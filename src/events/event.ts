// What happened, as values. Every room that learns something worth a log line or a count hands an
// Event to one function, `Record`; record.ts is the only place that turns it into text and numbers.
// Nothing is awaited and nothing can fail: an event is told after the fact.

import type { QueueEntry, SiteName } from '../mail/entry.ts'
import type { Recipient, ReversePath } from '../mail/envelope.ts'
import type { Attempt, Failure } from '../mail/failure.ts'
import type { HeaderField } from '../mail/header.ts'
import type { Message, MessageId } from '../mail/message.ts'
import type { Reply } from '../mail/reply.ts'

/** What became of one entry. */
export type Result = 'delivered' | 'deferred' | 'bounced' | 'expired' | 'cancelled'

/** One entry's result; `nextAt` when it is tried again, `text` what the peer or we said. */
export type EntryResult = {
  readonly entry: QueueEntry
  readonly result: Result
  readonly text: string
  readonly nextAt?: number
}

/** Mail became ours: message and recipients are durable. */
export type Accepted = {
  readonly kind: 'accepted'
  readonly message: Message
  readonly recipients: readonly Recipient[]
  /** Name of the door: a listener's, `http`, `posthorn`. */
  readonly door: string
  readonly durationMs: number
  /** Where it came from; absent for what we wrote ourselves. */
  readonly client?: ClientView
  /** Its Message-ID field. */
  readonly messageId?: HeaderField
  /** It waits until somebody lets it go. */
  readonly held?: boolean
}

/** Of a client, what the log may tell. */
export type ClientView = {
  readonly address: string
  readonly mechanism?: string
  /** Which of this server's SMTP sessions. */
  readonly session?: number
}

/** A connection was taken. */
export type Connected = {
  readonly kind: 'connected'
  readonly door: string
  readonly client: string
  readonly session?: number
}

/** A connection was closed at once: there were too many. */
export type TurnedAway = {
  readonly kind: 'turned-away'
  readonly door: string
  readonly client: string
}

/** A client heard "no". */
export type Refused = {
  readonly kind: 'refused'
  readonly door: string
  readonly client: string
  /** The step: `auth`, `mail`, `rcpt`, `data`, or an HTTP route. */
  readonly stage: string
  readonly reply: Reply
  readonly from?: ReversePath
  readonly to?: string
  readonly protocol?: string
  readonly helloName?: string
  readonly session?: number
}

/** A client tried to log in; `username` as it came. */
export type LoggedIn = {
  readonly kind: 'login'
  readonly door: string
  readonly client: string
  readonly mechanism: string
  readonly username: string
  readonly result: 'ok' | 'wrong' | 'network' | 'throttled'
  readonly session?: number
}

/** An incoming connection has ended. */
export type SessionEnded = {
  readonly kind: 'session'
  readonly door: string
  readonly client: string
  readonly helloName: string
  readonly tls?: string
  readonly credential?: string
  readonly durationMs: number
  readonly accepted: number
  readonly refused: number
  /** Why it ended, in a word: `quit`, `closed`, `timeout`, `errors` … */
  readonly end: string
  readonly session?: number
}

/** One try at one site, settled: durable when it is told. */
export type Attempted = {
  readonly kind: 'attempted'
  readonly message: Message
  readonly site: SiteName
  readonly attempt: Attempt
  readonly results: readonly EntryResult[]
}

/** Entries moved without a try: expired, cancelled, or deferred because their site rests. */
export type Settled = {
  readonly kind: 'settled'
  readonly message: Message
  readonly site: SiteName
  readonly results: readonly EntryResult[]
}

/** A notification of ours is in the queue. */
export type Noticed = {
  readonly kind: 'notice'
  readonly about: MessageId
  readonly notice: MessageId
  readonly to: ReversePath
  readonly actions: readonly string[]
}

/** A notification was owed and is not sent: a bounce of a bounce, or it could not be made. */
export type NoticeDropped = {
  readonly kind: 'notice-dropped'
  readonly about: MessageId
  readonly why: string
}

/** A stored message cannot be read whole. */
export type Damaged = {
  readonly kind: 'damaged'
  readonly message: MessageId
  readonly why: string
}

export type SiteRested = {
  readonly kind: 'site-rested'
  readonly site: SiteName
  readonly restMs: number
  /** Entries that wait longer because of it. */
  readonly entries: number
  readonly failure: Failure
}

export type SiteWoke = { readonly kind: 'site-woke'; readonly site: SiteName }

/** The wall clock was set back by this much, or the queue's clock had to follow it. */
export type ClockStepped = { readonly kind: 'clock-stepped'; readonly longestWaitMs: number }

export type Event =
  | Connected
  | TurnedAway
  | Accepted
  | Refused
  | LoggedIn
  | SessionEnded
  | Attempted
  | Settled
  | Noticed
  | NoticeDropped
  | Damaged
  | SiteRested
  | SiteWoke
  | ClockStepped

export type Record = (event: Event) => void
