// The queue decides when and where: what is due, and which site has room? It holds in memory only
// what is due or in flight, within limits; everything else waits in the store, by index.
//
// How the parts meet: add() takes fresh mail straight from its commit, loader.ts brings what falls
// due, shelf.ts holds both, site.ts has a waiting list (urgent first) and a window for each site. An
// attempt is `deliver`; its consequences are `settler`, durable before they count. Sites take turns.
//
// What can go wrong: a dead site must not fill memory or slots (it rests, its mail goes back to the
// store, and slots are shared so that some are always free); the disk may refuse a settlement (it is
// tried again until it is taken, or mail would be delivered twice); the clock may be set (steady.ts).

import type { QueueEntry } from '../mail/entry.ts'
import type { Attempt, Failure } from '../mail/failure.ts'
import type { Content, MessageId } from '../mail/message.ts'
import { Alarm } from '../std/alarm.ts'
import type { NewMessage } from '../store/store.ts'
import { contentOf, HeldBatch, type Settled } from './batch.ts'
import { Chores } from './chores.ts'
import { attemptOnce } from './faults.ts'
import { Loader } from './loader.ts'
import type { QueueStats, SchedulerOptions } from './options.ts'
import type { Parcel } from './parcel.ts'
import { persist } from './persist.ts'
import { Rests } from './rests.ts'
import { latestDue, longestPause } from './schedule.ts'
import { bySite, dueAt, Shelf } from './shelf.ts'
import { type Site, verdictOn } from './site.ts'

const HEARTBEAT_MS = 60_000
const BEATS_PER_AUDIT = 60
const CHORES_AT_ONCE = 32
const GIVE_UP_MS = 5_000 // for aborted attempts to come back

export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #shelf: Shelf
  readonly #loader: Loader
  readonly #chores: Chores
  readonly #rests = new Rests()
  readonly #alarm: Alarm
  readonly #abort = new AbortController()
  #inFlight = 0
  #unsettled = 0
  /** Attempts that were aborted, or whose outcome the disk refused until the server stopped. */
  #unrecorded = 0
  #running = false
  #pumping = false
  #beatAt = 0
  #beats = 0
  #wakes = 0
  #wokenSince = Number.POSITIVE_INFINITY
  readonly #idlers: (() => void)[] = []

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#alarm = new Alarm(options.clock, () => this.#tick())
    this.#chores = new Chores(CHORES_AT_ONCE, () => this.#rested())
    this.#shelf = new Shelf({
      ...options,
      isStale: (message, index) => this.#loader.isGone(message, index),
      isExpired: options.settler.isExpired,
      expire: (site, parcel) => this.#expire(site, parcel),
      missed: (at) => this.#loader.missed(at),
    })
    this.#loader = new Loader({
      ...options,
      shelf: this.#shelf,
      activeEntries: options.limits.activeEntries,
      rested: () => this.#rested(),
    })
  }

  /** Begins; what is due in the store is read in the background. */
  async start(): Promise<void> {
    const { store, time, clock, schedules } = this.#options
    time.saw(store.nextMessageId())
    await store.clampDue(latestDue(schedules, time.now()))
    // What a repair has brought back may be older than all that was looked at.
    store.onRepair(() => this.wake(0))
    this.#running = true
    this.#beatAt = clock.elapsed() + HEARTBEAT_MS
    this.#loader.poke()
    this.#proceed()
  }

  /**
   * Takes mail that has just become durable, without reading the disk. What does not fit in memory
   * waits in the store.
   * @param content as far as it is in memory; by default the rows of `message`
   */
  add(message: NewMessage, content: Content | undefined = contentOf(message)): void {
    const { limits, time } = this.#options
    const { id } = message.message
    time.saw(id)
    // While older mail waits in the store, fresh mail leaves a quarter of the memory to it.
    const reserve = this.#loader.behind ? limits.activeEntries / 4 : 0
    const fresh = this.#shelf.keep(content)
    let left = false
    for (const [site, entries] of bySite(message.entries)) {
      if (this.#shelf.room() > reserve) {
        const parcel = { message: message.message, entries, fresh }
        if (!this.#shelf.place(this.#shelf.site(site), parcel, 'fresh')) left = true
      } else {
        this.#loader.missed(dueAt(entries[0]!))
        left = true
      }
    }
    if (fresh?.parcels === 0) this.#shelf.free(fresh, 0)
    if (left) this.#leave(id)
    this.#pump()
  }

  /** Something in the store is due then, such as mail that is to leave later. */
  expect(at: number): void {
    this.#loader.missed(at)
    this.#arm()
  }

  /** Fresh mail stays in the store. After a forward jump of the clock its time is our future. */
  #leave(id: MessageId): void {
    const { time, store, log } = this.#options
    if (time.lag() > 0)
      store
        .retry({ message: id }, time.now())
        .catch((error) => log.error({ error }, 'fresh mail waits for the clock'))
    this.#loader.poke()
    this.#arm()
  }

  /**
   * An operator changed something: rests end, and what is due since `since` is looked at again.
   * @param since the due time that was given to entries; a minute ago by default
   */
  wake(since: number = this.#options.time.now() - HEARTBEAT_MS): void {
    this.#wakes += 1
    const busy = this.#inFlight + this.#unsettled > 0
    this.#wokenSince = busy ? Math.min(this.#wokenSince, since) : since
    this.#endRests(Number.POSITIVE_INFINITY)
    this.#loader.missed(since)
    this.#loader.poke()
    this.#proceed()
  }

  /**
   * Keeps entries of one message from being started, and takes those that wait out of memory.
   * Returns the indexes that are in flight, which cannot be kept. Call `release` in the end.
   */
  withhold(message: MessageId, entries: readonly QueueEntry[]): ReadonlySet<number> {
    const flying = new Set<number>()
    for (const entry of entries) {
      const site = this.#shelf.find(entry.site)
      if (site?.remove(message, entry.index)) this.#forget(site, message, [entry])
      else if (this.#shelf.known.has(message, entry.index)) {
        flying.add(entry.index)
        continue
      }
      this.#shelf.withheld.add(message, entry.index)
    }
    return flying
  }

  /** Ends `withhold`; entries that are still in the store are found again. */
  release(message: MessageId, entries: readonly QueueEntry[]): void {
    for (const entry of entries) {
      this.#shelf.withheld.delete(message, entry.index)
      this.#loader.gone(message, entry.index)
      const site = this.#shelf.site(entry.site)
      site.overflow = true
      this.#refill(site)
    }
  }

  /**
   * Stops starting, and waits for what is in flight; after `deadlineMs` attempts are aborted.
   * Resolves to the number of attempts that are not settled: they are repeated after a restart.
   */
  async drain(deadlineMs: number): Promise<number> {
    this.#running = false
    this.#loader.stop()
    this.#alarm.off()
    this.#chores.drop()
    for (const wait of [deadlineMs, GIVE_UP_MS]) {
      const over = new AbortController()
      await Promise.race([
        this.idle(),
        this.#options.clock.sleep(wait, over.signal).catch(() => {}),
      ])
      over.abort()
      if (!this.#busy()) break
      this.#abort.abort(new Error('shutting down'))
    }
    return this.#inFlight + this.#unsettled + this.#unrecorded
  }

  /** Resolves when nothing is in flight, being read or being settled, and nothing can be started. */
  async idle(): Promise<void> {
    while (this.#busy()) await new Promise<void>((resolve) => this.#idlers.push(resolve))
  }

  stats(): QueueStats {
    return {
      inFlight: this.#inFlight,
      unsettled: this.#unsettled,
      active: this.#shelf.known.size,
      sites: this.#shelf.sites,
      resting: this.#rests.size,
      overflowing: this.#shelf.overflowing(),
      contentBytes: this.#shelf.contentBytes,
    }
  }

  #busy(): boolean {
    return this.#inFlight + this.#unsettled > 0 || this.#loader.reading || this.#chores.busy
  }

  /** Starts what can be started: one batch a site, in turns. */
  #pump(): void {
    if (!this.#running || this.#pumping) return
    this.#pumping = true
    const { limits, log } = this.#options
    const { inFlight } = limits
    for (const site of this.#shelf.ready) {
      if (this.#inFlight >= inFlight || this.#unsettled >= inFlight) break
      this.#shelf.ready.delete(site)
      if (!site.ready) continue
      // However many slow sites there are, one that has nothing in flight finds a free slot; the
      // others come again when one of theirs ends.
      if (site.inFlight > 0 && site.inFlight >= inFlight - this.#inFlight) continue
      const parcel = this.#shelf.next(site)
      if (parcel)
        this.#attempt(site, parcel).catch((error) => log.error({ error }, 'a fault in the queue'))
      this.#shelf.offer(site)
    }
    this.#pumping = false
  }

  async #attempt(site: Site, parcel: Parcel): Promise<void> {
    const { clock, deliver, settler, log, events } = this.#options
    const batch = this.#batch(site, parcel)
    const startedAt = clock.elapsed()
    site.inFlight += 1
    this.#inFlight += 1
    const attempt = await attemptOnce(batch, deliver, { clock, log, signal: this.#abort.signal })
    site.inFlight -= 1
    this.#inFlight -= 1
    site.unsettled += 1
    this.#unsettled += 1
    if (batch.damage)
      events({ kind: 'damaged', message: batch.message.id, why: batch.damage.message })
    if (attempt) {
      this.#judge(site, attempt, startedAt)
      this.#turn(site)
      await this.#record(() => settler.settle(batch, attempt))
    } else this.#unrecorded += 1
    site.unsettled -= 1
    this.#unsettled -= 1
    this.#finish(site, batch)
  }

  #batch(site: Site, { message, entries, fresh }: Parcel): HeldBatch {
    const options = { site: site.name, entries, fresh, wakes: this.#wakes }
    return new HeldBatch(this.#options.store, message, options)
  }

  /** The site's window follows what the attempt says of it. */
  #judge(site: Site, attempt: Attempt, startedAt: number): void {
    const verdict = verdictOn(attempt)
    if (verdict.kind === 'success') site.succeeded()
    else if (verdict.kind === 'session') site.stumbled()
    else if (verdict.kind === 'site') {
      const { clock, random } = this.#options
      const restMs = site.failed({ startedAt, now: clock.elapsed(), random })
      if (restMs !== undefined) this.#rest(site, restMs, verdict.failure)
    }
  }

  /** The site rests; what waited for it in memory waits as if it had met the same failure. */
  #rest(site: Site, restMs: number, failure: Failure): void {
    const { settler, events, log } = this.#options
    const parcels = site.takeAll()
    this.#rests.add(site)
    const entries = parcels.reduce((sum, parcel) => sum + parcel.entries.length, 0)
    events({ kind: 'site-rested', site: site.name, restMs, entries, failure })
    for (const parcel of parcels) {
      const batch = this.#batch(site, parcel)
      this.#chores.add(async () => {
        try {
          if (parcel.entries.length > 0) this.#follow(await settler.settleDeferred(batch, failure))
        } catch (error) {
          log.error({ error, site: site.name }, 'mail of a resting site could not be deferred')
          site.overflow = true
        }
        this.#finish(site, batch)
      })
    }
    this.#arm()
  }

  /** Ends a parcel that is too old, without a try. */
  #expire(site: Site, parcel: Parcel): void {
    const { settler } = this.#options
    const batch = this.#batch(site, parcel)
    this.#chores.add(async () => {
      await this.#record(() => settler.settleExpired(batch))
      this.#finish(site, batch)
    })
  }

  async #record(settle: () => Promise<Settled>): Promise<void> {
    const { clock, log } = this.#options
    const settled = await persist(settle, { clock, log, signal: this.#abort.signal })
    if (settled) this.#follow(settled)
    else this.#unrecorded += 1
  }

  #follow({ nextDue, notices }: Settled): void {
    if (nextDue !== undefined) this.expect(nextDue)
    for (const notice of notices) this.add(notice)
  }

  #finish(site: Site, batch: HeldBatch): void {
    this.#shelf.free(batch.fresh)
    this.#forget(site, batch.message.id, batch.entries)
    // An operator changed due times meanwhile: a pass may have skipped these as being in memory.
    if (batch.wakes !== this.#wakes) this.#loader.missed(this.#wokenSince)
    this.#turn(site)
    this.#rested()
  }

  #forget(site: Site, message: MessageId, entries: readonly QueueEntry[]): void {
    for (const entry of entries) this.#loader.gone(message, entry.index)
    this.#shelf.forget(site, message, entries)
    this.#refill(site)
  }

  #refill(site: Site): void {
    if (this.#shelf.wantsRefill(site)) this.#loader.refill(site)
  }
  #turn(site: Site): void {
    this.#shelf.offer(site)
    this.#pump()
  }

  /** Something has come to an end: perhaps there is room to read, perhaps nothing is left to do. */
  #rested(): void {
    this.#loader.poke()
    if (!this.#loader.reading) this.#proceed()
    if (this.#busy()) return
    for (const idler of this.#idlers.splice(0)) idler()
  }

  #proceed(): void {
    this.#pump()
    this.#arm()
  }

  /** One timer for all: the next read, the next end of a rest, the heartbeat. */
  #arm(): void {
    if (!this.#running) return
    const now = this.#options.clock.elapsed()
    const readAt = this.#loader.reading ? Number.POSITIVE_INFINITY : now + this.#loader.wait()
    this.#alarm.by(Math.min(readAt, this.#rests.wakeAt, this.#beatAt))
  }

  #tick(): void {
    const { clock, time } = this.#options
    time.now()
    if (time.wentBack()) this.#chores.add(() => this.#followClock())
    const now = clock.elapsed()
    this.#endRests(now)
    if (now >= this.#beatAt) {
      this.#beatAt = now + HEARTBEAT_MS
      this.#shelf.sweep()
      // Whatever was overlooked, it is found within the hour.
      if (++this.#beats % BEATS_PER_AUDIT === 0) this.#loader.reset()
    }
    this.#loader.poke()
    this.#proceed()
  }

  /** Ends the rests that are over at `now` of the monotonic clock. */
  #endRests(now: number): void {
    for (const site of this.#rests.wake(now)) {
      this.#options.events({ kind: 'site-woke', site: site.name })
      this.#shelf.offer(site)
      this.#refill(site)
    }
  }

  /** The wall clock was set back: nothing may wait for a time that is now far away. */
  async #followClock(): Promise<void> {
    const { store, time, events, schedules, clock, log } = this.#options
    events({ kind: 'clock-stepped', longestWaitMs: longestPause(schedules.live) })
    const clamp = () => store.clampDue(latestDue(schedules, time.now()))
    await persist(clamp, { clock, log, signal: this.#abort.signal })
    this.#loader.reset()
    this.#proceed()
  }
}
