// When what is tried again. Pure: time and chance come in, times come out.
//
// One rule for all destinations: by default a minute, doubled after each failure up to an hour, until
// the mail is three days old. The first minutes are for greylisting, which most servers lift after one
// to five; RFC 5321 §4.5.4.1 would wait 30 minutes there, but says itself that faster first retries
// make sense. Three days are less than its four to five: what is not through by then is no news.

import type { World } from '../mail/message.ts'
import type { Random } from '../std/random.ts'

export type Schedule = {
  /** The pause after the first, second … attempt; the last one repeats. */
  readonly delaysMs: readonly number[]
  /** Every pause is this share longer or shorter, by chance, so that nothing comes in waves. */
  readonly jitter: number
  /** Age at which an entry ends as expired. */
  readonly expireAfterMs: number
  /** Age at which the sender hears once that the mail is late. */
  readonly noticeAfterMs: number
}

export type Schedules = Readonly<Record<World, Schedule>>

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const JITTER = 0.2

/** Pauses that double from the first to the longest; a notice after 0 ms is never sent. */
export function doublingSchedule(options: {
  readonly firstMs: number
  readonly longestMs: number
  readonly expireAfterMs: number
  readonly noticeAfterMs: number
}): Schedule {
  const { firstMs, longestMs, expireAfterMs, noticeAfterMs } = options
  const delaysMs: number[] = []
  for (let delay = Math.max(1, firstMs); delay < longestMs; delay *= 2) delaysMs.push(delay)
  delaysMs.push(longestMs)
  const notice = noticeAfterMs > 0 ? noticeAfterMs : Number.POSITIVE_INFINITY
  return { delaysMs, jitter: JITTER, expireAfterMs, noticeAfterMs: notice }
}

/** Short, so that a developer sees the retry, the delay notice and the expiry. */
export const SANDBOX_SCHEDULE: Schedule = {
  delaysMs: [5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE],
  jitter: JITTER,
  expireAfterMs: 10 * MINUTE,
  noticeAfterMs: 3 * MINUTE,
}

/** The pause in milliseconds after attempt number `attempts` (1 is the first). */
export function pauseAfter(schedule: Schedule, attempts: number, random: Random): number {
  const place = Math.min(Math.max(attempts, 1), schedule.delaysMs.length) - 1
  const base = schedule.delaysMs[place] ?? HOUR
  return Math.round(base * (1 + schedule.jitter * (2 * random() - 1)))
}

/** When the longest pause of each world ends that begins now. */
export function latestDue(schedules: Schedules, now: number): Readonly<Record<World, number>> {
  const { live, sandbox } = schedules
  return { live: now + longestPause(live), sandbox: now + longestPause(sandbox) }
}

/** The longest pause in milliseconds that a schedule can order. */
export function longestPause({ delaysMs, jitter }: Schedule): number {
  return Math.ceil(Math.max(...delaysMs) * (1 + jitter))
}
