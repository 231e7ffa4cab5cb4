// What the queue holds in memory, and for which sites: counted, bounded, without any I/O. The
// loader fills it, the scheduler empties it.

import type { DueMessage, QueueEntry, SiteName } from '../mail/entry.ts'
import type { Content, Message, MessageId } from '../mail/message.ts'
import type { Clock } from '../std/clock.ts'
import type { QueueLimits } from './options.ts'
import { EntrySet, type FreshContent, type Parcel } from './parcel.ts'
import { Site, type SiteLimits } from './site.ts'

/** Where mail comes from: its acceptance, a pass in the order of due time, a read for one site. */
export type Origin = 'fresh' | 'order' | 'site'

export type ShelfOptions = {
  readonly limits: QueueLimits
  readonly siteLimits: (site: SiteName) => SiteLimits
  readonly clock: Clock
  /** Is memory's account of this entry newer than what has just been read? */
  readonly isStale: (message: MessageId, index: number) => boolean
  readonly isExpired: (message: Message, entry: QueueEntry) => boolean
  /** Too old: counted in memory, to be ended instead of tried. */
  readonly expire: (site: Site, parcel: Parcel) => void
  /** An entry that is due at `at` found no room. */
  readonly missed: (at: number) => void
}

/** A site that nothing is known of but its window is forgotten after this. */
const SITE_MEMORY_MS = 10 * 60_000
/** And one that failed after this: longer than the longest rest. */
const REST_MEMORY_MS = 60 * 60_000

export class Shelf {
  /** Sites that may start something, in turns. */
  readonly ready = new Set<Site>()
  readonly known = new EntrySet()
  /** Entries that an operator is ending: nothing starts them. */
  readonly withheld = new EntrySet()
  readonly #options: ShelfOptions
  readonly #sites = new Map<SiteName, Site>()
  #contentBytes = 0

  constructor(options: ShelfOptions) {
    this.#options = options
  }

  get sites(): number {
    return this.#sites.size
  }

  get contentBytes(): number {
    return this.#contentBytes
  }

  overflowing(): number {
    let count = 0
    for (const site of this.#sites.values()) if (site.overflow) count += 1
    return count
  }

  /** Their names, the first `most` of them. */
  overflowed(most: number): SiteName[] {
    const names: SiteName[] = []
    for (const site of this.#sites.values()) {
      if (names.length === most) break
      if (site.overflow) names.push(site.name)
    }
    return names
  }

  /** How many more entries memory may hold. */
  room(): number {
    return this.#options.limits.activeEntries - this.known.size
  }

  /** How many more of them may be of this site: its share, and beyond it half of what is free. */
  siteRoom(site: Site): number {
    const own = site.limits.entries ?? this.#options.limits.siteEntries
    const share = Math.max(own, this.room())
    return Math.min(this.room(), share - site.held)
  }

  /** Does the store have more for it, and memory little? */
  wantsRefill(site: Site): boolean {
    if (!site.overflow || site.resting || site.refilling) return false
    return site.held * 2 <= this.#options.limits.siteEntries
  }

  find(name: SiteName): Site | undefined {
    return this.#sites.get(name)
  }

  site(name: SiteName): Site {
    const known = this.#sites.get(name)
    if (known) return known
    const site = new Site(name, this.#options.siteLimits(name), this.#options.clock.elapsed())
    this.#sites.set(name, site)
    return site
  }

  /** Keeps content in memory if the budget allows; `settle` it with free(). */
  keep(content: Content | undefined): FreshContent | undefined {
    if (!content?.whole) return undefined
    const size = content.whole.length
    if (this.#contentBytes + size > this.#options.limits.memoryBytes) return undefined
    this.#contentBytes += size
    return { content, size, parcels: 0 }
  }

  /** One parcel less needs this content; call it with 0 when none ever did. */
  free(fresh: FreshContent | undefined, parcels = 1): void {
    if (!fresh) return
    fresh.parcels -= parcels
    if (fresh.parcels <= 0) this.#contentBytes -= fresh.size
  }

  /** Places what was read from the store. */
  take(due: DueMessage, origin: Origin): void {
    for (const [name, entries] of bySite(due.entries)) {
      const { message } = due
      const wanted = entries.filter(({ index }) => this.#isNew(message.id, index))
      if (wanted.length === 0) continue
      this.place(this.site(name), { message, entries: wanted, fresh: undefined }, origin)
    }
  }

  #isNew(message: MessageId, index: number): boolean {
    return (
      !this.known.has(message, index) &&
      !this.withheld.has(message, index) &&
      !this.#options.isStale(message, index)
    )
  }

  /** Takes a parcel; false when it stays in the store, with its site marked or its time noted. */
  place(site: Site, parcel: Parcel, origin: Origin): boolean {
    if (site.resting || (origin !== 'site' && (site.overflow || site.refilling))) {
      site.overflow = true
      return false
    }
    if (this.siteRoom(site) <= 0) {
      if (this.room() > 0 || origin === 'site') site.overflow = true
      else this.#options.missed(dueAt(parcel.entries[0]!))
      return false
    }
    const { message, entries, fresh } = parcel
    for (const entry of entries) this.known.add(message.id, entry.index)
    site.held += entries.length
    site.usedAt = this.#options.clock.elapsed()
    if (fresh) fresh.parcels += 1
    const { isExpired, expire } = this.#options
    if (origin !== 'fresh' && entries.every((entry) => isExpired(message, entry)))
      expire(site, parcel)
    else site.push(parcel)
    this.offer(site)
    return true
  }

  /** Lets a site have its turn if it has something to start. */
  offer(site: Site): void {
    if (site.ready) this.ready.add(site)
  }

  /**
   * Takes out what a site tries next: one message's entries, as many as go together. Undefined when
   * what waited first is too old to be tried or was taken away.
   */
  next(site: Site): Parcel | undefined {
    const parcel = site.shift()
    if (!parcel) return undefined
    const { message, entries, fresh } = parcel
    if (entries.length === 0) {
      this.free(fresh)
      return undefined
    }
    const old = entries.filter((entry) => this.#options.isExpired(message, entry))
    if (old.length > 0) {
      const young = entries.filter((entry) => !old.includes(entry))
      this.#putBack(site, { message, entries: young, fresh })
      this.#options.expire(site, { message, entries: old, fresh })
      return undefined
    }
    const most = Math.max(1, site.limits.recipientsPerBatch)
    if (entries.length <= most) return parcel
    this.#putBack(site, { message, entries: entries.slice(most), fresh })
    return { message, entries: entries.slice(0, most), fresh }
  }

  #putBack(site: Site, parcel: Parcel): void {
    if (parcel.entries.length === 0) return
    if (parcel.fresh) parcel.fresh.parcels += 1
    site.unshift(parcel)
  }

  /** These entries leave memory. */
  forget(site: Site, message: MessageId, entries: readonly QueueEntry[]): void {
    for (const entry of entries) this.known.delete(message, entry.index)
    site.held -= entries.length
  }

  /** Forgets sites that have long been idle. */
  sweep(): void {
    const now = this.#options.clock.elapsed()
    for (const [name, site] of this.#sites) {
      if (!site.idle || site.resting) continue
      if (now - site.usedAt > (site.failing ? REST_MEMORY_MS : SITE_MEMORY_MS))
        this.#sites.delete(name)
    }
  }
}

/** The entries of one message by site; as a rule there is one. */
export function bySite(
  entries: readonly QueueEntry[],
): Iterable<readonly [SiteName, readonly QueueEntry[]]> {
  const first = entries[0]
  if (!first) return []
  if (entries.every((entry) => entry.site === first.site)) return [[first.site, entries]]
  return Map.groupBy(entries, (entry) => entry.site)
}

/** When an entry wanted to be tried. */
export function dueAt(entry: QueueEntry): number {
  return entry.state.kind === 'ready' ? entry.state.at : entry.acceptedAt
}
