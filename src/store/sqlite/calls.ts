// The writer's rarer verbs, by name. Each runs inside the batch's transaction; those that may touch
// many rows do a slice and say where to go on, so that no commit waits long for them.

import type { CapturedMessage, CredentialRecord, DomainRecord, QueueFilter } from '../store.ts'
import { type AsideContext, setAside } from './aside.ts'
import { prepare } from './driver.ts'
import { entryChecksum, entryIsWhole } from './rows.ts'

const SLICE = 2000

type Call = (argument: never, context: AsideContext) => unknown

/** An entry's key and the site that it shall have. */
export type Move = readonly [message: number, idx: number, site: string]

export type Slice = { readonly changed: number; readonly next?: readonly [number, number] }

function discard(message: number, { database }: AsideContext): void {
  prepare(database, 'DELETE FROM arriving WHERE message = ?').run(message)
  prepare(
    database,
    'DELETE FROM content WHERE message = ?1 AND NOT EXISTS (SELECT 1 FROM messages WHERE id = ?1)',
  ).run(message)
}

/** Walks the queue from `after`, makes what matches due at `at`. */
function retry(
  argument: { filter: QueueFilter; at: number; after: readonly [number, number] },
  { database }: AsideContext,
): Slice {
  const { filter, at, after } = argument
  const rows = prepare(
    database,
    `SELECT message, idx, site, due_at FROM entries
     WHERE (message, idx) > (?, ?) AND message <= ? ORDER BY message, idx LIMIT ${SLICE}`,
  ).all(
    Math.max(after[0], (filter.message ?? 0) - 1),
    after[1],
    filter.message ?? Number.MAX_SAFE_INTEGER,
  ) as unknown as [number, number, string, number | null][]
  const update = prepare(
    database,
    'UPDATE entries SET due_at = ?, held = NULL WHERE message = ? AND idx = ?',
  )
  let changed = 0
  for (const [message, idx, site, dueAt] of rows) {
    if (filter.message !== undefined && filter.message !== message) continue
    if (filter.site !== undefined && filter.site !== site) continue
    if (filter.state !== undefined && (filter.state === 'held') !== (dueAt === null)) continue
    update.run(at, message, idx)
    changed++
  }
  const last = rows.at(-1)
  return rows.length < SLICE || !last ? { changed } : { changed, next: [last[0], last[1]] }
}

function clampDue(
  { latest, sandbox }: { latest: number; sandbox: number },
  { database }: AsideContext,
): number {
  return Number(
    prepare(
      database,
      `UPDATE entries SET due_at = ?1 WHERE (message, idx) IN
       (SELECT message, idx FROM entries WHERE due_at > ?1 AND sandbox = ?2 AND held IS NULL LIMIT ${SLICE})`,
    ).run(latest, sandbox).changes,
  )
}

function reroute(moves: readonly Move[], { database }: AsideContext): void {
  const read = prepare(
    database,
    'SELECT site, sandbox, recipient, crc FROM entries WHERE message = ? AND idx = ?',
  )
  const update = prepare(
    database,
    'UPDATE entries SET site = ?, crc = ? WHERE message = ? AND idx = ?',
  )
  for (const [message, idx, site] of moves) {
    const row = read.get(message, idx) as unknown as [string, number, string, number] | undefined
    if (!row || !entryIsWhole(message, idx, row[0], row[1], row[2], row[3])) continue
    update.run(site, entryChecksum(message, idx, site, row[1], row[2]), message, idx)
  }
}

/** Forgets attempts before `before` of messages that have left the queue. */
function prune(
  argument: { before: number; after: readonly [number, number]; newest: number },
  { database }: AsideContext,
): Slice {
  prepare(
    database,
    `INSERT INTO meta VALUES ('newest', ?1) ON CONFLICT (name) DO UPDATE SET value = max(value, ?1)`,
  ).run(argument.newest)
  const rows = prepare(
    database,
    `SELECT message, n, at FROM attempts WHERE (message, n) > (?, ?) ORDER BY message, n LIMIT ${SLICE}`,
  ).all(...argument.after) as unknown as [number, number, number][]
  const remove = prepare(database, 'DELETE FROM attempts WHERE message = ? AND n = ?')
  // While a message is queued its attempts say who has it already: a rebuild needs that.
  const queued = prepare(database, 'SELECT 1 FROM messages WHERE id = ?')
  let changed = 0
  for (const [message, n, at] of rows) {
    if (at >= argument.before || queued.get(message)) continue
    remove.run(message, n)
    changed++
  }
  const last = rows.at(-1)
  return rows.length < SLICE || !last ? { changed } : { changed, next: [last[0], last[1]] }
}

function saveDomain(record: DomainRecord, { database }: AsideContext): void {
  prepare(
    database,
    'INSERT INTO domains VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET data = ?2',
  ).run(record.domain, JSON.stringify(record))
}

function saveCredential(record: CredentialRecord, { database }: AsideContext): void {
  prepare(
    database,
    'INSERT INTO credentials VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET data = ?2',
  ).run(record.name, JSON.stringify(record))
}

function saveUsage(usage: string, { database }: AsideContext): void {
  prepare(
    database,
    "INSERT INTO meta VALUES ('usage', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1",
  ).run(usage)
}

function removeDomain(name: string, { database }: AsideContext): boolean {
  return Number(prepare(database, 'DELETE FROM domains WHERE name = ?').run(name).changes) > 0
}

function removeCredential(name: string, { database }: AsideContext): boolean {
  return Number(prepare(database, 'DELETE FROM credentials WHERE name = ?').run(name).changes) > 0
}

function capture(
  argument: { record: CapturedMessage; raw: Uint8Array; keep: number },
  { database }: AsideContext,
): void {
  const { record, raw, keep } = argument
  prepare(database, 'INSERT INTO captured (id, data, raw) VALUES (?, ?, ?)').run(
    record.id,
    JSON.stringify(record),
    raw,
  )
  prepare(
    database,
    'DELETE FROM captured WHERE n <= (SELECT n FROM captured ORDER BY n DESC LIMIT 1 OFFSET ?)',
  ).run(keep)
}

function clearCaptured(_: unknown, { database }: AsideContext): void {
  database.exec('DELETE FROM captured')
}

/** Remembers the newest id, for a queue that is empty at the next start. */
function rememberNewest(newest: number, { database }: AsideContext): void {
  prepare(
    database,
    `INSERT INTO meta VALUES ('newest', ?1) ON CONFLICT (name) DO UPDATE SET value = max(value, ?1)`,
  ).run(newest)
}

export const calls: Readonly<Record<string, Call>> = {
  __proto__: null as never,
  /** The writer looks at the disk before each batch, so there is nothing left to do. */
  look: () => undefined,
  discard,
  retry,
  clampDue,
  reroute,
  prune,
  saveDomain,
  saveCredential,
  saveUsage,
  removeDomain,
  removeCredential,
  capture,
  clearCaptured,
  rememberNewest,
  setAside,
}
