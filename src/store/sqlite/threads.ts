// The two worker threads and what becomes of them: they are started in order, a damaged database is
// taken apart while requests wait, and a thread that dies of itself is started again.

import type { Clock } from '../../std/clock.ts'
import type { Log } from '../../std/log.ts'
import { StorageFailed, type StoreStats } from '../store.ts'
import { Lane } from './lane.ts'
import { callRequest, type Request } from './operations.ts'
import { DATABASE_NAME, type Ready, type ThreadData } from './thread-data.ts'

const RESTART_AFTER_MS = 1000

export type ThreadsOptions = {
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  readonly reserveBytes: number
  /** Called when the database has been opened, at the start and after each repair. */
  readonly onReady: (ready: Ready) => void
}

export class Threads {
  readonly #options: ThreadsOptions
  readonly #writerData: ThreadData & { role: 'writer' }
  readonly #writer: Lane
  readonly #reader: Lane
  #repair: Promise<void> | undefined
  #stopping = false

  constructor(options: ThreadsOptions) {
    this.#options = options
    const { folder, reserveBytes } = options
    this.#writerData = { role: 'writer', folder, reserveBytes }
    this.#writer = this.#lane(this.#writerData)
    this.#reader = this.#lane({ role: 'reader', path: `${folder}/${DATABASE_NAME}` })
  }

  /** Opens the database in both threads; `damaged` says why it must be taken apart first. */
  async start(damaged?: string): Promise<void> {
    const data = damaged === undefined ? this.#writerData : { ...this.#writerData, damaged }
    const ready = (await this.#writer.start(data)) as Ready
    try {
      await this.#reader.start()
    } catch (error) {
      await this.#writer.halt()
      throw error
    }
    this.#options.onReady(ready)
  }

  /** @param haste 'soon' when nobody waits for it */
  write(request: Request, haste: 'now' | 'soon' = 'now'): Promise<unknown> {
    return this.#writer.ask(request.operation, request.loads, haste)
  }

  /** One of the writer's rarer verbs. */
  call(name: string, argument: unknown): Promise<unknown> {
    return this.write(callRequest(name, argument))
  }

  read(name: string, argument: unknown): Promise<unknown> {
    return this.#reader.ask([name, argument], [])
  }

  stats(): StoreStats {
    const stats = this.#writer.stats
    return {
      operations: this.#writer.operations,
      batches: this.#writer.batches,
      reads: this.#reader.operations,
      commits: stats?.commits ?? 0,
      commitSeconds: stats?.commitSeconds ?? 0,
      checkpoints: stats?.checkpoints ?? 0,
      logBytes: stats?.walBytes ?? 0,
      freeBytes: stats?.freeBytes ?? 0,
      isFull: stats?.isFull ?? false,
    }
  }

  /** Answers what was asked, then ends both threads; the log is written back. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#repair
    await this.#reader.stop()
    await this.#writer.stop()
  }

  #lane(data: ThreadData): Lane {
    const lane: Lane = new Lane({
      data,
      onCorrupt: (why) => this.#damaged(why),
      onDeath: (error) => this.#died(lane, error),
    })
    return lane
  }

  /** Takes the database apart and goes on; what was asked meanwhile waits. */
  #damaged(why: string): void {
    this.#repair ??= this.#rebuild(why).finally(() => {
      this.#repair = undefined
    })
  }

  async #rebuild(why: string): Promise<void> {
    const { log } = this.#options
    log.error({ why }, 'the queue is damaged')
    try {
      await Promise.all([this.#writer.halt(), this.#reader.halt()])
      await this.start(why)
    } catch (error) {
      log.error({ error: String(error) }, 'the damaged queue could not be rebuilt')
      this.#writer.fail(error)
      this.#reader.fail(error)
    }
  }

  /** Until the thread is back its requests fail. */
  #died(lane: Lane, error: unknown): void {
    const { log, clock } = this.#options
    log.error({ error: String(error) }, 'a thread of the store died')
    lane.fail(new StorageFailed('the store is out of order', { cause: error }))
    clock.after(RESTART_AFTER_MS, () => {
      if (this.#stopping) return
      lane.start().catch((again: unknown) => this.#died(lane, again))
    })
  }
}
