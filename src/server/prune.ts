import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { Store } from '../store/store.ts'

const PRUNE_EVERY_MS = 3_600_000
const KEEP_ATTEMPTS_MS = 14 * 24 * 3_600_000

/** Attempts of finished mail are remembered for two weeks. Returns what ends it. */
export function keepPruned(
  store: Store,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): () => void {
  let timer = clock.after(0, prune)
  function prune(): void {
    store
      .prune(clock.now() - KEEP_ATTEMPTS_MS)
      .catch((error: unknown) => log.warn({ error: String(error) }, 'old attempts were not pruned'))
    timer = clock.after(PRUNE_EVERY_MS, prune)
  }
  return () => timer.cancel()
}
