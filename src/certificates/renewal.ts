// When the ACME certificate is renewed: with a third of its life left, give or take a little, so
// that many servers do not come at once; after a failure ever later. What happened is kept in a
// file, so that a restart (or a crash in a loop) does not ask again before its time.

import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../std/clock.ts'
import { replaceFile } from '../std/durable.ts'
import type { Log } from '../std/log.ts'
import type { Random } from '../std/random.ts'
import { AcmeBusy } from './acme-transport.ts'
import { type AcmeAccount, orderCertificate, type Proof } from './order.ts'
import { readPem } from './pem.ts'
import type { RenewalView } from './state.ts'

export type RenewalOptions = {
  /** Where certificates are kept; made when it is missing. */
  readonly folder: string
  readonly account: Omit<AcmeAccount, 'trust'>
  /** PEM file with the root of the authority's own server. */
  readonly trustFile?: string
  readonly names: readonly string[]
  readonly proof: Proof
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
}

/** What is remembered between starts. */
type Memory = {
  readonly failures: number
  /** Wall time before which we do not ask again; 0: when it is due. */
  readonly notBefore: number
  readonly lastFailure: string | null
  /** Where and for which names the certificate was ordered. */
  readonly ordered: string
}

const CERTIFICATE_FILE = 'acme.pem'
const ACCOUNT_FILE = 'acme-account.pem'
const MEMORY_FILE = 'acme.json'
/** Let's Encrypt forgives five failed proofs an hour for a name. */
const FIRST_PAUSE_MS = 15 * 60_000
const LONGEST_PAUSE_MS = 12 * 3_600_000
const ORDER_MS = 10 * 60_000
const NOTHING: Memory = { failures: 0, notBefore: 0, lastFailure: null, ordered: '' }

export class Renewal {
  readonly #options: RenewalOptions
  readonly path: string
  readonly #stop = new AbortController()
  #memory = NOTHING
  #running: Promise<boolean> | undefined

  private constructor(options: RenewalOptions) {
    this.#options = options
    this.path = join(options.folder, CERTIFICATE_FILE)
  }

  static async open(options: RenewalOptions): Promise<Renewal> {
    const renewal = new Renewal(options)
    renewal.#memory = await readMemory(join(options.folder, MEMORY_FILE))
    return renewal
  }

  /** Orders when it is due. Resolves to whether there is a new certificate; never rejects. */
  async tick(): Promise<boolean> {
    const now = this.#options.clock.now()
    return (await this.#nextAt()) <= now ? this.renew() : false
  }

  /** Orders now; who calls while an order runs gets its result. */
  renew(): Promise<boolean> {
    this.#running ??= this.#renew().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async view(): Promise<RenewalView> {
    const { failures, lastFailure } = this.#memory
    return { nextAt: await this.#nextAt(), failures, lastFailure }
  }

  /** Ends an order that runs. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('shutting down'))
    await this.#running
  }

  async #nextAt(): Promise<number> {
    const { notBefore, ordered } = this.#memory
    const certificate = await readCertificate(this.path)
    const due = certificate && ordered === this.#what() ? dueAt(certificate) : 0
    return Math.max(due, notBefore)
  }

  #what(): string {
    return [this.#options.account.directory, ...this.#options.names].join(' ')
  }

  async #renew(): Promise<boolean> {
    const { clock, log, names, account } = this.#options
    const late = new AbortController()
    const timer = clock.after(ORDER_MS, () => late.abort(new Error('the order took too long')))
    try {
      log.info({ names, directory: account.directory }, 'ordering a certificate')
      const text = await this.#place(AbortSignal.any([this.#stop.signal, late.signal]))
      await replaceFile(this.path, text, { mode: 0o600 })
      await this.#remember({ ...NOTHING, ordered: this.#what() })
      return true
    } catch (error) {
      if (!this.#stop.signal.aborted) await this.#failed(error as Error)
      return false
    } finally {
      timer.cancel()
    }
  }

  async #place(signal: AbortSignal): Promise<string> {
    const { folder, account, trustFile, names, proof, clock } = this.#options
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const trust = trustFile === undefined ? undefined : await readFile(trustFile, 'utf8')
    return orderCertificate({
      account: { ...account, ...(trust !== undefined && { trust }) },
      accountKey: await accountKey(join(folder, ACCOUNT_FILE)),
      names,
      proof,
      clock,
      signal,
    })
  }

  async #failed(error: Error): Promise<void> {
    const { clock, log, random, names } = this.#options
    const failures = this.#memory.failures + 1
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10), LONGEST_PAUSE_MS)
    const asked = error instanceof AcmeBusy ? error.retryAfterMs : 0
    const waitMs = Math.max(asked, pause * (0.8 + 0.4 * random()))
    const notBefore = clock.now() + Math.round(waitMs)
    const nextTry = new Date(notBefore).toISOString()
    log.error({ names, failures, nextTry }, `no certificate by ACME: ${error.message}`)
    await this.#remember({ ...this.#memory, failures, notBefore, lastFailure: error.message })
  }

  async #remember(memory: Memory): Promise<void> {
    const { folder, log } = this.#options
    this.#memory = memory
    const text = `${JSON.stringify(memory, null, 2)}\n`
    await replaceFile(join(folder, MEMORY_FILE), text).catch((error: unknown) =>
      log.warn({ error: String(error) }, 'the state of ACME could not be written'),
    )
  }
}

/** A third of its life before the end, and up to a thirtieth earlier; the same at every start. */
function dueAt({ validFromDate, validToDate, fingerprint256 }: X509Certificate): number {
  const life = validToDate.getTime() - validFromDate.getTime()
  const share = createHash('sha256').update(fingerprint256).digest().readUInt16BE(0) / 0x1_0000
  return Math.round(validToDate.getTime() - life / 3 - (life / 30) * share)
}

async function readCertificate(path: string): Promise<X509Certificate | undefined> {
  try {
    const { certificates, keys } = readPem(await readFile(path))
    const leaf = new X509Certificate(certificates[0]!)
    return leaf.checkPrivateKey(createPrivateKey(keys[0]!.text)) ? leaf : undefined
  } catch {
    return undefined // none yet, or a broken one: then a new one is due
  }
}

/** The account is its key: kept for good, so that the authority knows us again. */
async function accountKey(path: string): Promise<string> {
  const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (kept !== undefined) return kept
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const made = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
  await replaceFile(path, made, { mode: 0o600 })
  return made
}

async function readMemory(path: string): Promise<Memory> {
  try {
    const read = JSON.parse(await readFile(path, 'utf8')) as Partial<Record<keyof Memory, unknown>>
    const { failures, notBefore, lastFailure, ordered } = read
    return {
      failures: typeof failures === 'number' ? failures : 0,
      notBefore: typeof notBefore === 'number' ? notBefore : 0,
      lastFailure: typeof lastFailure === 'string' ? lastFailure : null,
      ordered: typeof ordered === 'string' ? ordered : '',
    }
  } catch {
    return NOTHING
  }
}
