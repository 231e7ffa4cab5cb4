// The key files of the data folder's `keys/`: made, imported and read here, by whoever changes a
// domain's keys. A file is on the disk before any record names it, so a crash between the two
// leaves a file too many and never a key too few.

import { type KeyObject, randomBytes } from 'node:crypto'
import { access, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ControlFault } from '../api/control.ts'
import { keyFileName, loadKey, makeKey, publicText, readKey, saveKey } from '../dkim/keys.ts'
import { type DkimKey, stateOf } from '../dkim/lifecycle.ts'
import { freeSelector, parseSelector, selectorFor } from '../dkim/selector.ts'
import type { SigningKey } from '../dkim/sign.ts'
import type { Algorithm } from '../dkim/signature.ts'
import type { Domain } from '../mail/domain.ts'
import type { Log } from '../std/log.ts'

/** A key as it is remembered, with the key itself unless its file cannot be read. */
export type HeldKey = { readonly record: DkimKey; readonly privateKey?: KeyObject }

export type FreshKey = {
  readonly record: Omit<DkimKey, 'state'>
  readonly privateKey: KeyObject
}

/** The text of the key's TXT record; undefined when its file cannot be read. */
export function textOf({ record, privateKey }: HeldKey): string | undefined {
  return privateKey && publicText(privateKey, record.flags)
}

/** What the signer takes. */
export function signingKeys(held: readonly HeldKey[], states: readonly string[]): SigningKey[] {
  return held.flatMap(({ record, privateKey }) =>
    privateKey && states.includes(stateOf(record))
      ? [
          {
            selector: record.selector,
            algorithm: record.algorithm,
            privateKey,
            ...(record.flags && { flags: record.flags }),
          },
        ]
      : [],
  )
}

export type KeyWish = {
  readonly algorithm: Algorithm
  readonly bits?: number
  /** Undefined: by the month. */
  readonly selector?: string
  readonly flags?: DkimKey['flags']
}

/** The folder of the keys. */
export class KeyFolder {
  readonly #path: string
  readonly #log: Log

  constructor(path: string, log: Log) {
    this.#path = path
    this.#log = log
  }

  /** Reads the keys of a domain; one that cannot be read is told of, unless it has been retired. */
  async load(domain: Domain, records: readonly DkimKey[]): Promise<HeldKey[]> {
    return Promise.all(records.map((record) => this.#loadOne(domain, record)))
  }

  async #loadOne(domain: Domain, record: DkimKey): Promise<HeldKey> {
    try {
      const reading = await loadKey(this.#path, record.file)
      if (reading.kind === 'fault') throw new Error(reading.fault)
      return { record, privateKey: reading.privateKey }
    } catch (error) {
      const fields = { domain, file: record.file, error: String(error) }
      if (stateOf(record) !== 'retired') this.#log.error(fields, 'the DKIM key cannot be read')
      return { record }
    }
  }

  /**
   * Makes a key and its file.
   * @param taken selectors that the domain has or had
   * Throws ControlFault BAD_SELECTOR, SELECTOR_EXISTS.
   */
  async make(
    domain: Domain,
    wish: KeyWish,
    { now, taken }: { readonly now: number; readonly taken: ReadonlySet<string> },
  ): Promise<FreshKey> {
    const { algorithm, bits, flags } = wish
    const selector = await this.#selector(domain, wish, { now, taken })
    const left = await this.#leftOver(domain, { selector, algorithm, ...(flags && { flags }) })
    if (left) return left
    const privateKey = await makeKey(algorithm, bits === undefined ? {} : { bits })
    return this.#save(domain, { selector, algorithm, ...(flags && { flags }) }, privateKey)
  }

  /** Keeps a copy of somebody's key. Throws ControlFault BAD_KEY, BAD_SELECTOR, SELECTOR_EXISTS. */
  async import(
    domain: Domain,
    wish: Omit<KeyWish, 'algorithm' | 'bits'> & { readonly pem: string },
    { now, taken }: { readonly now: number; readonly taken: ReadonlySet<string> },
  ): Promise<FreshKey> {
    const { privateKey, algorithm } = readOrRefuse(wish.pem)
    const { flags } = wish
    const selector = await this.#selector(domain, { ...wish, algorithm }, { now, taken })
    return this.#save(domain, { selector, algorithm, ...(flags && { flags }) }, privateKey)
  }

  async #selector(
    domain: Domain,
    { selector: wanted, algorithm }: KeyWish,
    { now, taken }: { readonly now: number; readonly taken: ReadonlySet<string> },
  ): Promise<string> {
    if (wanted !== undefined) {
      const selector = parseSelector(wanted)
      if (selector === undefined)
        throw new ControlFault('BAD_SELECTOR', `${JSON.stringify(wanted)} is not a selector`)
      if (taken.has(selector))
        throw new ControlFault('SELECTOR_EXISTS', `${domain} has or had a key ${selector}`)
      return selector
    }
    // A file without a record is of a domain that was removed: it may come back.
    const used = new Set(taken)
    for (;;) {
      const selector = freeSelector(selectorFor(now), algorithm, (name) => used.has(name))
      if (!(await exists(join(this.#path, keyFileName(domain, selector))))) return selector
      used.add(selector)
    }
  }

  /** A file of this name that no record names: of a domain that was removed and comes back. */
  async #leftOver(
    domain: Domain,
    record: Omit<DkimKey, 'state' | 'file'>,
  ): Promise<FreshKey | undefined> {
    const file = keyFileName(domain, record.selector)
    const reading = await loadKey(this.#path, file).catch(() => undefined)
    if (reading?.kind !== 'key' || reading.algorithm !== record.algorithm) return undefined
    this.#log.info({ domain, file }, 'a DKIM key that was left in the data folder is used again')
    return { record: { ...record, file }, privateKey: reading.privateKey }
  }

  /** Keeps what a file of this name held before: keys are never lost. */
  async #save(
    domain: Domain,
    record: Omit<DkimKey, 'state' | 'file'>,
    privateKey: KeyObject,
  ): Promise<FreshKey> {
    const file = keyFileName(domain, record.selector)
    const path = join(this.#path, file)
    if (await exists(path)) await rename(path, `${path}.before-${randomBytes(4).toString('hex')}`)
    await saveKey(this.#path, file, privateKey)
    return { record: { ...record, file }, privateKey }
  }
}

/** Throws ControlFault BAD_KEY with the exact reason. */
export function readOrRefuse(pem: string): { privateKey: KeyObject; algorithm: Algorithm } {
  const reading = readKey(pem)
  if (reading.kind === 'fault') throw new ControlFault('BAD_KEY', reading.fault)
  return reading
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
