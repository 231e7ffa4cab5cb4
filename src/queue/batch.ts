import type { Batch, Deliver } from '../mail/batch.ts'
import type { Attempt, Failure } from '../mail/failure.ts'
import type { NewMessage } from '../store/store.ts'

export type { Batch, Deliver }

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
