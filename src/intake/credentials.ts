import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import type { Domain } from '../mail/domain.ts'
import type { Stream } from '../mail/message.ts'
import { refuse } from '../mail/reply.ts'
import { parseScram, type ScramSecret } from '../mail/scram.ts'
import { Gate } from '../std/gate.ts'
import type { CredentialRecord, SendingLimits } from '../store/store.ts'
import { isIn, networkList } from './networks.ts'
import { checkPassword, hashPassword, isOwnForm, isQuick, scramOf } from './password.ts'
import { open } from './seal.ts'

/**
 * Hashing shares the thread pool with signing, which must not wait for it: the pool has a thread a
 * core, two at the least (docs/decisions/thread-pool.md), and one of them is never ours.
 */
const AT_ONCE = 1
const MOST_WAITING = 50
const REMEMBERED = 10_000
const SCRAM_LOOKS = { iterations: 32_768, saltBytes: 16 }

export type CredentialsOptions = {
  /** Of the data folder: what is made up for unknown names is the same after a restart. */
  readonly secret?: Buffer
  /** A slow hash was computed. */
  onHash?(): void
  /** A login taught us what an imported password was, so that it can be kept in our own form. */
  onLearned?(record: CredentialRecord): void
}

/** What a credential may do. */
export type Grant = {
  /** Both empty: all. */
  readonly domains: readonly Domain[]
  readonly addresses: readonly string[]
  readonly limits?: SendingLimits
  readonly stream?: Stream
  readonly priority?: number
}

/**
 * The credentials that clients may use: those of the store, and those of the configuration, which
 * come first. A pair of name and password that was right once is remembered as a keyed hash, so that a
 * client with a connection per message costs one slow hash in all.
 */
export class Credentials {
  readonly #stored = new Map<string, CredentialRecord>()
  #configured: ReadonlyMap<string, CredentialRecord> = new Map()
  /** Keyed hash of name and password → the stored hash that it fits. Oldest first. */
  readonly #verified = new Map<string, string>()
  readonly #checks = new Map<string, Promise<boolean>>()
  /** Those whose password is being learned, by name: once is enough. */
  readonly #learning = new Map<string, Promise<void>>()
  /** The newest slow check of an address: each has one at a time, so that none can fill the gate. */
  readonly #lines = new Map<string, Promise<unknown>>()
  readonly #seal = randomBytes(32)
  readonly #options: CredentialsOptions
  readonly #secret: Buffer
  readonly #gate = new Gate(AT_ONCE)
  readonly #listeners: ((name: string) => void)[] = []
  #looks: readonly (typeof SCRAM_LOOKS)[] | undefined
  #dummy: Promise<string> | undefined

  constructor(records: readonly CredentialRecord[], options: CredentialsOptions = {}) {
    this.#options = options
    this.#secret = options.secret ?? randomBytes(32)
    for (const record of records) this.#stored.set(record.name, record)
  }

  /** Adds a credential or replaces the one of that name. */
  set(record: CredentialRecord): void {
    this.#stored.set(record.name, record)
    this.#looks = undefined
  }

  /** From now on its password is wrong, also where it is remembered, and its sessions end. */
  revoke(name: string): boolean {
    this.#looks = undefined
    const removed = this.#stored.delete(name)
    if (removed) this.#tellRevoked(name)
    return removed
  }

  /** Its secret has changed: sessions that logged in with the old one end. */
  rotate(record: CredentialRecord): void {
    this.set(record)
    this.#tellRevoked(record.name)
  }

  /** Replaces those of the configuration; sessions of who has gone or changed end. */
  configure(records: readonly CredentialRecord[]): void {
    const before = this.#configured
    this.#configured = new Map(records.map((record) => [record.name, record]))
    this.#looks = undefined
    for (const [name, record] of before)
      if (this.#configured.get(name)?.hash !== record.hash) this.#tellRevoked(name)
  }

  onRevoked(listener: (name: string) => void): void {
    this.#listeners.push(listener)
  }

  #tellRevoked(name: string): void {
    for (const listener of this.#listeners) listener(name)
  }

  get(name: string): CredentialRecord | undefined {
    return this.#configured.get(name) ?? this.#stored.get(name)
  }

  isConfigured(name: string): boolean {
    return this.#configured.has(name)
  }

  /** All of them, those of the configuration first. */
  *all(): Iterable<CredentialRecord> {
    yield* this.#configured.values()
    for (const record of this.#stored.values()) if (!this.isConfigured(record.name)) yield record
  }

  /** What it may do; undefined when there is no such credential. */
  grantOf(name: string): Grant | undefined {
    const record = this.get(name)
    return record && { ...record, addresses: record.addresses ?? [] }
  }

  /** May it be used from this address? */
  admits(name: string, address: string): boolean {
    const { networks = [] } = this.get(name) ?? {}
    return networks.length === 0 || isIn(networkList(networks), address)
  }

  /**
   * Is this the password of that credential? A "no" costs one slow hash whatever is wrong. Throws a
   * 454 Refusal when too many ask at once.
   * @param from who asks, by address
   */
  async verify(name: string, password: string, from = ''): Promise<boolean> {
    const record = this.get(name)
    const seal = createHmac('sha256', this.#seal)
      .update(`${Buffer.byteLength(name)}:${name}${password}`)
      .digest('base64')
    if (record && this.#verified.get(seal) === record.hash) return true
    const right =
      (record && isQuick(record.hash) && (await checkPassword(record.hash, password))) ||
      (await (this.#checks.get(seal) ?? this.#check(seal, { record, password, from })))
    if (!right) return false
    // Who was revoked meanwhile is not let in.
    const now = this.get(name)
    if (!record || !now) return false
    if (now.hash !== record.hash) return this.#verified.get(seal) === now.hash
    this.#remember(seal, now.hash)
    await this.#learn(now, { password, seal })
    return this.#verified.get(seal) === this.get(name)?.hash
  }

  /** For slow hashes that others want: they take turns with those of logins. */
  hashing<T>(work: () => Promise<T>): Promise<T> {
    return this.#gate.run(work)
  }

  #check(
    seal: string,
    so: { record: CredentialRecord | undefined; password: string; from: string },
  ): Promise<boolean> {
    const { record, password, from } = so
    const line = from === '' ? seal : from
    const before = this.#lines.get(line)
    if (!before && this.#lines.size >= AT_ONCE + MOST_WAITING) {
      throw refuse(454, '4.7.0', 'Too many logins at once, try again in a minute')
    }
    const slow = record && record.hash !== '' && !isQuick(record.hash) ? record.hash : undefined
    const check = Promise.resolve(before)
      .catch(() => undefined)
      .then(() =>
        this.#gate.run(async () => {
          this.#dummy ??= hashPassword(randomBytes(16).toString('hex'))
          this.#options.onHash?.()
          const fits = await checkPassword(slow ?? (await this.#dummy), password)
          return fits && slow !== undefined
        }),
      )
      .finally(() => {
        this.#checks.delete(seal)
        if (this.#lines.get(line) === check) this.#lines.delete(line)
      })
    this.#checks.set(seal, check)
    this.#lines.set(line, check)
    return check
  }

  #remember(seal: string, hash: string): void {
    this.#verified.delete(seal)
    this.#verified.set(seal, hash)
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size <= REMEMBERED) break
      this.#verified.delete(oldest)
    }
  }

  /** Now that the password is known: what SCRAM needs, and a better hash than an imported one. */
  async #learn(record: CredentialRecord, so: { password: string; seal: string }): Promise<void> {
    const { name, hash, scram } = record
    const { onLearned } = this.#options
    if (!onLearned || this.isConfigured(name) || (scram && isOwnForm(hash))) return
    const learning =
      this.#learning.get(name) ??
      this.#gate.run(() => this.#learned(record, so)).finally(() => this.#learning.delete(name))
    this.#learning.set(name, learning)
    await learning
  }

  async #learned(record: CredentialRecord, so: { password: string; seal: string }): Promise<void> {
    const { name, hash, scram } = record
    const { password, seal } = so
    const learned = {
      ...record,
      scram: scram ?? (await scramOf(password)),
      hash: isOwnForm(hash) ? hash : await hashPassword(password),
    }
    if (this.#stored.get(name) !== record) return
    this.#remember(seal, learned.hash)
    this.set(learned)
    this.#options.onLearned?.(learned)
  }

  /** Can every credential that has a password use SCRAM? */
  get allKnowScram(): boolean {
    for (const { hash, scram } of this.all()) if (hash !== '' && !scram) return false
    return true
  }

  get anyKnowsCram(): boolean {
    for (const { sealed } of this.all()) if (sealed) return true
    return false
  }

  /** What SCRAM checks a client's proof by; made up, and always the same, for who has none. */
  scram(name: string): ScramSecret {
    const kept = this.get(name)?.scram
    const parsed = kept === undefined ? undefined : parseScram(kept)
    return parsed ?? this.#madeUp(name)
  }

  /** It looks as one of ours does, and nothing leads to its keys. */
  #madeUp(name: string): ScramSecret {
    this.#looks ??= this.#looksOfAll()
    const octets = Buffer.from(hkdfSync('sha256', this.#secret, name, 'no such credential', 196))
    const look = this.#looks[octets.readUInt32BE(0) % this.#looks.length] ?? SCRAM_LOOKS
    return {
      iterations: look.iterations,
      salt: octets.subarray(4, 4 + Math.min(look.saltBytes, 128)),
      storedKey: octets.subarray(132, 164),
      serverKey: octets.subarray(164, 196),
    }
  }

  #looksOfAll(): (typeof SCRAM_LOOKS)[] {
    return [...this.all()].flatMap(({ scram }) => {
      const secret = scram === undefined ? undefined : parseScram(scram)
      return secret ? [{ iterations: secret.iterations, saltBytes: secret.salt.length }] : []
    })
  }

  /** The password of one who may use CRAM-MD5. */
  cram(name: string): string | undefined {
    const sealed = this.get(name)?.sealed
    return sealed === undefined ? undefined : open(sealed, this.#secret)
  }

  /** The credential that a client certificate with these names stands for: exactly one, or the wanted one. */
  certificate(names: readonly string[], wanted: string | undefined): string | undefined {
    const found = [...this.all()].filter(({ certificates = [] }) =>
      certificates.some((name) => names.includes(name)),
    )
    if (wanted !== undefined) return found.find(({ name }) => name === wanted)?.name
    return found.length === 1 ? found[0]!.name : undefined
  }
}
