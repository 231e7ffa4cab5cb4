// Takes a damaged queue apart and fills a new one with every row that proves itself: by its shape and
// by the checksum that is seeded with its key. The walk needs no tree, no schema and no first page.
//
// Rows of deleted messages linger on free pages. The free list excludes them; where it is damaged
// too, the attempts do: what they say has ended does not come back.

import { type Aside, countDamage, setAside } from './aside.ts'
import { type Database, PAGE_BYTES, prepare } from './driver.ts'
import { Healer } from './heal.ts'
import { readLogFrames } from './log-frames.ts'
import { type Cell, claimedPageBytes, Pages, type Value } from './pages.ts'
import { contentChecksum, entryIsWhole, headFacts, headIsWhole, progressIsWhole } from './rows.ts'

const ROWS_IN_A_COMMIT = 5000

export type Salvaged = {
  readonly messages: number
  readonly entries: number
  readonly damaged: number
}

/** Fills `target`, whose schema is made and whose tables are empty, with what can be read of `path`. */
export function salvage(path: string, target: Database, folder: string): Salvaged {
  const claimed = claimedPageBytes(path)
  const frames = readLogFrames(`${path}-wal`, claimed ?? PAGE_BYTES)
  const pages = new Pages(path, {
    pageBytes: frames?.pageBytes ?? claimed ?? PAGE_BYTES,
    frames,
  })
  target.exec(`
    CREATE TEMP TABLE traces (message INTEGER PRIMARY KEY);
    CREATE TEMP TABLE broken (message INTEGER PRIMARY KEY);
    BEGIN IMMEDIATE`)
  const collector = new Collector(target)
  try {
    const free = pages.free()
    for (let page = 1; page <= pages.count; page++) {
      if (free.has(page)) continue
      for (const cell of pages.cells(page)) collector.take(cell)
      if (collector.taken >= ROWS_IN_A_COMMIT) collector.flush()
    }
  } finally {
    pages.close()
  }
  return judge(target, folder, collector)
}

/** Puts each row where it belongs, or remembers that one was damaged. */
class Collector {
  readonly #target: Database
  readonly #insert: ReturnType<typeof prepareInserts>
  readonly damagedEntries = new Map<string, readonly [number, number]>()
  taken = 0

  constructor(target: Database) {
    this.#target = target
    this.#insert = prepareInserts(target)
  }

  flush(): void {
    this.taken = 0
    this.#target.exec('COMMIT; BEGIN IMMEDIATE')
  }

  take({ rowid, values, table }: Cell & { readonly table: boolean }): void {
    this.taken++
    if (table) {
      if (values.length === 8) this.#message(rowid, values)
      else if (values.length === 4) this.#captured(values)
    } else if (values.length === 3) this.#trace(values[1])
    else if (values.length === 10) this.#entry(values)
    else if (values.length === 4) this.#contentOrAttempt(values)
    else if (values.length === 2) this.#named(values)
  }

  #message(id: number, values: readonly Value[]): void {
    const [, head, prefix, roster, headCrc, rows, contentCrc, content] = values
    const whole =
      headIsWhole(id, head, prefix, roster, headCrc) &&
      typeof rows === 'number' &&
      rows >= 0 &&
      content instanceof Uint8Array &&
      contentChecksum(id, 0, content) === contentCrc
    if (!whole) {
      if (id > 0) this.#insert.broken.run(id)
      return
    }
    this.#insert.message.run(id, head!, prefix!, roster!, headCrc!, rows, contentCrc!, content)
  }

  #entry(values: readonly Value[]): void {
    const [message, idx, site, sandbox, recipient, crc, dueAt, attempts, held, progress] = values
    if (
      entryIsWhole(message, idx, site, sandbox, recipient, crc) &&
      progressIsWhole(dueAt, attempts, held, progress)
    ) {
      this.#insert.entry.run(...(values as Value[]))
    } else if (typeof message === 'number' && typeof idx === 'number') {
      this.damagedEntries.set(`${message} ${idx}`, [message, idx])
    }
  }

  #contentOrAttempt(values: readonly Value[]): void {
    const [message, n, third, data] = values
    if (typeof message === 'string') this.#trace(third)
    if (!isKey(message) || !isKey(n) || !isKey(third)) return
    if (data instanceof Uint8Array) {
      // What fails is missed when its message is judged.
      if (contentChecksum(message, n, data) === third) {
        this.#insert.content.run(message, n, third, data)
      }
      return
    }
    if (typeof data === 'string') this.#attempt(message, { n, at: third, data })
  }

  /** An index names a message: if nothing else of it is left, at least it is counted. */
  #trace(message: Value | undefined): void {
    if (isKey(message) && message > 0) this.#insert.trace.run(message)
  }

  #attempt(message: number, { n, at, data }: { n: number; at: number; data: string }): void {
    const record = parseObject(data)
    if (!record || !Array.isArray(record['results'])) return
    this.#insert.attempt.run(message, n, at, data)
    this.#insert.trace.run(message)
  }

  /** domains, credentials and meta are all pairs that begin with a name. */
  #named([name, data]: readonly Value[]): void {
    if (typeof name !== 'string') return
    if (typeof data === 'number') {
      if (name === 'damaged' || name === 'newest') this.#insert.meta.run(name, data)
      return
    }
    const record = typeof data === 'string' ? parseObject(data) : undefined
    if (record?.['domain'] === name) this.#insert.domain.run(name, data as string)
    else if (record?.['name'] === name && typeof record['hash'] === 'string') {
      this.#insert.credential.run(name, data as string)
    }
  }

  #captured([, id, data, raw]: readonly Value[]): void {
    if (typeof id !== 'string' || typeof data !== 'string' || !(raw instanceof Uint8Array)) return
    if (parseObject(data)?.['id'] === id) this.#insert.captured.run(id, data, raw)
  }
}

/** Numbers of ours are whole, and a fraction is no key of a table. */
const isKey = (value: Value | undefined): value is number => Number.isSafeInteger(value)

function prepareInserts(target: Database) {
  return {
    message: prepare(target, 'INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    entry: prepare(
      target,
      `INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (message, idx) DO UPDATE SET site = excluded.site, crc = excluded.crc,
         due_at = excluded.due_at, attempts = excluded.attempts, held = excluded.held,
         progress = excluded.progress
       WHERE excluded.attempts > attempts`,
    ),
    content: prepare(target, 'INSERT OR IGNORE INTO content VALUES (?, ?, ?, ?)'),
    attempt: prepare(target, 'INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?)'),
    domain: prepare(target, 'INSERT OR IGNORE INTO domains VALUES (?, ?)'),
    credential: prepare(target, 'INSERT OR IGNORE INTO credentials VALUES (?, ?)'),
    captured: prepare(target, 'INSERT OR IGNORE INTO captured (id, data, raw) VALUES (?, ?, ?)'),
    meta: prepare(target, 'INSERT OR IGNORE INTO meta VALUES (?, ?)'),
    trace: prepare(target, 'INSERT OR IGNORE INTO traces VALUES (?)'),
    broken: prepare(target, 'INSERT OR IGNORE INTO broken VALUES (?)'),
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Heals what has lost its entries, drops what has ended, sets aside what is not whole, and counts. */
function judge(target: Database, folder: string, collector: Collector): Salvaged {
  const healer = new Healer(target)
  dropEnded(target, healer)
  const broken = new Set<number>()
  for (const id of numbers(target, 'SELECT message FROM broken')) {
    // What an attempt calls ended lay on a page that is free.
    if (!exists(target, id) && healer.ended(id).size === 0) broken.add(id)
  }
  const orphans =
    'SELECT DISTINCT message FROM entries WHERE message NOT IN (SELECT id FROM messages)'
  for (const id of numbers(target, orphans)) broken.add(id)
  for (const id of numbers(target, 'SELECT id FROM messages WHERE rows > 0')) {
    if (!sizeFits(target, id)) broken.add(id)
  }
  const aside: Aside = { messages: [...broken], entries: [] }
  const counted = setAside(aside, { database: target, folder })
  // Damaged rows of which nothing stands in the new queue are in the old files, and counted here.
  let unread = broken.size - counted
  for (const [message] of collector.damagedEntries.values()) {
    if (!broken.has(message) && !exists(target, message)) unread++
  }
  const traces = 'SELECT message FROM traces WHERE message NOT IN (SELECT id FROM messages)'
  for (const id of numbers(target, traces)) {
    if (!broken.has(id) && healer.ended(id).size === 0) unread++
  }
  if (unread > 0) countDamage(target, unread)
  target.exec('DELETE FROM content WHERE message NOT IN (SELECT id FROM messages); COMMIT')
  target.exec('DROP TABLE broken; DROP TABLE traces')
  return {
    messages: numbers(target, 'SELECT count(*) FROM messages')[0] ?? 0,
    entries: numbers(target, 'SELECT count(*) FROM entries')[0] ?? 0,
    damaged: counted + unread,
  }
}

/** Entries whose end is on record go; entries that are missing come back; a message with none goes. */
function dropEnded(target: Database, healer: Healer): void {
  const entries = prepare(target, 'SELECT idx, recipient FROM entries WHERE message = ?')
  const drop = prepare(target, 'DELETE FROM entries WHERE message = ? AND idx = ?')
  const dropMessage = prepare(target, 'DELETE FROM messages WHERE id = ?')
  const known = 'SELECT id FROM messages UNION SELECT message FROM entries'
  for (const id of numbers(target, known)) {
    const ended = healer.ended(id)
    if (ended.size > 0) {
      for (const [idx, recipient] of entries.all(id) as unknown as [number, string][]) {
        if (ended.has(recipient)) drop.run(id, idx)
      }
    }
    if (healer.heal(id) === 0) dropMessage.run(id)
  }
}

function exists(target: Database, id: number): boolean {
  return prepare(target, 'SELECT 1 FROM messages WHERE id = ?').get(id) !== undefined
}

function sizeFits(target: Database, id: number): boolean {
  const [head, prefix, expected] = prepare(
    target,
    'SELECT head, prefix, rows FROM messages WHERE id = ?',
  ).get(id) as unknown as [string, string, number]
  const [rows, size] = prepare(
    target,
    'SELECT count(*), coalesce(sum(length(bytes)), 0) FROM content WHERE message = ? AND row < ?',
  ).get(id, expected) as unknown as [number, number]
  return rows === expected && size === headFacts(head).size - Buffer.byteLength(prefix)
}

function numbers(target: Database, sql: string): number[] {
  return (prepare(target, sql).all() as unknown as [number][]).map(([value]) => value)
}
