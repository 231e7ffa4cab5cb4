// The one file that knows node:sqlite: how a database is opened, and what its errors mean.

import { DatabaseSync, type StatementSync } from 'node:sqlite'

export type Database = DatabaseSync
export type Statement = StatementSync

/** What a failed statement says about the world; `other` is a fault of the statement itself. */
export type Trouble = 'full' | 'failed' | 'corrupt' | 'busy' | 'other'

/** The smallest that holds a message of 5 KB with its head (docs/decisions/store-layout.md). */
export const PAGE_BYTES = 8192
/** `Psth`: tells our file from another program's database. */
export const APPLICATION_ID = 0x50737468

const WRITER_CACHE_KIB = 16_384
const READER_CACHE_KIB = 8192

/** The connection that writes: WAL, a sync at every commit, checkpoints only when we ask. */
export function openForWriting(path: string): Database {
  const database = new DatabaseSync(path, { timeout: 5000 })
  return prepared(
    database,
    `
    PRAGMA page_size = ${PAGE_BYTES};
    PRAGMA cache_size = -${WRITER_CACHE_KIB};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA cell_size_check = ON;
  `,
  )
}

export function openForReading(path: string): Database {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  return prepared(
    database,
    `PRAGMA cache_size = -${READER_CACHE_KIB}; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON`,
  )
}

/**
 * Closes what cannot be used: left to the garbage collector, SQLite would write the log back and
 * delete it at any later moment, under the hands of who saves what can be saved.
 */
function prepared(database: Database, pragmas: string): Database {
  try {
    database.exec(pragmas)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** A side database that only carries a lock. */
export function openForLocking(path: string): Database {
  return new DatabaseSync(path, { timeout: 0 })
}

/** Prepares a statement whose rows come as arrays, which is cheaper than objects. */
export function prepare(database: Database, sql: string): Statement {
  const statement = database.prepare(sql)
  statement.setReturnArrays(true)
  return statement
}

/** The first column of the first row. */
export function single(database: Database, sql: string): unknown {
  const row = prepare(database, sql).get() as unknown as unknown[] | undefined
  return row?.[0]
}

/** Sorts an error of the driver by what must follow from it. */
export function troubleOf(error: unknown): Trouble {
  const { code, errcode } = error as { code?: string; errcode?: number }
  // An integer beyond 2^53 is nothing that we wrote.
  if (code === 'ERR_OUT_OF_RANGE') return 'corrupt'
  if (typeof errcode !== 'number') return 'other'
  // SQLite ended the transaction of itself, over a damaged page that no statement told us of.
  if (String(error).includes('no transaction is active')) return 'corrupt'
  switch (errcode & 0xff) {
    case 13:
      return 'full'
    case 11: // CORRUPT
    case 24: // FORMAT
    case 26: // NOTADB
      return 'corrupt'
    case 5: // BUSY
    case 6: // LOCKED
      return 'busy'
    case 7: // NOMEM
    case 8: // READONLY
    case 10: // IOERR
    case 14: // CANTOPEN
    case 15: // PROTOCOL
      return 'failed'
    default:
      return 'other'
  }
}
