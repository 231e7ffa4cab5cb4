// Brings a database to the newest schema. Files in migrations/ are numbered and never edited after
// a release. The version stands in two places, so that a flipped bit is not taken for a newer
// Posthorn.

import { readdirSync, readFileSync } from 'node:fs'
import { assert } from '../../std/assert.ts'
import { APPLICATION_ID, type Database, single } from './driver.ts'

const FOLDER = new URL('../migrations/', import.meta.url)

/** The data folder was written by a newer Posthorn. */
export class NewerSchema extends Error {
  override readonly name = 'NewerSchema'
}

/** The file is not a queue of ours, or its own words about itself disagree. */
export class ForeignDatabase extends Error {
  override readonly name = 'ForeignDatabase'
}

/** Applies what is missing, each migration in a transaction of its own. */
export function migrate(database: Database): void {
  const migrations = readMigrations()
  const version = currentVersion(database)
  if (version > migrations.length) {
    throw new NewerSchema(
      `the queue has schema ${version}, this Posthorn knows up to ${migrations.length}: run the newer Posthorn, or use another data folder`,
    )
  }
  for (let next = version + 1; next <= migrations.length; next++) {
    database.exec('BEGIN IMMEDIATE')
    database.exec(migrations[next - 1]!)
    database.exec(
      `INSERT INTO meta VALUES ('schema', ${next}) ON CONFLICT (name) DO UPDATE SET value = ${next};
       PRAGMA user_version = ${next};
       PRAGMA application_id = ${APPLICATION_ID};
       COMMIT`,
    )
  }
}

function currentVersion(database: Database): number {
  const version = Number(single(database, 'PRAGMA user_version'))
  const tables = Number(single(database, 'SELECT count(*) FROM sqlite_schema'))
  if (version === 0 && tables === 0) return 0
  if (single(database, 'PRAGMA application_id') !== APPLICATION_ID) {
    throw new ForeignDatabase('not a queue of Posthorn')
  }
  const meta = Number(single(database, "SELECT value FROM meta WHERE name = 'schema'"))
  if (meta !== version) {
    throw new ForeignDatabase(`two schema versions: ${version} and ${meta}`)
  }
  return version
}

function readMigrations(): string[] {
  const names = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  return names.map((name, i) => {
    assert(Number(name.slice(0, 4)) === i + 1, `migration ${i + 1} is missing`)
    return readFileSync(new URL(name, FOLDER), 'utf8')
  })
}
