import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { withFolder } from '../store.samples.ts'
import { open } from './damage.samples.ts'
import { openForWriting, single } from './driver.ts'

describe('the schema', () => {
  it('of a newer Posthorn is refused, and the queue is left alone', () =>
    withFolder(async (folder) => {
      await (await open(folder))[Symbol.asyncDispose]()
      const path = join(folder, 'queue.db')
      const database = openForWriting(path)
      database.exec("UPDATE meta SET value = 99 WHERE name = 'schema'; PRAGMA user_version = 99")
      database.close()
      await assert.rejects(open(folder), /schema 99.*newer Posthorn/)
      const after = openForWriting(path)
      assert.equal(single(after, 'PRAGMA user_version'), 99)
      after.close()
    }))

  it('version that only one of its two places tells is damage, and is repaired', () =>
    withFolder(async (folder) => {
      await (await open(folder))[Symbol.asyncDispose]()
      const database = openForWriting(join(folder, 'queue.db'))
      database.exec('PRAGMA user_version = 65537')
      database.close()
      await using store = await open(folder)
      assert.deepEqual(await store.domains(), [])
    }))
})
