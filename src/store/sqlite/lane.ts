// A lane to one worker thread. Requests gather while a batch is in flight; when its answer comes,
// all that gathered goes as the next. With nobody in flight a request leaves in the same turn of the
// event loop, so an idle store adds no delay and a busy one shares each sync among all who wait.
// What nobody waits for (a settlement) waits a little for company, so that it seldom costs a sync of
// its own, nor makes the next client wait for that.

import { Worker } from 'node:worker_threads'
import { systemClock, type Timer } from '../../std/clock.ts'
import { StorageFailed, StorageFull } from '../store.ts'
import type { Answer, Load, WriterStats } from './operations.ts'
import { type Batch, CLOSE, type Started, type ThreadData } from './thread-data.ts'

/** A batch holds no more than this, so that one commit stays short and memory bounded. */
const MOST_OPERATIONS = 2000
const MOST_BYTES = 16 * 1024 * 1024
/** How long a patient request waits for company, and how many of them leave without. It is the disk's time. */
const PATIENCE_MS = 5
const PATIENT_MOST = 64

/** Beside this file, as TypeScript in the sources and as JavaScript in what is published. */
const THREAD = new URL(
  import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js',
  import.meta.url,
)

/** A batch and its rows are short-lived and few; a thread that outgrows this is started anew. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 }

type Pending = {
  readonly operation: unknown[] | readonly unknown[]
  readonly loads: readonly Load[]
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export type LaneOptions = {
  readonly data: ThreadData
  /** Called when the thread finds the database damaged; the lane waits until start() is called again. */
  readonly onCorrupt: (text: string) => void
  /** Called when the thread died of itself. */
  readonly onDeath: (error: Error) => void
}

export class Lane {
  readonly #options: LaneOptions
  #worker: Worker | undefined
  #waiting: Pending[] = []
  #inFlight: Pending[] = []
  #scheduled = false
  /** Somebody waits for what waits here, or it has waited long enough. */
  #urgent = false
  #patience: Timer | undefined
  #stopping = false
  #idle: (() => void)[] = []
  #broken: Error | undefined
  operations = 0
  batches = 0
  stats: WriterStats | undefined

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** Starts the thread; resolves to its first word, rejects when it cannot serve. */
  start(data: ThreadData = this.#options.data): Promise<unknown> {
    const worker = new Worker(THREAD, { workerData: data, resourceLimits: THREAD_LIMITS })
    return new Promise((resolve, reject) => {
      worker.once('message', (started: Started) => {
        if ('unusable' in started) return reject(started.unusable)
        worker.on('message', (answer: Answer) => this.#answered(answer))
        worker.off('error', reject)
        worker.on('error', (error) => this.#died(worker, error))
        worker.on('exit', () => this.#died(worker, new Error('the thread ended')))
        this.#worker = worker
        this.#broken = undefined
        this.#hurry()
        resolve(started.ready)
      })
      worker.once('error', reject)
    })
  }

  /**
   * Resolves or rejects after the batch that carried it.
   * @param haste 'soon' lets it wait some milliseconds for others
   */
  ask(
    operation: unknown[] | readonly unknown[],
    loads: readonly Load[],
    haste: 'now' | 'soon' = 'now',
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#stopping) return reject(new StorageFailed('the store is closed'))
      if (this.#broken) return reject(this.#broken)
      this.#waiting.push({ operation, loads, resolve, reject })
      if (haste === 'now' || this.#waiting.length >= PATIENT_MOST) this.#hurry()
      else this.#patience ??= systemClock.after(PATIENCE_MS, () => this.#hurry())
    })
  }

  /** Ends the thread; what was asked of it and not answered waits for the next start(). */
  async halt(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    if (!worker) return
    worker.removeAllListeners()
    worker.on('error', () => {})
    this.#waiting = [...this.#inFlight, ...this.#waiting]
    this.#inFlight = []
    await new Promise<void>((resolve) => {
      worker.once('exit', () => resolve())
      worker.postMessage(CLOSE)
    })
  }

  /** No thread can serve: what waits, and what is asked until the next start(), is rejected. */
  fail(cause: unknown): void {
    this.#broken = new StorageFailed('the store is out of order', { cause })
    const lost = this.#waiting
    this.#waiting = []
    for (const { reject } of lost) reject(this.#broken)
    this.#tellIdle()
  }

  /** Finishes what was asked, then ends the thread. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#hurry()
    if (this.#inFlight.length > 0 || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve))
    }
    await this.halt()
  }

  /** Nothing waits for company any more; also when there is nobody to send to, and what waits is given up. */
  #hurry(): void {
    this.#urgent = true
    this.#patience?.cancel()
    this.#patience = undefined
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || !this.#urgent || this.#inFlight.length > 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#send()
    })
  }

  #send(): void {
    if (!this.#worker || this.#inFlight.length > 0 || this.#waiting.length === 0) return
    const batch = this.#gather()
    this.#patience?.cancel()
    this.#patience = undefined
    this.#urgent = this.#waiting.length > 0
    const bytes = pack(batch)
    const operations = batch.map((pending) => pending.operation)
    this.#inFlight = batch
    this.operations += batch.length
    this.batches++
    const message = (bytes ? { operations, bytes } : { operations }) as Batch
    this.#worker.postMessage(message, bytes ? [bytes] : [])
  }

  #gather(): Pending[] {
    let count = 0
    let size = 0
    for (const { loads } of this.#waiting) {
      for (const load of loads) for (const row of load.rows) size += row.byteLength
      if (count > 0 && (count === MOST_OPERATIONS || size > MOST_BYTES)) break
      count++
    }
    if (count === this.#waiting.length) {
      const all = this.#waiting
      this.#waiting = []
      return all
    }
    return this.#waiting.splice(0, count)
  }

  #answered(answer: Answer): void {
    if (answer.corrupt) {
      this.#options.onCorrupt(answer.corrupt.text)
      return
    }
    if (answer.stats) this.stats = answer.stats
    const batch = this.#inFlight
    this.#inFlight = []
    for (const failure of answer.failures ?? []) {
      const { reject } = batch[failure.index]!
      reject(
        failure.kind === 'full' ? new StorageFull(failure.text) : new StorageFailed(failure.text),
      )
    }
    const { values } = answer
    for (let i = 0; i < batch.length; i++) batch[i]!.resolve(values?.[i])
    this.#schedule()
    this.#tellIdle()
  }

  #tellIdle(): void {
    if (this.#inFlight.length > 0 || this.#waiting.length > 0) return
    for (const tell of this.#idle.splice(0)) tell()
  }

  #died(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const lost = this.#inFlight
    this.#inFlight = []
    for (const { reject } of lost) {
      reject(new StorageFailed('the thread of the store died', { cause: error }))
    }
    this.#options.onDeath(error)
    this.#tellIdle()
  }
}

/** Copies the content of a batch into one buffer that can be handed over, and tells each where it is. */
function pack(batch: readonly Pending[]): ArrayBuffer | undefined {
  let size = 0
  for (const { loads } of batch) {
    for (const { rows } of loads) for (const row of rows) size += row.byteLength
  }
  if (size === 0) return undefined
  const bytes = Buffer.allocUnsafeSlow(size)
  let at = 0
  for (const { loads } of batch) {
    for (const { operation, rows } of loads) {
      operation[1] = at
      for (const row of rows) {
        bytes.set(row, at)
        at += row.byteLength
      }
    }
  }
  return bytes.buffer
}
