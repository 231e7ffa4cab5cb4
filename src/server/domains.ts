// The domains that this server sends for: those of the configuration and those added at run time,
// each with its keys in the data folder's `keys/` and in the key ring that the signer uses.
//
// Every change of a domain's keys goes through change(): one after the other, durable before the
// signer sees it.

import { join } from 'node:path'
import { ControlFault, type DomainView, type NewDomain } from '../api/control.ts'
import type { Config, DomainConfig } from '../config/schema.ts'
import { extraFields } from '../dkim/fields.ts'
import { KeyRing, type SigningRules } from '../dkim/keyring.ts'
import { loadKey } from '../dkim/keys.ts'
import { addKeys, type DkimKey, type KeyState, stateOf } from '../dkim/lifecycle.ts'
import { selectorFor, selectorOf } from '../dkim/selector.ts'
import type { Domain } from '../mail/domain.ts'
import { parseDomain } from '../mail/domain.ts'
import type { World } from '../mail/message.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { DomainRecord, Store } from '../store/store.ts'
import { type FreshKey, type HeldKey, KeyFolder, signingKeys, textOf } from './keys.ts'

type Entry = {
  readonly record: DomainRecord
  readonly source: 'config' | 'store'
  readonly keys: readonly HeldKey[]
  readonly rules: SigningRules
  /** The configuration names the key's file: nothing here may change it. */
  readonly keyInConfig: boolean
  /** The configuration says in which world its mail travels. */
  readonly worldInConfig: boolean
}

/** A key whose record DNS should hold. */
export type PublishedKey = {
  readonly selector: string
  readonly txt: string
  readonly algorithm: DkimKey['algorithm']
  /** Coming ones do not sign yet, retiring ones no more. */
  readonly state: Exclude<KeyState, 'retired'>
}

type Dependencies = {
  readonly store: Pick<Store, 'domains' | 'saveDomain' | 'removeDomain'>
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
}

/** What a change of a domain's keys starts from, and may add. */
export type KeyChange = (
  held: readonly HeldKey[],
) => Promise<{ readonly keys: readonly DkimKey[]; readonly fresh?: readonly FreshKey[] }>

export class Domains {
  readonly keyring = new KeyRing()
  readonly folder: KeyFolder
  readonly #entries = new Map<Domain, Entry>()
  readonly #deps: Dependencies
  /** Settles when the last change has ended. */
  #changed: Promise<unknown> = Promise.resolve()

  private constructor(deps: Dependencies) {
    this.#deps = deps
    this.folder = new KeyFolder(join(deps.config.data, 'keys'), deps.log)
  }

  /**
   * Loads every domain's keys; makes those that a configured domain lacks. A key that cannot be read
   * leaves its domain without one, and live mail for it is refused.
   */
  static async open(deps: Dependencies): Promise<Domains> {
    const domains = new Domains(deps)
    const stored = new Map((await deps.store.domains()).map((record) => [record.domain, record]))
    for (const [name, settings] of Object.entries(deps.config.domains)) {
      const domain = name as Domain
      const known = stored.get(domain)
      stored.delete(domain)
      await domains.#configure(domain, settings, known)
    }
    for (const record of stored.values())
      if (!record.configured) {
        const keys = await domains.folder.load(record.domain, record.keys)
        domains.#enter({ ...ADDED, record, keys })
      }
    return domains
  }

  /** The world of a domain's mail; undefined for a domain that is not ours. */
  worldOf(domain: Domain): World | undefined {
    return this.#entries.get(domain)?.record.world
  }

  /** Mail of one of them at least leaves. */
  get anyLive(): boolean {
    for (const { record } of this.#entries.values()) if (record.world === 'live') return true
    return false
  }

  list(): readonly DomainView[] {
    return [...this.#entries.values()]
      .map(view)
      .sort((a, b) => (a.domain < b.domain ? -1 : a.domain > b.domain ? 1 : 0))
  }

  /** What DNS must hold of a domain's keys; undefined for a domain that is not ours. */
  published(domain: Domain): readonly PublishedKey[] | undefined {
    return this.#entries.get(domain)?.keys.flatMap((key) => {
      const { selector, algorithm } = key.record
      const state = stateOf(key.record)
      const txt = textOf(key)
      return state === 'retired' || txt === undefined ? [] : [{ selector, algorithm, state, txt }]
    })
  }

  /** Every key of a domain, retired ones too; undefined for a domain that is not ours. */
  keysOf(domain: Domain): Pick<Entry, 'keys' | 'keyInConfig'> | undefined {
    return this.#entries.get(domain)
  }

  /** Throws ControlFault NOT_A_DOMAIN, DOMAIN_EXISTS, BAD_KEY, BAD_SELECTOR. */
  async add(request: NewDomain): Promise<DomainView> {
    const domain = parseDomain(request.domain)
    if (!domain) throw new ControlFault('NOT_A_DOMAIN', `${request.domain} is not a domain name`)
    return this.#inTurn(async () => {
      if (this.#entries.has(domain))
        throw new ControlFault('DOMAIN_EXISTS', `${domain} is here already`)
      const { selector, importPem: pem, flags } = request
      const room = { now: this.#deps.clock.now(), taken: new Set<string>() }
      const wish = { ...(selector !== undefined && { selector }), ...(flags?.length && { flags }) }
      const first =
        pem === undefined
          ? await this.folder.make(domain, { ...wish, algorithm: 'rsa-sha256' }, room)
          : await this.folder.import(domain, { ...wish, pem }, room)
      const second = request.ed25519 ? [await this.#makeEd25519(domain, selector)] : []
      const record = { domain, world: request.world, keys: [], createdAt: room.now }
      const empty = { ...ADDED, record, keys: [] }
      return view(await this.#save(empty, { keys: [], fresh: [first, ...second] }))
    })
  }

  /** False: there is none. Its keys stay on the disk. Throws ControlFault DOMAIN_IN_CONFIG. */
  async remove(name: string): Promise<boolean> {
    const domain = parseDomain(name)
    return this.#inTurn(async () => {
      const entry = domain && this.#entries.get(domain)
      if (!domain || !entry) return false
      if (entry.source === 'config')
        throw new ControlFault('DOMAIN_IN_CONFIG', `${domain} is set in the configuration`)
      await this.#deps.store.removeDomain(domain)
      this.#entries.delete(domain)
      this.keyring.remove(domain)
      return true
    })
  }

  /**
   * Changes a domain's keys, one change at a time over all domains; resolves when the result is
   * durable and in use. False: there is no such domain. Throws ControlFault KEY_IN_CONFIG.
   */
  async change(domain: Domain, step: KeyChange): Promise<boolean> {
    return this.#inTurn(async () => {
      const entry = this.#entries.get(domain)
      if (!entry) return false
      if (entry.keyInConfig)
        throw new ControlFault(
          'KEY_IN_CONFIG',
          `the key of ${domain} is the configuration's (domains.${domain}.key)`,
        )
      await this.#save(entry, await step(entry.keys))
      return true
    })
  }

  /**
   * From here on its mail travels in this world; what was accepted before goes on as it began.
   * Resolves when that is durable. False: there is no such domain.
   * @param change.keys the selectors that were looked at: when others sign by now, nothing is changed
   * Throws ControlFault MODE_IN_CONFIG, KEYS_CHANGED.
   */
  async setWorld(
    domain: Domain,
    world: World,
    change: { readonly keys?: readonly string[] } = {},
  ): Promise<boolean> {
    return this.#inTurn(async () => {
      const entry = this.#entries.get(domain)
      if (!entry) return false
      if (entry.record.world === world) return true
      if (entry.worldInConfig)
        throw new ControlFault(
          'MODE_IN_CONFIG',
          `the configuration sets domains.${domain}.mode: change it there to ${world}, and restart`,
        )
      const { keys = signers(entry) } = change
      if (signers(entry).join() !== keys.join())
        throw new ControlFault(
          'KEYS_CHANGED',
          `the keys of ${domain} changed meanwhile; look again`,
        )
      const chosen = entry.source === 'config' ? { chosenWorld: world } : {}
      const record = { ...entry.record, world, ...chosen }
      await this.#deps.store.saveDomain(record)
      this.#enter({ ...entry, record })
      return true
    })
  }

  async #inTurn<T>(then: () => Promise<T>): Promise<T> {
    const turn = this.#changed.then(then)
    this.#changed = turn.catch(() => undefined)
    return turn
  }

  async #configure(
    domain: Domain,
    settings: DomainConfig,
    known: DomainRecord | undefined,
  ): Promise<void> {
    const rules = rulesOf(settings)
    const { selector } = settings
    const { now } = this.#deps.clock
    const chosen = settings.followsMode ? known?.chosenWorld : undefined
    const record = {
      domain,
      world: chosen ?? settings.mode,
      keys: known?.keys ?? [],
      createdAt: known?.createdAt ?? now(),
      configured: true,
      ...(chosen && { chosenWorld: chosen }),
    }
    const given = { record, source: 'config', rules, worldInConfig: !settings.followsMode } as const
    if (settings.key) {
      const keys = await this.#fromFile(domain, settings.key, selector ?? undefined)
      return this.#enter({ ...given, keys, keyInConfig: true })
    }
    const keys = await this.folder.load(domain, known?.keys ?? [])
    const inUse = keys.filter(({ record }) => stateOf(record) !== 'retired')
    const fresh: FreshKey[] = []
    if (inUse.length === 0) {
      const wish = { algorithm: 'rsa-sha256', ...(selector && { selector }) } as const
      fresh.push(await this.folder.make(domain, wish, { now: now(), taken: new Set() }))
    }
    if (settings.ed25519 && !inUse.some(({ record }) => record.algorithm === 'ed25519-sha256'))
      fresh.push(await this.#makeEd25519(domain, selector ?? undefined))
    const entry = { ...given, keys, keyInConfig: false }
    await this.#save(entry, { keys: keys.map((key) => key.record), fresh })
  }

  /** A key that the operator keeps elsewhere: used where it lies, never copied. */
  async #fromFile(domain: Domain, path: string, wanted: string | undefined): Promise<HeldKey[]> {
    const { clock, log } = this.#deps
    try {
      const reading = await loadKey('', path)
      if (reading.kind === 'fault') throw new Error(reading.fault)
      if (reading.warning) log.warn({ domain, key: path }, reading.warning)
      const { privateKey, algorithm } = reading
      const selector = wanted ?? selectorFor(clock.now())
      return [{ record: { selector, algorithm, file: path }, privateKey }]
    } catch (error) {
      log.error({ domain, key: path, error: String(error) }, 'the DKIM key cannot be read')
      return []
    }
  }

  #makeEd25519(domain: Domain, base: string | undefined): Promise<FreshKey> {
    const algorithm = 'ed25519-sha256'
    const wish = { algorithm, ...(base && { selector: selectorOf(base, algorithm) }) } as const
    return this.folder.make(domain, wish, { now: this.#deps.clock.now(), taken: new Set() })
  }

  async #save(entry: Entry, change: Awaited<ReturnType<KeyChange>>): Promise<Entry> {
    const fresh = change.fresh ?? []
    const records = fresh.map(({ record }) => record)
    const keys =
      fresh.length === 0 ? change.keys : addKeys(change.keys, records, this.#deps.clock.now())
    const record: DomainRecord = { ...entry.record, keys }
    await this.#deps.store.saveDomain(record)
    const known = new Map([...entry.keys, ...fresh].map((one) => [one.record.file, one.privateKey]))
    const held = keys.map((key): HeldKey => {
      const privateKey = known.get(key.file)
      return privateKey ? { record: key, privateKey } : { record: key }
    })
    const saved = { ...entry, record, keys: held }
    this.#enter(saved)
    return saved
  }

  #enter(entry: Entry): void {
    const { keys, rules, record } = entry
    this.#entries.set(record.domain, entry)
    const published = signingKeys(keys, ['coming', 'retiring'])
    this.keyring.add(record.domain, signingKeys(keys, ['active']), {
      ...rules,
      ...(published.length > 0 && { published }),
    })
  }
}

/** What a domain has that was added at run time. */
const ADDED = { source: 'store', rules: {}, keyInConfig: false, worldInConfig: false } as const

/** The selectors of the keys that sign. */
function signers({ keys }: Pick<Entry, 'keys'>): readonly string[] {
  return signingKeys(keys, ['active']).map(({ selector }) => selector)
}

function rulesOf({ canonicalization, signFields, subdomains }: DomainConfig): SigningRules {
  const [header, body] = canonicalization.split('/') as [
    SigningRules['header'],
    SigningRules['body'],
  ]
  const extra = extraFields(signFields)
  return {
    ...(header !== 'relaxed' && { header }),
    ...(body !== 'relaxed' && { body }),
    ...(extra && { extraFields: extra }),
    ...(!subdomains && { exactOnly: true }),
  } as SigningRules
}

function view({ record, source, keys }: Entry): DomainView {
  return {
    domain: record.domain,
    world: record.world,
    source,
    keys: keys
      .map((key) => ({ ...key.record, state: stateOf(key.record) }))
      .filter(({ state }) => state !== 'retired')
      .map(({ selector, algorithm, state }) => ({ selector, algorithm, state })),
    createdAt: record.createdAt,
  }
}
