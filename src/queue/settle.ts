// What follows from an attempt, from time and from an operator: entries end or wait, senders are
// told, and all of it becomes durable in one commit before anybody hears of it. A notice is a message
// like any other and enters the queue in the same commit, so a crash can neither lose nor double it.

import type { EntryResult, Record } from '../events/event.ts'
import type { Batch } from '../mail/batch.ts'
import type { Domain } from '../mail/domain.ts'
import type { EntryEnd, EntryKey, QueueEntry } from '../mail/entry.ts'
import { type Attempt, describeCause, type Failure, type Outcome } from '../mail/failure.ts'
import type { Message } from '../mail/message.ts'
import { describeReply } from '../mail/reply.ts'
import { status } from '../mail/status.ts'
import type { Clock } from '../std/clock.ts'
import type { Random } from '../std/random.ts'
import {
  type EntryChange,
  type NewMessage,
  StorageFailed,
  StorageFull,
  type Store,
} from '../store/store.ts'
import type { Settled, Settler } from './batch.ts'
import { type Compose, makeNotice, type Owed, wants } from './bounce.ts'
import { type Lifetime, lifetimeOf, tellsRelay } from './lifetime.ts'
import { pauseAfter, type Schedules } from './schedule.ts'
import type { SteadyTime } from './steady.ts'
import type { Language } from './words.ts'

export type SettlerOptions = {
  readonly store: Pick<Store, 'settle' | 'discardContent'>
  readonly compose: Compose
  readonly hostname: Domain
  readonly languages: readonly Language[]
  readonly schedules: Schedules
  /** The same that the scheduler has. */
  readonly time: SteadyTime
  readonly clock: Clock
  readonly random: Random
  readonly events: Record
}

/**
 * One moment, one age and one draw for all entries of a batch: those that wait are due together, and
 * stay one transaction.
 */
type Once = SettlerOptions & { readonly dueFrom: number; readonly life: Lifetime }

function once({ message }: Batch, options: SettlerOptions): Once {
  const { time, random, schedules } = options
  const drawn = random()
  const life = lifetimeOf(message, time.age(message), schedules[message.world])
  return { ...options, dueFrom: time.now(), life, random: () => drawn }
}

/** What becomes of one entry. */
type Step = { readonly change: EntryChange; readonly result: EntryResult; readonly owed?: Owed }

const NO_NOTICES: readonly NewMessage[] = []
const CANCELLED: Failure = {
  permanence: 'permanent',
  scope: 'message',
  status: status('5.0.0'),
  cause: { kind: 'local', text: 'cancelled by the administrator of this mail server' },
}
const NO_OUTCOME: Outcome = {
  kind: 'failed',
  failure: {
    permanence: 'transient',
    scope: 'recipient',
    status: status('4.3.0'),
    cause: { kind: 'local', text: 'the attempt told nothing of this recipient' },
  },
}

export function createSettler(options: SettlerOptions): Settler {
  const { schedules, time } = options
  const lifetime = (message: Message) =>
    lifetimeOf(message, time.age(message), schedules[message.world])
  const isExpired = (message: Message, entry: QueueEntry) => {
    if (entry.attempts === 0 && !message.deliverBy) return false
    const { leftMs, byEnds } = lifetime(message)
    return leftMs <= 0 && (entry.attempts > 0 || byEnds)
  }
  return {
    isExpired,
    settle(batch, attempt) {
      const here = once(batch, options)
      const steps = batch.entries.map((entry) => afterAttempt(batch, entry, attempt, here))
      return conclude(batch, steps, options, attempt)
    },
    settleDeferred(batch, failure) {
      const here = once(batch, options)
      const steps = batch.entries.map((entry) => afterFailure(batch, entry, failure, here))
      return conclude(batch, steps, options)
    },
    settleExpired: (batch) =>
      conclude(
        batch,
        batch.entries.map((entry) =>
          expire(entry, entry.lastFailure, dueBy(batch.message, lifetime(batch.message))),
        ),
        options,
      ),
    settleCancelled: (batch, { notify }) =>
      conclude(
        batch,
        batch.entries.map((entry) => cancel(entry, notify)),
        options,
      ),
  }
}

function afterAttempt(batch: Batch, entry: QueueEntry, attempt: Attempt, options: Once): Step {
  const outcome = attempt.outcomes.get(entry.index) ?? NO_OUTCOME
  if (outcome.kind === 'failed') return afterFailure(batch, entry, outcome.failure, options)
  const { reply } = outcome
  const end = batch.site.startsWith('relay:') ? 'relayed' : 'delivered'
  const step = ended(entry, end, { result: 'delivered', text: describeReply(reply) })
  // The next server is asked to report (RFC 3461 §5.2.1); one that cannot leaves it to us (§5.2.2).
  const peerDelivers = attempt.peerDeliversBy === true
  const isTold = tellsRelay(batch.message, entry.recipient, { peerDelivers })
  if (!isTold && (attempt.peerReports || !wants(entry.recipient, 'success'))) return step
  const lastAttemptAt = attempt.startedAt
  return { ...step, owed: { entry, action: 'relayed', reply, lastAttemptAt } }
}

function afterFailure(
  { message }: Batch,
  entry: QueueEntry,
  failure: Failure,
  { dueFrom, life, schedules, random, clock }: Once,
): Step {
  const schedule = schedules[message.world]
  if (failure.permanence === 'permanent') return bounce(entry, failure, clock.now())
  const { ageMs, leftMs: left, byLeftMs } = life
  if (left <= 0) return expire(entry, failure, dueBy(message, life))
  const attempts = entry.attempts + 1
  const untilBy = byLeftMs > 0 ? byLeftMs : Number.POSITIVE_INFINITY
  const nextAt = dueFrom + Math.min(pauseAfter(schedule, attempts, random), left, untilBy)
  const isLate = (ageMs >= schedule.noticeAfterMs || byLeftMs <= 0) && !entry.delayNoticed
  const tells = isLate && message.reversePath !== null && wantsDelay(message, entry)
  const step: Step = {
    change: {
      kind: 'deferred',
      key: keyOf(entry),
      attempts,
      nextAt,
      failure,
      delayNoticed: entry.delayNoticed || isLate,
    },
    result: { entry, result: 'deferred', text: failureText(failure), nextAt },
  }
  if (!tells) return step
  const now = clock.now()
  const owed: Owed = {
    entry,
    action: 'delayed',
    failure,
    lastAttemptAt: now,
    willRetryUntil: now + left,
  }
  return { ...step, owed }
}

/** Who set a time of his own hears when it has passed, unless he hears nothing (RFC 2852). */
function wantsDelay({ deliverBy }: Message, { recipient }: QueueEntry): boolean {
  return deliverBy ? recipient.notify !== 'never' : wants(recipient, 'delay')
}

/** Until when delivery was of use, when that is what ends it. */
function dueBy({ deliverBy }: Message, { byEnds }: Lifetime): number | undefined {
  return byEnds ? deliverBy?.at : undefined
}

function bounce(entry: QueueEntry, failure: Failure, lastAttemptAt: number): Step {
  const step = ended(entry, 'bounced', { result: 'bounced', text: failureText(failure) })
  if (!wants(entry.recipient, 'failure')) return step
  return { ...step, owed: { entry, action: 'failed', failure, lastAttemptAt } }
}

function expire(entry: QueueEntry, failure: Failure | undefined, by: number | undefined): Step {
  const why = by === undefined ? 'too old' : 'the time that the sender set has passed'
  const text = failure ? `${why}; last: ${failureText(failure)}` : why
  const step = ended(entry, 'expired', { result: 'expired', text })
  if (!wants(entry.recipient, 'failure')) return step
  const owed: Owed = { entry, action: 'failed', expired: true, ...(failure && { failure }) }
  return { ...step, owed: by === undefined ? owed : { ...owed, by } }
}

function cancel(entry: QueueEntry, notify: boolean): Step {
  const step = ended(entry, 'cancelled', { result: 'cancelled', text: failureText(CANCELLED) })
  if (!notify || !wants(entry.recipient, 'failure')) return step
  return { ...step, owed: { entry, action: 'failed', failure: CANCELLED } }
}

function ended(
  entry: QueueEntry,
  end: EntryEnd,
  result: { result: EntryResult['result']; text: string },
): Step {
  return {
    change: { kind: 'ended', key: keyOf(entry), end },
    result: { entry, result: result.result, text: result.text },
  }
}

function keyOf(entry: QueueEntry): EntryKey {
  return { message: entry.message, index: entry.index }
}

function failureText(failure: Failure): string {
  const { cause } = failure
  return cause.kind === 'reply' ? describeReply(cause.reply) : describeCause(cause)
}

/** Makes the steps durable, then tells of them. */
async function conclude(
  batch: Batch,
  steps: readonly Step[],
  options: SettlerOptions,
  attempt?: Attempt,
): Promise<Settled> {
  const { store, events, clock } = options
  const { message, site } = batch
  const owed = steps.flatMap((step) => step.owed ?? [])
  const made = owed.length === 0 ? undefined : await tryNotice(batch, owed, options)
  const notice = typeof made === 'object' ? made : undefined
  const notices = notice ? [notice] : NO_NOTICES
  const settlement = {
    message,
    changes: steps.map((step) => step.change),
    notices,
    at: clock.now(),
  }
  try {
    await store.settle(attempt ? { ...settlement, attempt } : settlement)
  } catch (error) {
    // The next try makes the notice anew.
    if (notice && notice.firstRow > 0) await store.discardContent(notice.message.id).catch(() => {})
    throw error
  }
  const results = steps.map((step) => step.result)
  if (attempt) events({ kind: 'attempted', message, site, attempt, results })
  else events({ kind: 'settled', message, site, results })
  if (notice)
    events({
      kind: 'notice',
      about: message.id,
      notice: notice.message.id,
      to: message.reversePath,
      actions: owed.map((one) => one.action),
    })
  else if (typeof made === 'string')
    events({ kind: 'notice-dropped', about: message.id, why: made })
  const nextDue = earliest(steps)
  return nextDue === undefined ? { notices } : { nextDue, notices }
}

/** The notice, or why there is none: nobody to tell, or it cannot be made. */
async function tryNotice(
  batch: Batch,
  owed: readonly Owed[],
  options: SettlerOptions,
): Promise<NewMessage | string> {
  const { reversePath } = batch.message
  if (reversePath === null) return 'the message is itself a notification'
  try {
    return await makeNotice(batch, owed, { ...options, to: reversePath, at: options.clock.now() })
  } catch (error) {
    if (error instanceof StorageFull || error instanceof StorageFailed) throw error
    return error instanceof Error ? error.message : String(error)
  }
}

function earliest(steps: readonly Step[]): number | undefined {
  let nextDue: number | undefined
  for (const { change } of steps)
    if (change.kind === 'deferred' && (nextDue === undefined || change.nextAt < nextDue))
      nextDue = change.nextAt
  return nextDue
}
