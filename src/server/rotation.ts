// Keys take each other's place: what an operator asks of them, and the chore that carries it on.
//
// A rotation has no state of its own: it is in the states of the keys, which are durable, so after a
// crash the chore simply goes on where they stand. New keys wait until every server of the zone
// shows their record; only then do they sign. What can go wrong is DNS: then nothing changes, and the
// old key signs on.

import type { KeySight } from '../api/keys.ts'
import {
  abort,
  activate,
  type DkimKey,
  endRetiring,
  type Retirement,
  retire,
  stateOf,
} from '../dkim/lifecycle.ts'
import type { Domain } from '../mail/domain.ts'
import type { Clock, Timer } from '../std/clock.ts'
import { Gate } from '../std/gate.ts'
import type { Log } from '../std/log.ts'
import type { Random } from '../std/random.ts'
import type { Domains } from './domains.ts'
import { type HeldKey, textOf } from './keys.ts'
import { type LookForKey, SEEN_INSIDE } from './publication.ts'

/** The chore looks whether something is due this often; what is due is decided by the age of a key. */
const ROUND_MS = 60_000
/** A key that was made a minute ago is looked for every minute, one of a day every hour. */
const SOONEST_LOOK_MS = 60_000
const LATEST_LOOK_MS = 3_600_000
const LOOK_FRACTION = 0.05
/** Zones asked at once, and in one round; the rest has the next. */
const LOOKS_AT_ONCE = 4
const LOOKS_PER_ROUND = 50
/** People who watch do not ask the world's servers more often than this. */
const LEAST_BETWEEN_LOOKS_MS = 3_000
/** How long an operator waits for servers that do not answer. */
const PATIENCE_MS = 10_000

export type RotationOptions = {
  readonly domains: Domains
  readonly look: LookForKey
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** How long a key's record stays of use after its last signature. */
  readonly keepMs: number
}

/** How far a rotation came for one key. */
export class Rotations implements Disposable {
  readonly keepMs: number
  readonly #options: RotationOptions
  readonly #gate = new Gate(LOOKS_AT_ONCE)
  /** What was seen last, by record name. */
  readonly #sights = new Map<string, KeySight & { readonly elapsed: number }>()
  #timer: Timer | undefined
  #closed = false

  constructor(options: RotationOptions) {
    this.#options = options
    this.keepMs = options.keepMs
  }

  /** Starts the chore: a first round at once, for a restart may have come between two stages. */
  start(): void {
    this.#timer = this.#options.clock.after(0, () => void this.#round())
  }

  [Symbol.dispose](): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  sightOf(domain: Domain, selector: string): KeySight | undefined {
    const sight = this.#sights.get(nameOf(domain, selector))
    if (!sight) return undefined
    const { elapsed: _, ...rest } = sight
    return rest
  }

  /**
   * Looks for the coming keys of a domain; resolves when those that are seen sign, or when somebody
   * has waited long enough: then the looking goes on, and the next one is told.
   */
  async look(domain: Domain): Promise<void> {
    const coming = this.#held(domain).filter(({ record }) => stateOf(record) === 'coming')
    if (coming.length === 0) return
    const enough = new AbortController()
    const patience = this.#options.clock.sleep(PATIENCE_MS, enough.signal).catch(() => undefined)
    const looking = Promise.all(coming.map((key) => this.#lookFor(domain, key)))
    await Promise.race([looking, patience]).finally(() => enough.abort())
  }

  /** Gives the coming keys of a domain up. */
  async abort(domain: Domain): Promise<boolean> {
    const { clock, log, domains } = this.#options
    log.info({ domain }, 'the rotation of DKIM keys was given up')
    return domains.change(domain, async (held) => ({ keys: abort(recordsOf(held), clock.now()) }))
  }

  /** Takes a key one state on. */
  async retire(
    domain: Domain,
    selector: string,
    { atOnce }: { readonly atOnce: boolean },
  ): Promise<Retirement['kind']> {
    const { clock, log, domains } = this.#options
    let kind = 'no-such-key' as Retirement['kind']
    await domains.change(domain, async (held) => {
      const keys = recordsOf(held)
      const done = retire(keys, selector, { now: clock.now(), atOnce })
      kind = done.kind
      return { keys: done.kind === 'keys' ? done.keys : keys }
    })
    if (kind === 'keys') log.info({ domain, selector }, 'a DKIM key was taken out of use')
    return kind
  }

  /** Everything that is due now; resolves when it is done. */
  async round(): Promise<void> {
    const all = this.#options.domains.list().map(({ domain }) => domain as Domain)
    for (const domain of all) await this.#endRetiring(domain)
    const due = all
      .flatMap((domain) => this.#held(domain).map((key) => ({ domain, key })))
      .filter(({ domain, key }) => this.#isDue(domain, key.record))
      .slice(0, LOOKS_PER_ROUND)
    await Promise.all(due.map(({ domain, key }) => this.#lookFor(domain, key)))
  }

  async #round(): Promise<void> {
    const { clock, random, log } = this.#options
    await this.round().catch((error: unknown) =>
      log.warn({ error: String(error) }, 'the keys were not looked after; the next round will'),
    )
    if (this.#closed) return
    this.#timer = clock.after(ROUND_MS * (0.8 + 0.4 * random()), () => void this.#round())
  }

  #held(domain: Domain): readonly HeldKey[] {
    const entry = this.#options.domains.keysOf(domain)
    return entry && !entry.keyInConfig ? entry.keys : []
  }

  #isDue(domain: Domain, record: DkimKey): boolean {
    if (stateOf(record) !== 'coming') return false
    const { clock } = this.#options
    const last = this.#sights.get(nameOf(domain, record.selector))
    if (!last) return true
    const age = clock.now() - (record.createdAt ?? 0)
    const pause = Math.min(Math.max(age * LOOK_FRACTION, SOONEST_LOOK_MS), LATEST_LOOK_MS)
    // A round comes early by jitter: half of it early is not early.
    return clock.elapsed() - last.elapsed >= pause - ROUND_MS / 2
  }

  async #lookFor(domain: Domain, key: HeldKey): Promise<void> {
    const { clock, domains, look, log } = this.#options
    const { selector } = key.record
    const txt = textOf(key)
    if (txt === undefined) return
    const name = nameOf(domain, selector)
    const last = this.#sights.get(name)
    if (last && clock.elapsed() - last.elapsed < LEAST_BETWEEN_LOOKS_MS) return
    const inside = domains.worldOf(domain) === 'sandbox'
    const seen = inside ? SEEN_INSIDE : await this.#gate.run(() => look({ domain, selector, txt }))
    this.#sights.set(name, { ...seen, checkedAt: clock.now(), elapsed: clock.elapsed() })
    if (seen.kind !== 'published') return
    await domains.change(domain, async (held) => ({
      // It went live while we looked inside: then what we saw is not what the world sees.
      keys:
        inside && domains.worldOf(domain) !== 'sandbox'
          ? recordsOf(held)
          : activate(recordsOf(held), selector, clock.now()),
    }))
    this.#sights.delete(name)
    log.info({ domain, selector }, 'every name server shows the new DKIM key: it signs from now on')
  }

  async #endRetiring(domain: Domain): Promise<void> {
    const { clock, domains, log } = this.#options
    const over = { now: clock.now(), keepMs: this.keepMs }
    const before = recordsOf(this.#held(domain))
    if (endRetiring(before, over) === before) return
    await domains.change(domain, async (held) => ({ keys: endRetiring(recordsOf(held), over) }))
    log.info({ domain }, 'an old DKIM key has retired: its record may be removed')
  }
}

function recordsOf(held: readonly HeldKey[]): readonly DkimKey[] {
  return held.map(({ record }) => record)
}

const nameOf = (domain: string, selector: string): string => `${selector}._domainkey.${domain}`
