// The only room that reads the machine's time. Everything else gets a Clock, so that tests can
// drive days of retries in a millisecond and a stepped wall clock can be told from time that passed.

export type Timer = { cancel(): void }

export type Clock = {
  /** Wall time in milliseconds since 1970; may step backwards. */
  now(): number
  /** Milliseconds that really passed since some start; never steps. */
  elapsed(): number
  /** Calls `then` once after `ms` milliseconds. The timer does not keep the process alive. */
  after(ms: number, then: () => void): Timer
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS))
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        },
        Math.min(Math.max(ms, 0), LONGEST_TIMER_MS),
      )
      const abort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', abort, { once: true })
    })
  },
}
