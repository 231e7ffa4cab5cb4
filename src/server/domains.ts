// The domains that this server sends for: those of the configuration and those added at run time,
// each with its keys in the data folder's `keys/` and in the key ring that the signer uses.

import { join } from 'node:path'
import { ControlFault, type DomainView, type NewDomain } from '../api/control.ts'
import type { Config } from '../config/schema.ts'
import { KeyRing } from '../dkim/keyring.ts'
import {
  keyFileName,
  loadKey,
  makeKey,
  publicText,
  readKey,
  saveKey,
  selectorFor,
} from '../dkim/keys.ts'
import type { SigningKey } from '../dkim/sign.ts'
import type { Domain } from '../mail/domain.ts'
import { parseDomain } from '../mail/domain.ts'
import type { World } from '../mail/message.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { DkimKey, DomainRecord, Store } from '../store/store.ts'

type Entry = {
  readonly record: DomainRecord
  readonly source: 'config' | 'store'
  readonly keys: readonly SigningKey[]
}

export type PublishedKey = { readonly selector: string; readonly txt: string }

type Dependencies = {
  readonly store: Store
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
}

export class Domains {
  readonly keyring = new KeyRing()
  readonly #entries = new Map<Domain, Entry>()
  readonly #deps: Dependencies
  readonly #folder: string

  private constructor(deps: Dependencies) {
    this.#deps = deps
    this.#folder = join(deps.config.data, 'keys')
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
      if (!record.configured)
        domains.#enter({ record, source: 'store', keys: await domains.#load(record) })
    return domains
  }

  /** The world of a domain's mail; undefined for a domain that is not ours. */
  worldOf(domain: Domain): World | undefined {
    return this.#entries.get(domain)?.record.world
  }

  list(): readonly DomainView[] {
    return [...this.#entries.values()]
      .map(view)
      .sort((a, b) => (a.domain < b.domain ? -1 : a.domain > b.domain ? 1 : 0))
  }

  /** What DNS must hold of a domain's keys; undefined for a domain that is not ours. */
  published(domain: Domain): readonly PublishedKey[] | undefined {
    return this.#entries
      .get(domain)
      ?.keys.map((key) => ({ selector: key.selector, txt: publicText(key.privateKey) }))
  }

  /** Throws ControlFault NOT_A_DOMAIN, DOMAIN_EXISTS, BAD_KEY. */
  async add(request: NewDomain): Promise<DomainView> {
    const domain = parseDomain(request.domain)
    if (!domain) throw new ControlFault('NOT_A_DOMAIN', `${request.domain} is not a domain name`)
    if (this.#entries.has(domain))
      throw new ControlFault('DOMAIN_EXISTS', `${domain} is here already`)
    const pem = request.importPem
    const keys = [
      await this.#makeOrImport(domain, { selector: request.selector, pem }),
      ...(request.ed25519 ? [await this.#make(domain, 'ed25519-sha256', request.selector)] : []),
    ]
    const entry = await this.#save(domain, { world: request.world, keys, source: 'store' })
    return view(entry)
  }

  /** False: there is none. Its keys stay on the disk. Throws ControlFault DOMAIN_IN_CONFIG. */
  async remove(name: string): Promise<boolean> {
    const domain = parseDomain(name)
    const entry = domain && this.#entries.get(domain)
    if (!domain || !entry) return false
    if (entry.source === 'config')
      throw new ControlFault('DOMAIN_IN_CONFIG', `${domain} is set in the configuration`)
    await this.#deps.store.removeDomain(domain)
    this.#entries.delete(domain)
    this.keyring.remove(domain)
    return true
  }

  async #configure(
    domain: Domain,
    settings: Config['domains'][string],
    known: DomainRecord | undefined,
  ): Promise<void> {
    const world = settings.mode
    const selector = settings.selector ?? undefined
    if (settings.key) {
      const keys = await this.#fromFile(domain, settings.key, selector)
      const record = { domain, world, keys: [], createdAt: this.#deps.clock.now() }
      return this.#enter({ record, source: 'config', keys })
    }
    const keys = known ? [...(await this.#load(known))] : []
    const missing = (algorithm: DkimKey['algorithm']) =>
      !keys.some((key) => key.algorithm === algorithm)
    if (missing('rsa-sha256') && (known?.keys.length ?? 0) === 0)
      keys.push(await this.#make(domain, 'rsa-sha256', selector))
    if (settings.ed25519 && missing('ed25519-sha256'))
      keys.push(await this.#make(domain, 'ed25519-sha256', selector))
    await this.#save(domain, { world, keys, source: 'config' })
  }

  /** A key that the operator keeps elsewhere: used where it lies, never copied. */
  async #fromFile(
    domain: Domain,
    path: string,
    selector: string | undefined,
  ): Promise<SigningKey[]> {
    const { clock, log } = this.#deps
    try {
      const reading = await loadKey('', path)
      if (reading.kind === 'fault') throw new Error(reading.fault)
      if (reading.warning) log.warn({ domain, key: path }, reading.warning)
      const { privateKey, algorithm } = reading
      return [{ selector: selector ?? selectorFor(clock.now()), algorithm, privateKey }]
    } catch (error) {
      log.error({ domain, key: path, error: String(error) }, 'the DKIM key cannot be read')
      return []
    }
  }

  async #load(record: DomainRecord): Promise<SigningKey[]> {
    const keys: SigningKey[] = []
    for (const { selector, file } of record.keys)
      try {
        const reading = await loadKey(this.#folder, file)
        if (reading.kind === 'fault') throw new Error(reading.fault)
        keys.push({ selector, algorithm: reading.algorithm, privateKey: reading.privateKey })
      } catch (error) {
        const fields = { domain: record.domain, file, error: String(error) }
        this.#deps.log.error(fields, 'the DKIM key cannot be read')
      }
    return keys
  }

  async #make(
    domain: Domain,
    algorithm: SigningKey['algorithm'],
    selector: string | undefined,
  ): Promise<SigningKey> {
    const name = selector ?? selectorFor(this.#deps.clock.now())
    const key: SigningKey = {
      // Two keys of a domain need two names.
      selector: algorithm === 'ed25519-sha256' ? `${name}e` : name,
      algorithm,
      privateKey: await makeKey(algorithm),
    }
    await saveKey(this.#folder, keyFileName(domain, key.selector), key.privateKey)
    return key
  }

  async #makeOrImport(
    domain: Domain,
    { selector, pem }: { selector: string | undefined; pem: string | undefined },
  ): Promise<SigningKey> {
    if (pem === undefined) return this.#make(domain, 'rsa-sha256', selector)
    const reading = readKey(pem)
    if (reading.kind === 'fault') throw new ControlFault('BAD_KEY', reading.fault)
    const name = selector ?? selectorFor(this.#deps.clock.now())
    await saveKey(this.#folder, keyFileName(domain, name), reading.privateKey)
    return { selector: name, algorithm: reading.algorithm, privateKey: reading.privateKey }
  }

  async #save(
    domain: Domain,
    { world, keys, source }: { world: World; keys: readonly SigningKey[]; source: Entry['source'] },
  ): Promise<Entry> {
    const record: DomainRecord = {
      domain,
      world,
      keys: keys.map(({ selector, algorithm }) => ({
        selector,
        algorithm,
        file: keyFileName(domain, selector),
      })),
      createdAt: this.#deps.clock.now(),
      ...(source === 'config' ? { configured: true } : {}),
    }
    await this.#deps.store.saveDomain(record)
    const entry = { record, source, keys }
    this.#enter(entry)
    return entry
  }

  #enter(entry: Entry): void {
    this.#entries.set(entry.record.domain, entry)
    this.keyring.add(entry.record.domain, entry.keys)
  }
}

function view({ record, source, keys }: Entry): DomainView {
  return {
    domain: record.domain,
    world: record.world,
    source,
    keys: keys.map(({ selector, algorithm }) => ({ selector, algorithm })),
    createdAt: record.createdAt,
  }
}
