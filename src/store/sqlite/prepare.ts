// The start of the writer: the same after a clean end, a crash or damage. Opens the database, brings
// it to the newest schema, sweeps content that no commit sealed; what cannot be opened, or does not
// pass its check, is taken apart and built anew (rebuild.ts).

import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../std/clock.ts'
import { countDamage, isAside, makeWay } from './aside.ts'
import { type Database, openForWriting, prepare, single, troubleOf } from './driver.ts'
import { Healer } from './heal.ts'
import { createQueue, faultOfLog, finishRebuild, logLostItsEnd, rebuild } from './rebuild.ts'
import { ForeignDatabase, migrate, NewerSchema } from './schema.ts'
import { readTally, tallyPath, type Witness } from './tally.ts'
import { DATABASE_NAME, type Ready, type Recovery } from './thread-data.ts'

/** A queue up to this size is checked whole at every start: a fraction of a second. */
const CHECKED_BYTES = 64 * 1024 * 1024

/** Lost messages that are told by their ids. */
const MOST_NAMED = 100

/** Makes the folder's database ready to be opened by the writer. */
export function prepareFolder(data: { readonly folder: string; readonly damaged?: string }): {
  path: string
  ready: Ready
  /** Messages in the queue. */
  held: number
} {
  const { folder } = data
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, DATABASE_NAME)
  for (const name of [`${path}-journal`, tallyPath(path)]) makeWay(name, systemClock.now())
  finishRebuild(path)
  const witness = readTally(tallyPath(path))
  const isNew = createQueue(path)
  let recovered: Recovery | undefined
  const cut = logLostItsEnd(path)
  let why = data.damaged ?? faultOf(path)
  // A rebuilt database is new: if that has a fault too, it is not the data's.
  if (why !== undefined) {
    recovered = rebuild(path, why)
    why = faultOf(path)
    if (why !== undefined) throw new Error(`the rebuilt queue cannot be opened: ${why}`)
  }
  const database = openForWriting(path)
  const held = heldBy(database, recovered, witness)
  const lost = lostSince(database, folder, witness)
  // What is gone with all its traces. A cut log has lost a record at least, if no mail.
  const missing = recovered || isNew ? (witness?.held ?? 0) - held : 0
  const known = recovered?.damaged ?? 0
  const uncounted = Math.max(missing, lost.length, cut ? 1 : 0) - known
  if (uncounted > 0) countDamage(database, uncounted)
  const ready: Ready = {
    path,
    newestId: newestId(database),
    damaged: Number(single(database, "SELECT value FROM meta WHERE name = 'damaged'") ?? 0),
    sweptContent: sweep(database),
    logCut: cut,
    lost: { count: Math.max(missing - known, lost.length), newest: lost.slice(-MOST_NAMED) },
    ...(recovered ? { recovered } : undefined),
  }
  database.close()
  return { path, ready, held }
}

/** How many messages the queue holds: counted where that is quick, else as it was told. */
function heldBy(
  database: Database,
  recovered: Recovery | undefined,
  witness: Witness | undefined,
): number {
  if (recovered) return recovered.messages
  if (witness && sizeOf(database) > CHECKED_BYTES) return witness.held
  return Number(single(database, 'SELECT count(DISTINCT message) FROM entries'))
}

/** Messages that were acknowledged lately, and of which there is neither mail nor attempt nor file. */
function lostSince(database: Database, folder: string, witness: Witness | undefined): number[] {
  if (!witness) return []
  const known = prepare(
    database,
    'SELECT 1 FROM messages WHERE id = ?1 UNION ALL SELECT 1 FROM attempts WHERE message = ?1 LIMIT 1',
  )
  return [...witness.recent].filter((id) => !known.get(id) && !isAside(folder, id))
}

/** Why the database cannot be used as it is; undefined when it can. Throws when that is not the data's fault. */
function faultOf(path: string): string | undefined {
  for (const name of [path, `${path}-wal`, `${path}-shm`]) {
    const found = statSync(name, { throwIfNoEntry: false })
    if (found && !found.isFile()) return `${name} is not a file`
  }
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) return 'the database is empty'
  const logFault = faultOfLog(path)
  if (logFault !== undefined) return logFault
  let database: Database | undefined
  try {
    database = openForWriting(path)
    migrate(database)
    if (sizeOf(database) <= CHECKED_BYTES) {
      const verdict = single(database, 'PRAGMA integrity_check(1)')
      return verdict === 'ok' ? new Healer(database).fault() : `${verdict}`
    }
    return undefined
  } catch (error) {
    if (error instanceof NewerSchema) throw error
    if (error instanceof ForeignDatabase || isDataFault(error)) return String(error)
    throw error
  } finally {
    closeQuietly(database)
  }
}

function sizeOf(database: Database): number {
  return (
    Number(single(database, 'PRAGMA page_count')) * Number(single(database, 'PRAGMA page_size'))
  )
}

/** Damage, or a statement of ours that the schema it finds does not understand. */
function isDataFault(error: unknown): boolean {
  const trouble = troubleOf(error)
  return trouble === 'corrupt' || (trouble === 'other' && 'errcode' in (error as object))
}

function closeQuietly(database: Database | undefined): void {
  try {
    database?.close()
  } catch {
    // Closing a damaged database may fail; it is going to be moved away.
  }
}

/** Drops content whose message was never committed. */
function sweep(database: Database): number {
  const messages = prepare(database, 'SELECT message FROM arriving').all() as unknown as [number][]
  if (messages.length === 0) return 0
  const drop = prepare(database, 'DELETE FROM content WHERE message = ?')
  let rows = 0
  database.exec('BEGIN IMMEDIATE')
  for (const [message] of messages) rows += Number(drop.run(message).changes)
  database.exec('DELETE FROM arriving; COMMIT')
  return rows
}

/** The newest id that this data folder has seen. */
function newestId(database: Database): number {
  return Number(
    single(
      database,
      `SELECT max(
        coalesce((SELECT max(id) FROM messages), 0),
        coalesce((SELECT max(message) FROM attempts), 0),
        coalesce((SELECT max(message) FROM arriving), 0),
        coalesce((SELECT value FROM meta WHERE name = 'newest'), 0))`,
    ),
  )
}
