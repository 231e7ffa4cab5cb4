// Attempts that went wrong on our own side, told in the same words as those that the world broke.

import type { Batch, Deliver } from '../mail/batch.ts'
import type { Attempt, Failure, Outcome } from '../mail/failure.ts'
import { status } from '../mail/status.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { HeldBatch } from './batch.ts'

/** One attempt, whatever happens to it; undefined when it broke off because `signal` was aborted. */
export async function attemptOnce(
  batch: HeldBatch,
  deliver: Deliver,
  { clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<Attempt | undefined> {
  const startedAt = clock.now()
  try {
    const attempt = await deliver(batch, signal)
    return batch.damage ? damagedAttempt(batch, attempt) : attempt
  } catch (error) {
    const broken = brokenAttempt(batch, startedAt)
    if (batch.damage) return damagedAttempt(batch, broken)
    if (signal.aborted) return undefined
    log.error({ error, site: batch.site }, 'an attempt broke off')
    return broken
  }
}

/** The same failure for every entry of the batch. */
function allFailed(batch: Batch, failure: Failure): ReadonlyMap<number, Outcome> {
  const outcome: Outcome = { kind: 'failed', failure }
  return new Map(batch.entries.map((entry) => [entry.index, outcome]))
}

/** `deliver` threw, which it never should: the mail waits, the log shouts. */
function brokenAttempt(batch: Batch, startedAt: number): Attempt {
  const failure: Failure = {
    permanence: 'transient',
    scope: 'message',
    status: status('4.3.0'),
    cause: { kind: 'local', text: 'an internal fault of this server interrupted the delivery' },
  }
  return { startedAt, durationMs: 0, peerReports: false, outcomes: allFailed(batch, failure) }
}

/** The stored content is not what was accepted: it is never sent. */
function damagedAttempt(batch: Batch, attempt: Attempt): Attempt {
  const failure: Failure = {
    permanence: 'permanent',
    scope: 'message',
    status: status('5.3.0'),
    cause: { kind: 'local', text: 'the stored copy of the message is damaged and was set aside' },
  }
  return { ...attempt, outcomes: allFailed(batch, failure) }
}
