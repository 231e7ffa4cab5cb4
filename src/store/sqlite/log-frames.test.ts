import assert from 'node:assert/strict'
import { copyFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { withFolder } from '../store.samples.ts'
import { openForWriting, PAGE_BYTES } from './driver.ts'
import { logWasCut } from './log-frames.ts'

/** Two generations of a log with their indexes: `early`, and `late` after the log began anew. */
function twoLogs(folder: string): (generation: string) => string {
  const path = join(folder, 'queue.db')
  const named = (generation: string) => join(folder, generation)
  const keep = (generation: string) => {
    for (const suffix of ['-wal', '-shm']) copyFileSync(path + suffix, named(generation) + suffix)
  }
  const database = openForWriting(path)
  database.exec('CREATE TABLE t (x); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)')
  keep('early')
  database.exec('PRAGMA wal_checkpoint(RESTART); INSERT INTO t VALUES (3)')
  keep('late')
  database.close()
  return named
}

describe('the log beside its index', () => {
  it('is whole when both are of one moment', () =>
    withFolder(async (folder) => {
      const named = twoLogs(folder)
      for (const generation of ['early', 'late']) {
        assert.equal(logWasCut(named(generation), PAGE_BYTES), false, generation)
      }
    }))

  it('was cut when the index knows more of it, or when it is gone', () =>
    withFolder(async (folder) => {
      const early = twoLogs(folder)('early')
      truncateSync(`${early}-wal`, statSync(`${early}-wal`).size - PAGE_BYTES)
      assert.equal(logWasCut(early, PAGE_BYTES), true)
      truncateSync(`${early}-wal`, 0)
      assert.equal(logWasCut(early, PAGE_BYTES), true)
    }))

  it('was not cut when the index is of an earlier log, as after a power cut', () =>
    withFolder(async (folder) => {
      const named = twoLogs(folder)
      copyFileSync(`${named('early')}-shm`, `${named('late')}-shm`)
      assert.equal(logWasCut(named('late'), PAGE_BYTES), false)
    }))

  it('was lost when the index is of a later one', () =>
    withFolder(async (folder) => {
      const named = twoLogs(folder)
      copyFileSync(`${named('late')}-shm`, `${named('early')}-shm`)
      assert.equal(logWasCut(named('early'), PAGE_BYTES), true)
    }))
})
