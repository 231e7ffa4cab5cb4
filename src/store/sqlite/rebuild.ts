// Replaces a damaged database by a new one with every row that can still be read. The damaged files
// are kept under <data>/damaged/<time>/. A crash at any moment repeats or finishes the work: the new
// file is built beside the old one, gets its telling name when it is whole, and only then the old
// ones move away.

import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { systemClock } from '../../std/clock.ts'
import { countDamage, DAMAGED_FOLDER, syncFolder } from './aside.ts'
import { openForWriting, PAGE_BYTES } from './driver.ts'
import { logWasCut, readLogFrames } from './log-frames.ts'
import { claimedPageBytes } from './pages.ts'
import { salvage } from './salvage.ts'
import { migrate } from './schema.ts'
import type { Recovery } from './thread-data.ts'

const SUFFIXES = ['', '-wal', '-shm']

/** Builds the queue anew from what can be read; `why` goes to the log. */
export function rebuild(path: string, why: string): Recovery {
  const building = `${path}.building`
  remove(building)
  const target = openForWriting(building)
  // Nobody relies on the new file before it is finished, so it needs no sync before that.
  target.exec('PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 4000')
  migrate(target)
  const salvaged = salvage(path, target, dirname(path))
  let { damaged } = salvaged
  // Something was unreadable, or we would not be here; that it hit no row of ours is for the reader to see.
  if (damaged === 0 && foreign(path)) {
    countDamage(target, 1)
    damaged = 1
  }
  target.exec('PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)')
  target.close()
  renameSync(building, rebuiltPath(path))
  syncFolder(dirname(path))
  const folder = finishRebuild(path)
  return { ...salvaged, damaged, why, folder: folder ?? '' }
}

/**
 * Makes an empty queue where there is none; says whether it has. It gets its name when it is whole:
 * an empty file is damage.
 */
export function createQueue(path: string): boolean {
  if (existsSync(path) || existsSync(`${path}-wal`)) return false
  const building = `${path}.building`
  remove(building)
  const database = openForWriting(building)
  migrate(database)
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
  renameSync(building, path)
  syncFolder(dirname(path))
  return true
}

/** Puts a finished database in its place; also the end of a rebuild that a crash has cut. */
export function finishRebuild(path: string): string | undefined {
  remove(`${path}.building`)
  if (!existsSync(rebuiltPath(path))) return undefined
  const time = new Date(systemClock.now()).toISOString().replaceAll(':', '-')
  const folder = join(dirname(path), DAMAGED_FOLDER, time)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const suffix of SUFFIXES) {
    if (existsSync(path + suffix)) renameSync(path + suffix, join(folder, basename(path) + suffix))
  }
  syncFolder(folder)
  renameSync(rebuiltPath(path), path)
  syncFolder(dirname(path))
  return folder
}

/** Is it something else than a database of ours, so that nothing can be said of what it held? */
function foreign(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found !== undefined && (!found.isFile() || claimedPageBytes(path) === undefined)
}

function rebuiltPath(path: string): string {
  return `${path}.rebuilt`
}

function remove(path: string): void {
  for (const suffix of SUFFIXES) rmSync(path + suffix, { force: true, recursive: true })
}

/** Has the log lost commits without a trace of what they were? */
export function logLostItsEnd(path: string): boolean {
  return logWasCut(path, claimedPageBytes(path) ?? PAGE_BYTES)
}

/** Commits that SQLite would pass over since the log is damaged before them; undefined when there are none. */
export function faultOfLog(path: string): string | undefined {
  const log = readLogFrames(`${path}-wal`, claimedPageBytes(path) ?? PAGE_BYTES)
  if (!log) return undefined
  if (log.lostCommits > 0) return `the log is damaged before ${log.lostCommits} commits`
  const main = statSync(path, { throwIfNoEntry: false })
  // SQLite drops a log whose database is empty.
  if (log.pages.size > 0 && !main?.size) return 'the database is gone, its log is not'
  return undefined
}
