// Brings what is due from the store into memory, and no more than fits. It keeps a cursor in the
// order of due time with one promise: every ready entry at or before the cursor is in memory, or its
// site is marked `overflow`. So a pass reads each entry once, and of a million entries of one dead
// site it reads as many as fit and then passes over the rest. Reads are single-flight: never two at a time.

import type { EntryKey } from '../mail/entry.ts'
import type { MessageId } from '../mail/message.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { DueCursor, Store } from '../store/store.ts'
import { EntrySet } from './parcel.ts'
import type { Shelf } from './shelf.ts'
import type { Site } from './site.ts'
import type { SteadyTime } from './steady.ts'

const PAGE = 500
const REFILL = 1_000
const MOST_EXCEPTIONS = 1_000
/**
 * A pass follows the one before at the earliest after this, so that fresh mail, which the store has
 * as due until it is settled, causes no reading.
 */
const PASS_SPACING_MS = 250
const RETRY_READ_MS = 5_000
const AFTER_ALL: EntryKey = {
  message: Number.MAX_SAFE_INTEGER as MessageId,
  index: Number.MAX_SAFE_INTEGER,
}

export class Loader {
  readonly #store: Store
  readonly #time: SteadyTime
  readonly #clock: Clock
  readonly #log: Log
  readonly #shelf: Shelf
  readonly #rested: () => void
  readonly #roomWanted: number
  readonly #refills = new Set<Site>()
  /** Entries that left memory during the read that is under way: what it brings of them is stale. */
  readonly #gone = new EntrySet()
  #cursor: DueCursor | undefined
  /** How far the order has been read, or is being read. */
  #reached = Number.NEGATIVE_INFINITY
  #pullTo = Number.POSITIVE_INFINITY
  #passing = true
  #nextAt = Number.POSITIVE_INFINITY
  #notBefore = 0
  #failedUntil = 0
  #reading = false
  #stopped = false

  constructor(options: {
    store: Store
    time: SteadyTime
    clock: Clock
    log: Log
    shelf: Shelf
    activeEntries: number
    /** Called when reading has come to rest. */
    rested: () => void
  }) {
    this.#store = options.store
    this.#time = options.time
    this.#clock = options.clock
    this.#log = options.log
    this.#shelf = options.shelf
    this.#rested = options.rested
    this.#roomWanted = Math.max(1, Math.floor(options.activeEntries / 10))
  }

  /** A read is under way. */
  get reading(): boolean {
    return this.#reading
  }

  /** The store may have due entries that no one has looked at. */
  get behind(): boolean {
    return this.#passing
  }

  /** Milliseconds until there is something to read; infinite when nothing is known. */
  wait(): number {
    if (this.#stopped) return Number.POSITIVE_INFINITY
    if (!this.#roomy()) return Number.POSITIVE_INFINITY
    const elapsed = this.#clock.elapsed()
    const quiet = Math.max(0, this.#failedUntil - elapsed)
    if (this.#passing) return quiet
    return Math.max(quiet, this.#nextAt - this.#time.now(), this.#notBefore - elapsed)
  }

  /** An entry in the store is due at `at` and not in memory. */
  missed(at: number): void {
    if (at <= this.#reached) {
      this.#pullTo = Math.min(this.#pullTo, at - 1)
      this.#passing = true
    } else if (at < this.#nextAt) {
      this.#nextAt = at
    }
  }

  /** This entry left memory. */
  gone(message: MessageId, index: number): void {
    if (this.#reading) this.#gone.add(message, index)
  }

  /** Is this entry, just read, older than what memory knew? */
  isGone(message: MessageId, index: number): boolean {
    return this.#gone.has(message, index)
  }

  /** Orders a read for a site that has more in the store. */
  refill(site: Site): void {
    if (site.refilling || this.#stopped) return
    site.refilling = true
    this.#refills.add(site)
    this.poke()
  }

  /** Starts over from the beginning of time. */
  reset(): void {
    this.#pullTo = Number.NEGATIVE_INFINITY
    this.#passing = true
    this.poke()
  }

  stop(): void {
    this.#stopped = true
  }

  /** Reads if there is something to read. */
  poke(): void {
    if (this.#reading || !this.#wants()) return
    this.#reading = true
    this.#work().catch((error) => this.#failed(error))
  }

  #roomy(): boolean {
    return this.#shelf.room() >= this.#roomWanted
  }

  #wants(): boolean {
    if (this.#stopped || !this.#roomy()) return false
    if (this.#clock.elapsed() < this.#failedUntil) return false
    return this.#refills.size > 0 || this.wait() === 0
  }

  /** Sites and the order of due time take turns, so that neither starves the other. */
  async #work(): Promise<void> {
    while (this.#wants()) {
      for (const site of this.#refills) {
        this.#refills.delete(site)
        await this.#readSite(site)
        break
      }
      if (this.#roomy() && this.wait() === 0) await this.#readPage()
    }
    this.#reading = false
    this.#gone.clear()
    this.#rested()
  }

  async #readPage(): Promise<void> {
    const now = this.#time.now()
    this.#begin()
    // What is missed from now on may be behind this page, though the cursor is not there yet.
    this.#reached = now
    const limit = Math.min(PAGE, this.#shelf.room())
    const batch = await this.#store.due({
      now,
      limit,
      ...(this.#cursor && { after: this.#cursor }),
      // They would stay where they are: those sites are read by themselves when they have room.
      except: this.#shelf.overflowed(MOST_EXCEPTIONS),
    })
    this.#cursor = batch.next ?? { at: now, key: AFTER_ALL }
    this.#reached = this.#cursor.at
    for (const due of batch.messages) this.#shelf.take(due, 'order')
    if (batch.next || this.#pullTo < this.#cursor.at) return
    this.#passing = false
    this.#notBefore = this.#clock.elapsed() + PASS_SPACING_MS
    const next = await this.#store.nextDue(now)
    if (next !== undefined) this.missed(Math.max(next, this.#cursor.at + 1))
  }

  /** A new pass, or the next page of one; what is pulled back is read again. */
  #begin(): void {
    this.#gone.clear()
    if (!this.#passing) {
      // What was accepted since the last pass is in memory, else missed() had pulled us back.
      const from = this.#nextAt - 1
      if (this.#cursor && from > this.#cursor.at) this.#cursor = { at: from, key: AFTER_ALL }
      this.#passing = true
    }
    this.#nextAt = Number.POSITIVE_INFINITY
    if (this.#cursor && this.#pullTo < this.#cursor.at) {
      this.#cursor = Number.isFinite(this.#pullTo)
        ? { at: this.#pullTo, key: AFTER_ALL }
        : undefined
    }
    this.#pullTo = Number.POSITIVE_INFINITY
  }

  /** The store names no cursor for a site: ask for what memory holds and as much again as fits. */
  async #readSite(site: Site): Promise<void> {
    const wanted = Math.min(REFILL, this.#shelf.siteRoom(site))
    if (wanted <= 0) {
      site.refilling = false
      return
    }
    this.#gone.clear()
    site.overflow = false
    let isMore = false
    try {
      const limit = site.held + wanted
      const found = await this.#store.dueAt(site.name, { now: this.#time.now(), limit })
      isMore = found.next !== undefined
      for (const due of found.messages) this.#shelf.take(due, 'site')
    } catch (error) {
      site.overflow = true
      throw error
    } finally {
      site.refilling = false
      // Mail that came or went back to the store meanwhile may have been missed by this read.
      if (this.#shelf.wantsRefill(site)) this.refill(site)
    }
    if (isMore) site.overflow = true
  }

  /** The store cannot be read: what was wanted is wanted again, a little later. */
  #failed(error: unknown): void {
    this.#log.error({ error }, 'the queue cannot be read')
    this.#failedUntil = this.#clock.elapsed() + RETRY_READ_MS
    this.#passing = false
    this.#pullTo = Number.NEGATIVE_INFINITY
    this.#nextAt = 0
    this.#reading = false
    this.#rested()
  }
}
