// A message's roster says who was to get it, its attempts who has had his end, its entries who is
// left. Entries that cannot be read are made anew from the first two: a recipient may then get a
// message twice when an attempt is lost too, but nobody gets none.

import { type Database, prepare } from './driver.ts'
import {
  decodeRoster,
  entryChecksum,
  entryIsWhole,
  headFacts,
  headIsWhole,
  progressIsWhole,
  type RosterEntry,
} from './rows.ts'

export class Healer {
  readonly #statements: ReturnType<typeof prepareAll>

  constructor(database: Database) {
    this.#statements = prepareAll(database)
  }

  /** Recipients, as JSON, of whom an attempt says that they have ended. */
  ended(message: number): Set<string> {
    const ended = new Set<string>()
    for (const row of this.#statements.attempts.all(message) as unknown as [unknown][]) {
      for (const recipient of endedIn(row[0])) ended.add(recipient)
    }
    return ended
  }

  /** Roster entries that are neither queued nor ended; none for a message that is not whole. */
  missing(message: number): RosterEntry[] {
    const row = this.#statements.message.get(message) as unknown as HeadRow | undefined
    if (!row || !headIsWhole(...row)) return []
    const queued = this.#queued(message)
    const missing = decodeRoster(row[3]).filter(({ idx }) => !queued.has(idx))
    if (missing.length === 0) return missing
    const ended = this.ended(message)
    return missing.filter(({ recipient }) => !ended.has(recipient))
  }

  /** Puts back what is missing, due at once; returns how many entries the message has then. */
  heal(message: number): number {
    const missing = this.missing(message)
    if (missing.length > 0) {
      const row = this.#statements.message.get(message) as unknown as HeadRow
      const { acceptedAt, world } = headFacts(row[1])
      const sandbox = world === 'sandbox' ? 1 : 0
      for (const { idx, site, recipient } of missing) {
        const crc = entryChecksum(message, idx, site, sandbox, recipient)
        this.#statements.insert.run(message, idx, site, sandbox, recipient, crc, acceptedAt)
      }
    }
    return this.#queued(message).size
  }

  /** Why the rows of this database cannot all be believed; undefined when they can. */
  fault(): string | undefined {
    for (const row of this.#statements.entries.iterate() as Iterable<never>) {
      const [message, idx, site, sandbox, recipient, crc, ...progress] = row as Progress
      if (
        !entryIsWhole(message, idx, site, sandbox, recipient, crc) ||
        !progressIsWhole(...progress)
      ) {
        return `entry ${message}/${idx} is damaged`
      }
    }
    for (const row of this.#statements.messages.iterate() as Iterable<never>) {
      const head = row as HeadRow
      if (!headIsWhole(...head)) return `message ${head[0]} is damaged`
      if (this.missing(head[0]).length > 0) return `message ${head[0]} lacks recipients`
      if (this.#queued(head[0]).size === 0) return `message ${head[0]} has no recipients`
    }
    const orphan = this.#statements.orphan.get() as unknown as [number] | undefined
    return orphan && `message ${orphan[0]} is missing`
  }

  #queued(message: number): Set<number> {
    const rows = this.#statements.queued.all(message) as unknown as [number][]
    return new Set(rows.map(([idx]) => idx))
  }
}

type HeadRow = [id: number, head: string, prefix: string, roster: string, crc: number]
type Progress = [
  message: unknown,
  idx: unknown,
  site: unknown,
  sandbox: unknown,
  recipient: unknown,
  crc: unknown,
  dueAt: unknown,
  attempts: unknown,
  held: unknown,
  progress: unknown,
]

function endedIn(data: unknown): string[] {
  try {
    const { results } = JSON.parse(String(data)) as {
      results: { recipient: unknown; result: string }[]
    }
    return results
      .filter(({ result }) => result !== 'deferred')
      .map(({ recipient }) => JSON.stringify(recipient))
  } catch {
    return []
  }
}

function prepareAll(database: Database) {
  const head = 'SELECT id, head, prefix, roster, head_crc FROM messages'
  return {
    attempts: prepare(database, 'SELECT data FROM attempts WHERE message = ?'),
    message: prepare(database, `${head} WHERE id = ?`),
    messages: prepare(database, head),
    entries: prepare(
      database,
      `SELECT message, idx, site, sandbox, recipient, crc, due_at, attempts, held, progress
       FROM entries`,
    ),
    queued: prepare(database, 'SELECT idx FROM entries WHERE message = ?'),
    orphan: prepare(
      database,
      `SELECT message FROM entries
       WHERE NOT EXISTS (SELECT 1 FROM messages WHERE id = entries.message) LIMIT 1`,
    ),
    insert: prepare(
      database,
      'INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, 0, NULL, NULL)',
    ),
  }
}
