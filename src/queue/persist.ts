import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000

/**
 * Settles, and tries again as long as the disk refuses: what was delivered must not be delivered
 * once more for want of a record. Resolves to undefined only when `signal` is aborted before.
 */
export async function persist<T>(
  settle: () => Promise<T>,
  { clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<T | undefined> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await settle()
    } catch (error) {
      log.error({ error, retryMs: pause }, 'what an attempt did could not be stored yet')
    }
    try {
      await clock.sleep(pause, signal)
    } catch {
      return undefined
    }
  }
}
