// How much room the disk has for mail, asked at most once a second.

import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../../std/clock.ts'

const LOOK_AT_DISK_MS = 1000
const LOOK_AFTER_BYTES = 1024 * 1024
/** What a batch and each of its operations add to the log beside content: whole pages of tables and indexes. */
const BATCH_BYTES = 64 * 1024
const OPERATION_BYTES = 16 * 1024
/** For settling, when nothing else is left. */
const LEAST_FREE_BYTES = 3 * 1024 * 1024

export type DiskOptions = {
  readonly path: string
  readonly clock: Clock
  /** Free space below which no new mail is taken. */
  readonly reserveBytes: number
}

export class Disk {
  readonly #options: DiskOptions
  #lookedAt = Number.NEGATIVE_INFINITY
  #low = false
  #written = 0
  freeBytes = 0
  logBytes = 0

  constructor(options: DiskOptions) {
    this.#options = options
  }

  /** What the last look found. */
  get wasLow(): boolean {
    return this.#low
  }

  /** A batch goes to the log: after enough of them a second is too long to wait. Settling writes, too. */
  wrote({ bytes, operations }: { bytes: number; operations: number }): void {
    this.#written += bytes + BATCH_BYTES + operations * OPERATION_BYTES
    if (this.#written > LOOK_AFTER_BYTES) this.lookAgain()
  }

  /** The next question is answered by a fresh look. */
  lookAgain(): void {
    this.#lookedAt = Number.NEGATIVE_INFINITY
  }

  /**
   * Is there too little room for new mail? The log must always fit into the file, or neither could
   * ever shrink again. What is free inside the file (`reusableBytes`) is room as well, as long as the
   * disk has some for the log that leads there.
   */
  isLow(reusableBytes: () => number): boolean {
    const { clock, path, reserveBytes } = this.#options
    const now = clock.elapsed()
    if (now - this.#lookedAt < LOOK_AT_DISK_MS) return this.#low
    this.#lookedAt = now
    this.#written = 0
    try {
      const disk = statfsSync(dirname(path))
      this.freeBytes = disk.bavail * disk.bsize
      this.logBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
    } catch {
      // Not to know is no reason to refuse mail: the write itself will tell.
      this.#low = false
      return false
    }
    const forLog = this.logBytes + LEAST_FREE_BYTES
    const wanted = Math.max(reserveBytes, forLog)
    const least = Math.max(reserveBytes / 4, forLog)
    this.#low =
      this.freeBytes < wanted &&
      (this.freeBytes < least || this.freeBytes + reusableBytes() < wanted)
    return this.#low
  }
}
