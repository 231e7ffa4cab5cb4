// The writer: runs in its own thread and owns the connection that writes. A batch is one
// transaction: when its COMMIT returns, SQLite has synced the log (WAL, synchronous=FULL), and only
// then does anybody hear of it.
//
// A full disk refuses what brings mail in and still settles, from the reserve. After a failed sync
// the connection is closed and opened anew: the kernel may have dropped the pages, so the same sync
// is never tried again and believed. A damaged database is the opener's business: nothing is done.

import { dirname } from 'node:path'
import { CONTENT_ROW_BYTES } from '../store.ts'
import { calls } from './calls.ts'
import { Disk, type DiskOptions } from './disk.ts'
import { type Database, openForWriting, PAGE_BYTES, troubleOf } from './driver.ts'
import {
  type Answer,
  COMMIT,
  COMMIT_ENTRY,
  COMMIT_HEAD,
  type CommitHead,
  type Operation,
  PUT,
  SETTLE,
  SETTLE_CHANGE,
  SETTLE_HEAD,
  type SettleHead,
  type WriterStats,
} from './operations.ts'
import { type Failures, refuseAll, refuseTakers } from './refuse.ts'
import { contentChecksum, entryChecksum, headChecksum } from './rows.ts'
import { prepareStatements, type Statements } from './statements.ts'
import type { Tally } from './tally.ts'

/** Pages in the log before they are written back: 48 MB, less than the default reserve of disk. */
const CHECKPOINT_PAGES = 6000
/** Asking how long the log is costs a statement: every so many commits is enough. */
const CHECKPOINT_EVERY = 16
/** On a disk that is nearly full a larger log is given up. */
const LARGE_LOG_BYTES = 1024 * 1024

const EMPTY = new Uint8Array(0)

export class Writer {
  readonly #options: DiskOptions
  #database: Database
  #statements: Statements
  readonly #disk: Disk
  readonly #tally: Tally
  #bytes: Uint8Array = EMPTY
  #commits = 0
  #checkpoints = 0
  #commitSeconds = 0
  /** A commit has failed that may stand in the log. */
  #logIsSuspect = false

  constructor(options: DiskOptions, tally: Tally) {
    this.#options = options
    this.#tally = tally
    this.#disk = new Disk(options)
    this.#database = openForWriting(options.path)
    this.#statements = prepareStatements(this.#database)
  }

  get database(): Database {
    return this.#database
  }

  /** Runs a batch; whatever the answer does not name as failed is durable. */
  run(operations: readonly Operation[], bytes: ArrayBuffer | undefined): Answer {
    this.#bytes = bytes ? new Uint8Array(bytes) : EMPTY
    this.#disk.wrote({ bytes: this.#bytes.byteLength, operations: operations.length })
    const failures: Failures = []
    const values: unknown[] = []
    let indexes = operations.map((_, index) => index)
    if (this.#logIsSuspect && !this.#renewLog()) {
      refuseAll(indexes, failures, 'the disk has failed, and still does')
      return { failures, stats: this.#stats() }
    }
    try {
      if (this.#diskIsLow() && !this.#shrinkLog())
        indexes = refuseTakers(operations, indexes, failures)
      this.#transaction(operations, indexes, values)
    } catch (error) {
      const corrupt = this.#recoverBatch(error, operations, { indexes, values, failures })
      if (corrupt) return { corrupt: { text: String(error) } }
    }
    return {
      ...(values.length > 0 ? { values } : undefined),
      ...(failures.length > 0 ? { failures } : undefined),
      stats: this.#stats(),
    }
  }

  /** What can be put off until the answer is on its way: writing the log back. */
  tidy(): void {
    if (this.#diskIsLow()) this.#shrinkLog()
    if (this.#commits % CHECKPOINT_EVERY !== 0) return
    try {
      const [, pages] = this.#statements.logSize.get() as unknown as [number, number, number]
      if (pages < CHECKPOINT_PAGES) return
      const [, all, back] = this.#statements.checkpoint.get() as unknown as [number, number, number]
      if (back === all) this.#tally.renew()
      this.#checkpoints++
    } catch {
      // The next commit meets the same trouble and tells it to somebody.
    }
  }

  close(): void {
    try {
      const [busy] = this.#statements.truncateLog.get() as unknown as [number]
      if (busy === 0) this.#tally.renew()
    } catch {
      // The log stays; the next start reads it.
    }
    this.#tally.close()
    this.#database.close()
  }

  #recoverBatch(
    error: unknown,
    operations: readonly Operation[],
    batch: { indexes: number[]; values: unknown[]; failures: Failures },
  ): boolean {
    batch.values.length = 0
    switch (troubleOf(error)) {
      case 'corrupt':
        return true
      case 'failed':
        refuseAll(batch.indexes, batch.failures, String(error))
        this.#distrustLog()
        return false
      case 'full':
        this.#disk.lookAgain()
        if (this.#diskIsLow()) this.#shrinkLog()
        return this.#oneByOne(operations, {
          ...batch,
          indexes: refuseTakers(operations, batch.indexes, batch.failures),
        })
      case 'busy':
      case 'other':
        return this.#oneByOne(operations, batch)
    }
  }

  /** Finds out which operation of a batch fails, without letting it harm the others; true: the file is damaged. */
  #oneByOne(
    operations: readonly Operation[],
    batch: { indexes: number[]; values: unknown[]; failures: Failures },
  ): boolean {
    for (const [i, index] of batch.indexes.entries()) {
      try {
        this.#transaction(operations, [index], batch.values)
      } catch (error) {
        const trouble = troubleOf(error)
        if (trouble === 'failed') {
          refuseAll(batch.indexes.slice(i), batch.failures, String(error))
          this.#distrustLog()
          return false
        }
        if (trouble === 'corrupt') return true
        const kind = trouble === 'full' ? 'full' : 'failed'
        batch.failures.push({ index, kind, text: String(error) })
      }
    }
    return false
  }

  #transaction(operations: readonly Operation[], indexes: number[], values: unknown[]): void {
    if (indexes.length === 0) return
    const { begin, commit } = this.#statements
    const start = this.#options.clock.elapsed()
    try {
      begin.run()
      for (const index of indexes) {
        const value = this.#apply(operations[index]!)
        if (value !== undefined) values[index] = value
      }
      commit.run()
    } catch (error) {
      this.#tally.forget()
      this.#rollback()
      throw error
    }
    this.#tally.keep()
    this.#commits++
    this.#commitSeconds += (this.#options.clock.elapsed() - start) / 1000
  }

  #rollback(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    } catch {
      this.#reopen()
    }
  }

  /**
   * The failed commit stands in the log, perhaps whole. A shorter one over it would leave its end,
   * which after a crash looks like commits behind a damaged frame; so the log begins anew first.
   */
  #distrustLog(): void {
    this.#logIsSuspect = true
    this.#reopen()
  }

  /** Writes all that is good in the log back and empties it; false as long as the disk refuses that, too. */
  #renewLog(): boolean {
    try {
      const [busy] = this.#statements.truncateLog.get() as unknown as [number]
      this.#logIsSuspect = busy !== 0
    } catch {
      this.#reopen()
    }
    return !this.#logIsSuspect
  }

  #reopen(): void {
    try {
      this.#database.close()
    } catch {
      // Closed already, or the disk fails that too; a new connection starts from the log.
    }
    this.#database = openForWriting(this.#options.path)
    this.#statements = prepareStatements(this.#database)
  }

  #apply(operation: Operation): unknown {
    switch (operation[0]) {
      case COMMIT:
        return this.#commit(operation)
      case SETTLE:
        return this.#settle(operation)
      case PUT:
        return this.#put(operation)
      default: {
        const call = calls[operation[1] as string]
        if (!call) throw new Error(`no such call: ${operation[1]}`)
        return call(operation[2] as never, {
          database: this.#database,
          folder: dirname(this.#options.path),
          onGone: (id) => this.#tally.went(id),
        })
      }
    }
  }

  #commit(operation: Operation): undefined {
    const [, offset, id, head, prefix, , firstRow, rows] = operation as CommitHead
    const { insertMessage } = this.#statements
    this.#tally.came(id)
    let end = offset
    for (let i = 0; i < rows; i++) end += operation[COMMIT_HEAD + i] as number
    const inline = firstRow === 0 && end - offset <= CONTENT_ROW_BYTES
    const content = inline ? this.#bytes.subarray(offset, end) : EMPTY
    const roster = this.#insertEntries(operation)
    insertMessage.run(
      id,
      head,
      prefix,
      roster,
      headChecksum(id, head, prefix, roster),
      inline ? 0 : firstRow + rows,
      contentChecksum(id, 0, content),
      content,
    )
    if (inline) return undefined
    let at = offset
    for (let i = 0; i < rows; i++) {
      const size = operation[COMMIT_HEAD + i] as number
      this.#insertContent(id, firstRow + i, at, size)
      at += size
    }
    this.#seal(id, firstRow + rows)
    return undefined
  }

  /** Returns the message's roster: who is to get it, as JSON. */
  #insertEntries(operation: Operation): string {
    const [, , id, , , sandbox, , rows, entries] = operation as CommitHead
    const { insertEntry } = this.#statements
    let roster = '['
    let at = COMMIT_HEAD + rows
    for (let i = 0; i < entries; i++, at += COMMIT_ENTRY) {
      const idx = operation[at] as number
      const site = operation[at + 1] as string
      const recipient = operation[at + 2] as string
      insertEntry.run(
        id,
        idx,
        site,
        sandbox,
        recipient,
        entryChecksum(id, idx, site, sandbox, recipient),
        operation[at + 3] as number | null,
        operation[at + 4] as number,
        operation[at + 5] as string | null,
        operation[at + 6] as string | null,
      )
      roster += `${i > 0 ? ',' : ''}[${idx},${JSON.stringify(site)},${recipient}]`
    }
    return `${roster}]`
  }

  /** Content that was put before a repair or a restart of this thread is gone: such a message fails. */
  #seal(id: number, rows: number): void {
    const [count] = this.#statements.countContent.get(id) as unknown as [number]
    if (count !== rows) throw new Error(`${count} of ${rows} rows of content are there`)
    this.#statements.seal.run(id)
  }

  #settle(operation: Operation): undefined {
    const [, id, at, record, notices] = operation as SettleHead
    const { endEntry, deferEntry, insertAttempt, endMessage, dropContent } = this.#statements
    let results = ''
    let ended = false
    for (let i = SETTLE_HEAD; i < operation.length; i += SETTLE_CHANGE) {
      const idx = operation[i] as number
      const dueAt = operation[i + 3] as number | null
      const row =
        dueAt === null
          ? endEntry.get(id, idx)
          : deferEntry.get(
              dueAt,
              operation[i + 4] as number,
              operation[i + 5] as string | null,
              id,
              idx,
            )
      if (row === undefined) continue
      ended ||= dueAt === null
      const recipient = (row as unknown as [string])[0]
      results += `${results ? ',' : ''}{"recipient":${recipient},"result":"${operation[i + 1]}","text":${operation[i + 2]}}`
    }
    // Nothing of it is in the queue any more: somebody else settled it, notices included.
    if (results === '' && operation.length > SETTLE_HEAD) return undefined
    if (results) insertAttempt.run(id, at, `${record},"results":[${results}]}`)
    if (notices) for (const notice of notices) this.#commit(notice)
    if (!ended) return undefined
    const gone = endMessage.get(id) as unknown as [number] | undefined
    if (gone) this.#tally.went(id)
    if (gone && gone[0] > 0) dropContent.run(id)
    return undefined
  }

  #put(operation: Operation): undefined {
    const [, offset, id, row, size] = operation as [number, number, number, number, number]
    if (row === 0) this.#statements.announce.run(id)
    this.#insertContent(id, row, offset, size)
    return undefined
  }

  #insertContent(id: number, row: number, offset: number, size: number): void {
    const bytes = this.#bytes.subarray(offset, offset + size)
    this.#statements.insertContent.run(id, row, contentChecksum(id, row, bytes), bytes)
  }

  #diskIsLow(): boolean {
    return this.#disk.isLow(() => {
      const [pages] = this.#statements.freePages.get() as unknown as [number]
      return pages * PAGE_BYTES
    })
  }

  /** On a disk that is nearly full the log is written back and given up; is there room then? */
  #shrinkLog(): boolean {
    if (this.#disk.logBytes < LARGE_LOG_BYTES) return false
    try {
      this.#statements.truncateLog.get()
      this.#checkpoints++
      this.#disk.lookAgain()
      return !this.#diskIsLow()
    } catch {
      return false
    }
  }

  #stats(): WriterStats {
    return {
      commits: this.#commits,
      commitSeconds: this.#commitSeconds,
      checkpoints: this.#checkpoints,
      walBytes: this.#disk.logBytes,
      freeBytes: this.#disk.freeBytes,
      isFull: this.#disk.wasLow,
    }
  }
}
