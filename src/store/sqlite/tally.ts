// A second witness beside the database: how many messages the queue held when its log was last
// written back, and which came and went since. A damaged or cut file can take mail with it that has
// left no trace there; from here it is known how much, and often which.
//
// It is written after each commit has been synced and never synced itself, so on no disk can it be
// ahead of what was durable. No promise rests on it: where it is missing or damaged, or the disk has
// no room for it, less is known and nothing else happens.

import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'

/** Checksum and count of the numbers that follow. */
const GROUP_HEADER = 8
const NUMBER = 8
/** The log is written back long before; when that fails for long, the count alone is kept. */
const MOST_BYTES = 4 * 1024 * 1024

export type Witness = {
  /** Messages that the queue held at the end. */
  readonly held: number
  /** Of them, those that came since the log was last written back. */
  readonly recent: ReadonlySet<number>
}

export const tallyPath = (database: string): string => database.replace(/(\.db)?$/, '.tally')

/** What the file says, up to its first damaged part; undefined when it says nothing. */
export function readTally(path: string): Witness | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined
  const bytes = readFileSync(path)
  let held: number | undefined
  const recent = new Set<number>()
  for (let at = 0; at + GROUP_HEADER <= bytes.length; ) {
    const end = at + GROUP_HEADER + bytes.readUInt32LE(at + 4) * NUMBER
    if (end > bytes.length || crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32LE(at)) break
    for (at += GROUP_HEADER; at < end; at += NUMBER) {
      const number = bytes.readDoubleLE(at)
      if (held === undefined) held = number
      else if (number > 0) {
        held++
        recent.add(number)
      } else {
        held--
        recent.delete(-number)
      }
    }
  }
  return held === undefined ? undefined : { held: Math.max(0, held), recent }
}

/** The writer's hand on the file. What the disk says about it is nobody's trouble. */
export class Tally {
  readonly #file: number | undefined
  #held: number
  /** 0: nothing stands in the file, and nothing will before it begins anew. */
  #size = 0
  /** Of the transaction that runs: ids that came, and negative those that went. */
  #changes: number[] = []

  /** Begins the file anew. */
  constructor(path: string, held: number) {
    this.#held = held
    this.#file = opened(path)
    this.renew()
  }

  came(id: number): void {
    this.#changes.push(id)
  }

  went(id: number): void {
    this.#changes.push(-id)
  }

  /** The transaction was rolled back. */
  forget(): void {
    this.#changes = []
  }

  /** The transaction is durable. */
  keep(): void {
    if (this.#changes.length === 0) return
    for (const change of this.#changes) this.#held += Math.sign(change)
    if (this.#size > 0) this.#write(this.#changes)
    this.#changes = []
    if (this.#size > MOST_BYTES) this.renew()
  }

  /** The database alone has everything now: its log is written back. */
  renew(): void {
    if (this.#empty()) this.#write([this.#held])
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }

  #write(numbers: readonly number[]): void {
    const group = groupOf(numbers)
    try {
      const written = writeSync(this.#file!, group, 0, group.length, this.#size)
      if (written < group.length) this.#empty()
      else this.#size += written
    } catch {
      // A list with gaps would accuse: what it lacks may be the end of a message.
      this.#empty()
    }
  }

  #empty(): boolean {
    this.#size = 0
    if (this.#file === undefined) return false
    try {
      ftruncateSync(this.#file, 0)
      return true
    } catch {
      return false
    }
  }
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, 'w+', 0o600)
  } catch {
    return undefined
  }
}

function groupOf(numbers: readonly number[]): Buffer {
  const group = Buffer.allocUnsafe(GROUP_HEADER + numbers.length * NUMBER)
  group.writeUInt32LE(numbers.length, 4)
  let at = GROUP_HEADER
  for (const number of numbers) at = group.writeDoubleLE(number, at)
  group.writeUInt32LE(crc32(group.subarray(4)), 0)
  return group
}
