// The credentials of a data folder and of the configuration, ready to be asked: the store's, those in
// `credentials`, and those in `auth.file`, which is read again when it changes. A file with a fault is
// told with its lines, and the last good version stays in force.

import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { Allowances, type Usage } from '../intake/allowance.ts'
import { Credentials } from '../intake/credentials.ts'
import { hashKey, scramOf } from '../intake/password.ts'
import {
  describeFileFault,
  type FileEntry,
  type PasswordFile,
  parsePasswordFile,
} from '../intake/password-file.ts'
import { seal } from '../intake/seal.ts'
import { prepare } from '../mail/saslprep.ts'
import type { Clock } from '../std/clock.ts'
import { replaceFile } from '../std/durable.ts'
import type { Log } from '../std/log.ts'
import type { Metrics } from '../std/metrics.ts'
import type { CredentialRecord, Store } from '../store/store.ts'

const LOOK_EVERY_MS = 10_000
const KEEP_EVERY_MS = 30_000
const SECRET_BYTES = 32

export type CredentialHouse = AsyncDisposable & {
  readonly credentials: Credentials
  readonly allowances: Allowances
  /** Of this data folder: what is made up for unknown names, and what seals passwords for CRAM-MD5. */
  readonly secret: Buffer
  /** From now on the file is watched, and what was sent is kept. */
  start(): void
}

type Parts = {
  readonly config: Config
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

export async function openCredentials(parts: Parts): Promise<CredentialHouse> {
  const { config, store, clock, log, metrics } = parts
  const secret = await secretIn(join(config.data, 'keys'), { clock, log })
  const hashes = metrics.counter('posthorn_password_hashes_total', {
    help: 'Slow password hashes that logins cost.',
  })
  const credentials = new Credentials(await store.credentials(), {
    secret,
    onHash: () => hashes.inc(),
    onLearned(record) {
      store
        .saveCredential(record)
        .catch((error: unknown) =>
          log.warn({ credential: record.name, error: String(error) }, 'a better hash was not kept'),
        )
    },
  })
  const allowances = new Allowances(clock, ((await store.usage()) ?? {}) as Usage)
  const configured = new Configured(parts, { credentials, secret })
  await configured.look()
  const keep = async () => {
    const usage = allowances.usage()
    if (usage) await store.saveUsage(usage)
  }
  const timers = new DisposableStack()
  return {
    credentials,
    allowances,
    secret,
    start() {
      timers.use(every(clock, LOOK_EVERY_MS, () => configured.look()))
      timers.use(
        every(clock, KEEP_EVERY_MS, () =>
          keep().catch((error: unknown) =>
            log.warn({ error: String(error) }, 'what credentials have sent was not kept'),
          ),
        ),
      )
    },
    async [Symbol.asyncDispose]() {
      timers.dispose()
      await keep().catch(() => undefined)
    },
  }
}

function every(clock: Clock, ms: number, work: () => Promise<unknown>): Disposable {
  let stopped = false
  let timer = clock.after(ms, turn)
  function turn(): void {
    void work().finally(() => {
      if (!stopped) timer = clock.after(ms, turn)
    })
  }
  return {
    [Symbol.dispose]() {
      stopped = true
      timer.cancel()
    },
  }
}

async function secretIn(
  folder: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<Buffer> {
  const path = join(folder, 'login.secret')
  const kept = await readFile(path).catch(() => undefined)
  if (kept?.length === SECRET_BYTES) return kept
  if (kept) {
    const to = `${path}.${clock.now()}`
    await rename(path, to)
    log.error(
      { file: path, to },
      'login.secret is damaged and made anew: passwords kept for CRAM-MD5 must be set again',
    )
  }
  const secret = randomBytes(SECRET_BYTES)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await replaceFile(path, secret)
  return secret
}

type Entry = FileEntry & { readonly domains?: CredentialRecord['domains'] }

const entryOf = (
  [name, { password, domains }]: [string, Config['credentials'][string]],
  index: number,
): Entry => ({ line: index + 1, name, password, domains, networks: [] })

/** Those of the configuration: in memory only, whole or not at all. */
class Configured {
  readonly #parts: Parts
  readonly #to: { readonly credentials: Credentials; readonly secret: Buffer }
  /** What was last looked at; undefined before the first look. */
  #seen: string | undefined
  #users: readonly CredentialRecord[] | undefined
  #file: readonly CredentialRecord[] = []

  constructor(parts: Parts, to: { credentials: Credentials; secret: Buffer }) {
    this.#parts = parts
    this.#to = to
  }

  async look(): Promise<void> {
    const { config } = this.#parts
    const { auth } = config
    if (!this.#users) {
      this.#users = await this.#records(Object.entries(config.credentials).map(entryOf))
      this.#use()
    }
    if (auth.file !== null) await this.#lookAt(auth.file)
  }

  async #lookAt(path: string): Promise<void> {
    const { log } = this.#parts
    const text = await readFile(path, 'utf8').catch((error: Error) => error)
    const seen = text instanceof Error ? `! ${text.message}` : text
    if (seen === this.#seen) return
    const first = this.#seen === undefined
    this.#seen = seen
    if (text instanceof Error) {
      log.error({ file: path, error: text.message }, 'the password file cannot be read')
      return
    }
    const entries = this.#good(parsePasswordFile(text), path)
    if (!entries) return
    this.#file = await this.#records(entries)
    this.#use()
    if (!first) log.info({ file: path, users: entries.length }, 'the password file was read again')
  }

  #good({ entries, faults }: PasswordFile, file: string): readonly FileEntry[] | undefined {
    for (const fault of faults)
      this.#parts.log.error(
        { file, line: fault.line, why: describeFileFault(fault) },
        'a password file has a fault; the last good version stays in force',
      )
    return faults.length > 0 ? undefined : entries
  }

  async #records(entries: readonly Entry[]): Promise<CredentialRecord[]> {
    const createdAt = this.#parts.clock.now()
    const cram = this.#parts.config.auth.mechanisms.includes('cram-md5')
    const records: CredentialRecord[] = []
    for (const { name, domains = [], password, hash = '', scram, networks } of entries) {
      const own =
        password === undefined
          ? { hash, ...(scram && { scram }) }
          : {
              // It stands in the configuration in the clear, so a slow hash of it would protect nothing.
              hash: hashKey(prepare(password) ?? password),
              scram: await this.#to.credentials.hashing(() => scramOf(password)),
              ...(cram && { sealed: seal(password, this.#to.secret) }),
            }
      records.push({ name, domains, networks, createdAt, ...own })
    }
    return records
  }

  #use(): void {
    this.#to.credentials.configure([...(this.#users ?? []), ...this.#file])
  }
}
