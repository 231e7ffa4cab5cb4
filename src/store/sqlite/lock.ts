// Two processes must never share a data folder. Node has no flock, so the lock is SQLite's own: an
// empty side database that one connection holds exclusively. The system lets it go when the process
// ends in any way. Never open lock.db by other means while it is held: POSIX drops a process's locks
// on a file when any descriptor of it is closed.

import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../std/clock.ts'
import { makeWay, writeDurably } from './aside.ts'
import { type Database, openForLocking, troubleOf } from './driver.ts'

/** Another process (or this one) has the data folder. */
export class FolderLocked extends Error {
  override readonly name = 'FolderLocked'
}

export type FolderLock = { release(): void }

/** Takes the folder for this process; throws FolderLocked that names the holder. */
export function lockFolder(folder: string, clock: Clock): FolderLock {
  const path = join(folder, 'lock.db')
  const pidPath = join(folder, 'lock.pid')
  for (const suffix of ['', '-journal']) makeWay(path + suffix, clock.now())
  let database: Database | undefined
  for (let tries = 0; !database; tries++) {
    try {
      database = take(path)
    } catch (error) {
      const trouble = troubleOf(error)
      if (trouble === 'busy') throw locked(folder, pidPath, error)
      // Not empty any more, and nobody holds it, or we had heard "busy" before "not a database".
      if (trouble !== 'corrupt' || tries > 0) throw error
      truncateSync(path)
    }
  }
  const held = database
  writeDurably(pidPath, [`${process.pid}\n`])
  return { release: () => held.close() }
}

function take(path: string): Database {
  const database = openForLocking(path)
  try {
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function locked(folder: string, pidPath: string, cause: unknown): FolderLocked {
  let holder = 'another process'
  try {
    const pid = readFileSync(pidPath, 'utf8').trim()
    if (/^\d+$/.test(pid)) {
      holder = Number(pid) === process.pid ? `this process (${pid})` : `process ${pid}`
    }
  } catch {
    // It has not written its number yet.
  }
  return new FolderLocked(`the data folder ${folder} is in use by ${holder}`, { cause })
}
