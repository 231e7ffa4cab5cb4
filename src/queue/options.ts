// What the scheduler is given, and what it tells of itself.

import type { Record } from '../events/event.ts'
import type { Deliver } from '../mail/batch.ts'
import type { SiteName } from '../mail/entry.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { Random } from '../std/random.ts'
import type { Store } from '../store/store.ts'
import type { Settler } from './batch.ts'
import type { Schedules } from './schedule.ts'
import type { SiteLimits } from './site.ts'
import type { SteadyTime } from './steady.ts'

export type QueueLimits = {
  /** Entries in memory: waiting, in flight, being settled. */
  readonly activeEntries: number
  /** Of them for one site; more only as long as there is as much room again for others. */
  readonly siteEntries: number
  /** Attempts at once. */
  readonly inFlight: number
  /** Content of fresh mail that is kept for its first attempt. */
  readonly memoryBytes: number
}

export const QUEUE_LIMITS: QueueLimits = {
  activeEntries: 10_000,
  siteEntries: 1_000,
  inFlight: 500,
  memoryBytes: 64 * 1024 * 1024,
}

export type SchedulerOptions = {
  readonly store: Store
  readonly deliver: Deliver
  readonly settler: Settler
  readonly siteLimits: (site: SiteName) => SiteLimits
  /** Nothing waits longer than their longest pause after a step of the clock. */
  readonly schedules: Schedules
  /** The same that the settler has. */
  readonly time: SteadyTime
  readonly clock: Clock
  readonly log: Log
  readonly events: Record
  readonly random: Random
  readonly limits: QueueLimits
}

export type QueueStats = {
  readonly inFlight: number
  /** Attempts that are over but not yet durable. */
  readonly unsettled: number
  /** Entries in memory, those in flight included. */
  readonly active: number
  readonly sites: number
  readonly resting: number
  /** Sites that have more in the store than in memory. */
  readonly overflowing: number
  readonly contentBytes: number
}
