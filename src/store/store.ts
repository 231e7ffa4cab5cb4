// Everything durable, as verbs. The rooms know only this interface; an engine (sqlite/, later
// postgres/) implements it and passes the suite in store.contract.ts. No engine's types, SQL or
// idioms leave the room.
//
// How the parts meet: intake puts content while it arrives and seals it with commit(); the queue
// asks for what is due; settle() ends or defers entries. What resolves is durable. What cannot be
// read is set aside and counted (damage()), never deleted.

import type { DkimKey } from '../dkim/lifecycle.ts'
import type { Domain } from '../mail/domain.ts'
import type { DueMessage, EntryEnd, EntryKey, QueueEntry, SiteName } from '../mail/entry.ts'
import type { Attempt, Failure } from '../mail/failure.ts'
import type { Mailbox } from '../mail/mailbox.ts'
import type { Content, Message, MessageId, Stream, World } from '../mail/message.ts'

/** Content travels in rows of at most this many octets, so that 25 MB never sit in memory. */
export const CONTENT_ROW_BYTES = 256 * 1024

/** A message that becomes durable whole: `rows` are those not yet put, from row number `firstRow` on. */
export type NewMessage = {
  readonly message: Message
  readonly entries: readonly QueueEntry[]
  readonly rows: readonly Uint8Array[]
  readonly firstRow: number
}

export type EntryChange =
  | { readonly kind: 'ended'; readonly key: EntryKey; readonly end: EntryEnd }
  | {
      readonly kind: 'deferred'
      readonly key: EntryKey
      readonly attempts: number
      readonly nextAt: number
      readonly failure: Failure
      readonly delayNoticed: boolean
    }

/** What an attempt (or an expiry, or an operator) did, applied in one commit. */
export type Settlement = {
  readonly message: Message
  readonly changes: readonly EntryChange[]
  /** Recorded for `queue show`; absent when nothing was tried. */
  readonly attempt?: Attempt
  /** Notifications that this outcome owes; queued in the same commit. */
  readonly notices: readonly NewMessage[]
  readonly at: number
}

/** A position in the order of due time. */
export type DueCursor = { readonly at: number; readonly key: EntryKey }

export type DomainRecord = {
  readonly domain: Domain
  readonly world: World
  readonly keys: readonly DkimKey[]
  readonly createdAt: number
  /** Kept for its keys: the domain is ours only while the configuration names it. */
  readonly configured?: boolean
  /** What an operator chose for a domain whose world the configuration leaves open. */
  readonly chosenWorld?: World
}

/** Recipients that may be sent to in any minute, hour and day; absent: as many as one likes. */
export type SendingLimits = {
  readonly perMinute?: number
  readonly perHour?: number
  readonly perDay?: number
}

export type CredentialRecord = {
  readonly name: string
  /** A password's hash in one of the forms of intake/password.ts; empty: no password fits. */
  readonly hash: string
  /** For SCRAM-SHA-256, in the form of mail/scram.ts. */
  readonly scram?: string
  /** The password itself, sealed with the data folder's secret, for those who may use CRAM-MD5. */
  readonly sealed?: string
  /** Names in client certificates that stand for it, in small letters. */
  readonly certificates?: readonly string[]
  /** From domains that it may use; together with `addresses` empty means everything of this server. */
  readonly domains: readonly Domain[]
  /** Single addresses that it may use, in small letters. */
  readonly addresses?: readonly string[]
  /** Where its clients are; absent or empty: anywhere. */
  readonly networks?: readonly string[]
  readonly limits?: SendingLimits
  readonly stream?: Stream
  /** The highest MT-PRIORITY that it may ask for, 1 to 9; absent: 0 (RFC 6710). */
  readonly priority?: number
  readonly createdAt: number
}

/** A message that the sandbox's receiver took, with its verdict. */
export type CapturedMessage = {
  readonly id: string
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  readonly subject: string
  readonly authentication: { readonly dkim: string; readonly spf: string; readonly dmarc: string }
  readonly size: number
  readonly receivedAt: number
}

export type QueueFilter = {
  readonly message?: MessageId
  readonly site?: SiteName
  readonly state?: 'ready' | 'held'
}

/** One row of `queue list`: an entry with what a person wants to know of its message. */
export type QueueRow = {
  readonly entry: QueueEntry
  readonly from: string
  readonly size: number
  readonly world: World
  readonly stream?: Stream
}

/** What is remembered of a finished or running message: its attempts, newest last. */
export type AttemptRecord = {
  readonly message: MessageId
  readonly at: number
  readonly durationMs: number
  readonly host?: string
  readonly address?: string
  readonly tls?: string
  readonly results: readonly {
    readonly recipient: string
    readonly result: 'delivered' | 'deferred' | 'bounced' | 'expired' | 'cancelled'
    readonly text: string
  }[]
}

export type QueueCounts = {
  readonly ready: number
  readonly held: number
  readonly oldestAcceptedAt?: number
}

export type Store = AsyncDisposable & {
  /** Ids that grow over restarts of this data folder. */
  nextMessageId(): MessageId

  /** Keeps a row of a message that is still arriving. Not durable before commit(); swept after a crash. */
  putContent(message: MessageId, row: number, bytes: Uint8Array): Promise<void>
  /** Forgets what was put of a message that will not be committed. */
  discardContent(message: MessageId): Promise<void>
  /**
   * Message, entries and content become durable together; resolves after the sync. Rejects with
   * StorageFull or StorageFailed, and then nothing of it remains.
   */
  commit(message: NewMessage): Promise<void>
  /** The content of a queued message; rejects with ContentDamaged when its checksum fails. */
  content(message: MessageId): Promise<Content>

  /**
   * Ready entries due at or before `now`, in order of due time, grouped by message, after the cursor.
   * Those of the sites in `except` are passed over; a batch may then be short, or empty, and yet name
   * where to go on.
   */
  due(options: DueOptions): Promise<DueBatch>
  /** The same for one site. */
  dueAt(site: SiteName, options: { now: number; limit: number }): Promise<DueBatch>
  /** When the earliest ready entry after `after` is due; undefined when there is none. */
  nextDue(after: number): Promise<number | undefined>
  /** Applies a settlement in one commit; resolves after the sync. Changes to entries that are gone are ignored. */
  settle(settlement: Settlement): Promise<void>
  /** After a backward step of the clock: nothing waits beyond the time given for its world, but what its sender chose. */
  clampDue(latest: Readonly<Record<World, number>>): Promise<void>
  /** Assigns every queued entry the site that `siteOf` names now; called at start when routing changed. */
  reroute(siteOf: (mailbox: Mailbox, world: World) => SiteName): Promise<void>

  queuePage(options: {
    filter: QueueFilter
    after?: EntryKey
    limit: number
  }): Promise<readonly QueueRow[]>
  queueCounts(): Promise<QueueCounts>
  /** A queued message with all its remaining entries. */
  queued(message: MessageId): Promise<DueMessage | undefined>
  attempts(message: MessageId): Promise<readonly AttemptRecord[]>
  /** Makes matching entries due at `at`; resolves to how many. */
  retry(filter: QueueFilter, at: number): Promise<number>

  domains(): Promise<readonly DomainRecord[]>
  saveDomain(record: DomainRecord): Promise<void>
  removeDomain(domain: Domain): Promise<boolean>
  credentials(): Promise<readonly CredentialRecord[]>
  saveCredential(record: CredentialRecord): Promise<void>
  removeCredential(name: string): Promise<boolean>
  /** What was kept last, as JSON allows it; undefined when nothing was. */
  usage(): Promise<unknown>
  /** Keeps how much credentials have sent; replaces what was kept. */
  saveUsage(usage: unknown): Promise<void>

  /** Keeps a captured message; the oldest beyond `keep` are forgotten. */
  capture(record: CapturedMessage, raw: Uint8Array, keep: number): Promise<void>
  captured(options: { limit: number; before?: string }): Promise<readonly CapturedMessage[]>
  capturedRaw(id: string): Promise<Uint8Array | undefined>
  clearCaptured(): Promise<void>

  /** Records that could not be read since the data folder was made, and where they were put. */
  damage(): Promise<{ readonly count: number; readonly folder: string }>
  /** Forgets attempts older than `before`. */
  prune(before: number): Promise<void>
  /**
   * Calls `then` each time that a damaged database has been built anew while it served: what is queued
   * now may have been out of sight before, or be gone.
   */
  onRepair(then: () => void): void
  /** Looks at the disk, so that stats() tell of now; rejects when the store does not work. */
  look(): Promise<void>
  /** Counters since the start, for metrics; costs nothing. */
  stats(): StoreStats
}

export type StoreStats = {
  /** Changes asked for, and the batches that carried them: their ratio is how well commits are shared. */
  readonly operations: number
  readonly batches: number
  readonly reads: number
  /** Transactions that became durable, and the seconds spent in them, sync included. */
  readonly commits: number
  readonly commitSeconds: number
  readonly checkpoints: number
  readonly logBytes: number
  /** Free space of the disk as last looked at; 0 before the first look. */
  readonly freeBytes: number
  /** There was too little of it for new mail. */
  readonly isFull: boolean
}

export type DueOptions = {
  readonly now: number
  readonly after?: DueCursor
  readonly limit: number
  readonly except?: readonly SiteName[]
}

export type DueBatch = {
  readonly messages: readonly DueMessage[]
  /** Where to go on; undefined when nothing more is due. */
  readonly next?: DueCursor
}

/** The disk is full or over its reserve: the client hears 452 4.3.1, and nothing is lost. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull'
}

/** The disk failed: nothing of the call is durable. */
export class StorageFailed extends Error {
  override readonly name = 'StorageFailed'
}

/** A message whose checksum does not match: it is set aside, never sent. */
export class ContentDamaged extends Error {
  override readonly name = 'ContentDamaged'
}
