// Reads rows out of a damaged SQLite file page by page, without its tree: a page that is whole gives
// its rows, whatever has become of its parents. The log's newest pages lie over the file's. Every
// number read here may be nonsense, so every step is checked against the bounds of what is there.
// Layout: sqlite.org/fileformat.html, sections 1.3, 1.5, 1.6 and 2.

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import type { LogFrames } from './log-frames.ts'

export type Value = null | number | string | Uint8Array
export type Cell = { readonly rowid: number; readonly values: readonly Value[] }

const MAGIC = 'SQLite format 3\u0000'
const TABLE_LEAF = 0x0d
const INDEX_LEAF = 0x0a
const INDEX_INTERIOR = 0x02
/** No row of ours is longer: a content row, a head and a prefix of 256 KiB of fields. */
const LARGEST_PAYLOAD = 2 * 1024 * 1024
const MOST_COLUMNS = 16

/** The page size that a file claims, when it looks like a database at all. */
export function claimedPageBytes(path: string): number | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined
  const file = openSync(path, 'r')
  try {
    const header = Buffer.alloc(100)
    if (readSync(file, header, 0, 100, 0) < 100) return undefined
    if (header.toString('latin1', 0, 16) !== MAGIC) return undefined
    const claimed = header.readUInt16BE(16)
    const bytes = claimed === 1 ? 65_536 : claimed
    return bytes >= 512 && (bytes & (bytes - 1)) === 0 ? bytes : undefined
  } finally {
    closeSync(file)
  }
}

export class Pages {
  readonly #main: number | undefined
  readonly #log: number | undefined
  readonly #frames: LogFrames | undefined
  readonly #bytes: number
  /** Pages in file and log together. */
  readonly count: number

  constructor(path: string, options: { pageBytes: number; frames: LogFrames | undefined }) {
    this.#bytes = options.pageBytes
    this.#frames = options.frames
    const found = statSync(path, { throwIfNoEntry: false })
    this.#main = found?.isFile() ? openSync(path, 'r') : undefined
    this.#log = options.frames ? openSync(`${path}-wal`, 'r') : undefined
    let count = this.#main === undefined ? 0 : Math.ceil(found!.size / this.#bytes)
    // A page number far beyond what the log could hold is nonsense.
    const most = count + (options.frames?.pages.size ?? 0)
    for (const page of options.frames?.pages.keys() ?? []) {
      if (page > count && page <= most + 1) count = page
    }
    this.count = count
  }

  close(): void {
    if (this.#main !== undefined) closeSync(this.#main)
    if (this.#log !== undefined) closeSync(this.#log)
  }

  /** A page's octets; what the file lacks is zero. */
  read(page: number): Buffer {
    const bytes = Buffer.alloc(this.#bytes)
    const offset = this.#frames?.pages.get(page)
    if (offset !== undefined) readSync(this.#log!, bytes, 0, this.#bytes, offset)
    else if (this.#main !== undefined) {
      readSync(this.#main, bytes, 0, this.#bytes, (page - 1) * this.#bytes)
    }
    return bytes
  }

  /** Pages that the file itself calls free: they hold rows that are gone. */
  free(): Set<number> {
    const free = new Set<number>()
    const header = this.read(1)
    if (header.toString('latin1', 0, 16) !== MAGIC) return free
    let trunk = header.readUInt32BE(32)
    while (trunk > 1 && trunk <= this.count && !free.has(trunk)) {
      free.add(trunk)
      const bytes = this.read(trunk)
      const leaves = Math.min(bytes.readUInt32BE(4), this.#bytes / 4 - 2)
      for (let i = 0; i < leaves; i++) {
        const leaf = bytes.readUInt32BE(8 + i * 4)
        if (leaf > 1 && leaf <= this.count) free.add(leaf)
      }
      trunk = bytes.readUInt32BE(0)
    }
    return free
  }

  /** The rows of one page; `table` tells rowid tables from those without. */
  *cells(page: number): Generator<Cell & { readonly table: boolean }> {
    const bytes = this.read(page)
    const start = page === 1 ? 100 : 0
    const type = bytes[start]
    if (type !== TABLE_LEAF && type !== INDEX_LEAF && type !== INDEX_INTERIOR) return
    const pointers = start + (type === INDEX_INTERIOR ? 12 : 8)
    const count = Math.min(bytes.readUInt16BE(start + 3), (this.#bytes - pointers) >> 1)
    for (let i = 0; i < count; i++) {
      const at = bytes.readUInt16BE(pointers + i * 2)
      if (at < pointers || at >= this.#bytes - 4) continue
      const cell = this.#cell(bytes, at, type)
      if (cell) yield cell
    }
  }

  #cell(bytes: Buffer, start: number, type: number): (Cell & { table: boolean }) | undefined {
    const table = type === TABLE_LEAF
    const reader = new Varints(bytes, type === INDEX_INTERIOR ? start + 4 : start)
    const length = reader.next()
    const rowid = table ? reader.next() : 0
    if (!(length > 0 && length <= LARGEST_PAYLOAD) || !Number.isSafeInteger(rowid)) return undefined
    const payload = this.#payload(bytes, { at: reader.at, length, table })
    const values = payload && parseRecord(payload)
    return values && { rowid, values, table }
  }

  /** A row's octets, gathered from its page and its overflow pages. */
  #payload(
    bytes: Buffer,
    { at, length, table }: { at: number; length: number; table: boolean },
  ): Buffer | undefined {
    const usable = this.#bytes
    const most = table ? usable - 35 : (((usable - 12) * 64) / 255 - 23) | 0
    if (length <= most) return at + length <= usable ? bytes.subarray(at, at + length) : undefined
    const least = (((usable - 12) * 32) / 255 - 23) | 0
    const wanted = least + ((length - least) % (usable - 4))
    const local = wanted <= most ? wanted : least
    if (at + local + 4 > usable) return undefined
    const payload = Buffer.alloc(length)
    let filled = bytes.copy(payload, 0, at, at + local)
    let page = bytes.readUInt32BE(at + local)
    while (filled < length) {
      if (page < 2 || page > this.count) return undefined
      const overflow = this.read(page)
      filled += overflow.copy(payload, filled, 4)
      page = overflow.readUInt32BE(0)
    }
    return payload
  }
}

/** SQLite's variable-length integers, up to nine octets; NaN past the end. */
class Varints {
  readonly #bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  next(): number {
    let value = 0
    for (let i = 0; i < 9; i++) {
      const byte = this.#bytes[this.at++]
      if (byte === undefined) return Number.NaN
      if (i === 8) return value * 256 + byte
      value = value * 128 + (byte & 0x7f)
      if (byte < 0x80) return value
    }
    return value
  }
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0]

/** A record's values (fileformat section 2.1); undefined when it is none. */
export function parseRecord(payload: Buffer): Value[] | undefined {
  const header = new Varints(payload, 0)
  const end = header.next()
  if (!(end > 0 && end <= payload.length)) return undefined
  const values: Value[] = []
  let at = end
  while (header.at < end) {
    const type = header.next()
    if (!(type >= 0) || type === 10 || type === 11 || values.length === MOST_COLUMNS) {
      return undefined
    }
    const length = type >= 12 ? (type - (type % 2 === 0 ? 12 : 13)) / 2 : INTEGER_BYTES[type]!
    if (at + length > payload.length) return undefined
    const value = parseValue(payload, { type, at, length })
    // An integer beyond 2^53 is nothing that we wrote.
    if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) return undefined
    values.push(value)
    at += length
  }
  return values
}

function parseValue(
  payload: Buffer,
  { type, at, length }: { type: number; at: number; length: number },
): Value {
  if (type === 0) return null
  if (type === 8) return 0
  if (type === 9) return 1
  if (type === 7) return payload.readDoubleBE(at)
  if (type === 6) return Number(payload.readBigInt64BE(at))
  if (type < 6) return payload.readIntBE(at, length)
  const bytes = payload.subarray(at, at + length)
  return type % 2 === 0 ? bytes : bytes.toString('utf8')
}
