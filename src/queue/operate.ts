// What an operator does to the queue: end mail, or try it now. Paged, so that a filter that means a
// million entries costs no memory.

import type { EntryKey, QueueEntry } from '../mail/entry.ts'
import type { MessageId } from '../mail/message.ts'
import type { QueueFilter, Store } from '../store/store.ts'
import { HeldBatch, type Settler } from './batch.ts'
import type { Scheduler } from './scheduler.ts'
import type { SteadyTime } from './steady.ts'

export type Operations = {
  /**
   * Ends matching entries; `notify`: the senders hear of it, as far as they want to. Entries that are
   * being delivered right now cannot be stopped and are counted apart.
   */
  cancel(
    filter: QueueFilter,
    options: { notify: boolean },
  ): Promise<{ cancelled: number; inFlight: number }>
  /** Makes matching entries due now, and ends rests; resolves to how many. */
  retry(filter: QueueFilter): Promise<number>
}

const PAGE = 200

export function createOperations(parts: {
  store: Store
  settler: Settler
  scheduler: Scheduler
  time: SteadyTime
}): Operations {
  const { store, scheduler, time } = parts
  return {
    async cancel(filter, options) {
      const total = { cancelled: 0, inFlight: 0 }
      let after: EntryKey | undefined
      for (;;) {
        const rows = await store.queuePage({ filter, ...(after && { after }), limit: PAGE })
        const last = rows.at(-1)
        if (!last) return total
        after = { message: last.entry.message, index: last.entry.index }
        const messages = Map.groupBy(
          rows.map((row) => row.entry),
          (entry) => entry.message,
        )
        for (const [message, entries] of messages) {
          const done = await cancelOne(parts, message, { ...options, entries })
          total.cancelled += done.cancelled
          total.inFlight += done.inFlight
        }
      }
    },
    async retry(filter) {
      const at = time.now()
      const count = await store.retry(filter, at)
      scheduler.wake(at)
      return count
    },
  }
}

async function cancelOne(
  { store, settler, scheduler }: { store: Store; settler: Settler; scheduler: Scheduler },
  id: MessageId,
  options: { entries: readonly QueueEntry[]; notify: boolean },
): Promise<{ cancelled: number; inFlight: number }> {
  const wanted = new Set(options.entries.map((entry) => entry.index))
  const due = await store.queued(id)
  const here = due?.entries.filter((entry) => wanted.has(entry.index)) ?? []
  if (!due || here.length === 0) return { cancelled: 0, inFlight: 0 }
  const flying = scheduler.withhold(id, here)
  const held = here.filter((entry) => !flying.has(entry.index))
  try {
    for (const [site, entries] of Map.groupBy(held, (entry) => entry.site)) {
      const batch = new HeldBatch(store, due.message, { site, entries, fresh: undefined })
      const { notices } = await settler.settleCancelled(batch, { notify: options.notify })
      for (const notice of notices) scheduler.add(notice)
    }
  } finally {
    scheduler.release(id, held)
  }
  return { cancelled: held.length, inFlight: flying.size }
}
