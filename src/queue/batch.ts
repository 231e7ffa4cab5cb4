import type { Batch } from '../mail/batch.ts'
import type { QueueEntry, SiteName } from '../mail/entry.ts'
import type { Attempt, Failure } from '../mail/failure.ts'
import type { Content, Message } from '../mail/message.ts'
import { ContentDamaged, type NewMessage, type Store } from '../store/store.ts'
import type { FreshContent } from './parcel.ts'

/** What the scheduler learns when something has been settled, that is: is durable. */
export type Settled = {
  /** The earliest new due time among deferred entries. */
  readonly nextDue?: number
  /** Bounces and notices that are in the queue now. */
  readonly notices: readonly NewMessage[]
}

export type Settle = (batch: Batch, attempt: Attempt) => Promise<Settled>

/** What follows from attempts, and from time: settle.ts makes one. */
export type Settler = {
  /** After an attempt. */
  readonly settle: Settle
  /** Without one: the site rests because of `failure`, and these wait as if they had met it. */
  readonly settleDeferred: (batch: Batch, failure: Failure) => Promise<Settled>
  /** Too old to be tried again. */
  readonly settleExpired: (batch: Batch) => Promise<Settled>
  /** Ended by an operator; `notify`: the sender hears of it. */
  readonly settleCancelled: (batch: Batch, options: { notify: boolean }) => Promise<Settled>
  /** Old enough to end now, and tried at least once. */
  readonly isExpired: (message: Message, entry: QueueEntry) => boolean
}

/** A batch whose content comes from memory, else from the store. */
export class HeldBatch implements Batch {
  readonly site: SiteName
  readonly message: Message
  readonly entries: readonly QueueEntry[]
  readonly fresh: FreshContent | undefined
  /** How often an operator had woken the queue when the batch was made. */
  readonly wakes: number
  /** The stored content could not be read whole. */
  damage: ContentDamaged | undefined
  readonly #store: Store

  constructor(
    store: Store,
    message: Message,
    options: {
      site: SiteName
      entries: readonly QueueEntry[]
      fresh: FreshContent | undefined
      wakes?: number
    },
  ) {
    this.#store = store
    this.site = options.site
    this.message = message
    this.entries = options.entries
    this.fresh = options.fresh
    this.wakes = options.wakes ?? 0
  }

  async content(): Promise<Content> {
    if (this.fresh) return this.fresh.content
    try {
      return await this.#store.content(this.message.id)
    } catch (error) {
      if (error instanceof ContentDamaged) this.damage = error
      throw error
    }
  }
}

/** The content of a message that has just been committed; undefined when its rows are not all here. */
export function contentOf(message: NewMessage): Content | undefined {
  if (message.firstRow !== 0) return undefined
  const { rows } = message
  const size = rows.reduce((sum, row) => sum + row.length, 0)
  const content = {
    size,
    async *rows() {
      yield* rows
    },
  }
  const [only] = rows
  return rows.length === 1 && only ? { ...content, whole: only } : content
}
