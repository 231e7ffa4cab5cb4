import assert from 'node:assert/strict'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { formatMessageId } from '../../mail/message.ts'
import { systemClock } from '../../std/clock.ts'
import type { Log } from '../../std/log.ts'
import { silentLog } from '../../std/log.ts'
import { delivered, sample, withFolder } from '../store.samples.ts'
import { ContentDamaged, type NewMessage, type Store } from '../store.ts'
import { openStore } from './open.ts'
import { readTally, Tally } from './tally.ts'

describe('the tally', () => {
  const withTally = (then: (tally: Tally, path: string) => void) =>
    withFolder(async (folder) => {
      mkdirSync(folder, { recursive: true })
      const path = join(folder, 'queue.tally')
      const tally = new Tally(path, 40)
      then(tally, path)
      tally.close()
    })

  it('tells how many are held, and which of them are recent', () =>
    withTally((tally, path) => {
      for (const id of [1001, 1002, 1003]) tally.came(id)
      tally.keep()
      tally.went(1002)
      tally.went(7)
      tally.keep()
      tally.came(1004)
      tally.forget()
      tally.keep()
      assert.deepEqual(readTally(path), { held: 41, recent: new Set([1001, 1003]) })
      tally.renew()
      assert.deepEqual(readTally(path), { held: 41, recent: new Set() })
    }))

  it('is believed up to its first damage', () =>
    withTally((tally, path) => {
      for (const id of [1001, 1002]) {
        tally.came(id)
        tally.keep()
      }
      const whole = readFileSync(path)
      for (let at = 0; at < whole.length; at++) {
        const bytes = Buffer.from(whole)
        bytes[at]! ^= 0x10
        writeFileSync(path, bytes)
        const held = at < 16 ? undefined : at < 32 ? 40 : 41
        assert.equal(readTally(path)?.held, held, `octet ${at}`)
      }
      writeFileSync(path, whole.subarray(0, -1))
      assert.equal(readTally(path)?.held, 41)
      writeFileSync(path, Buffer.concat([whole, Buffer.alloc(64)]))
      assert.equal(readTally(path)?.held, 42)
    }))

  it('stays small: of very many only the count is kept', () =>
    withTally((tally, path) => {
      for (let n = 0; n < 300; n++) {
        for (let id = 1; id <= 2000; id++) tally.came(n * 2000 + id)
        tally.keep()
      }
      assert.equal(readTally(path)?.held, 600_040)
      assert.ok(readFileSync(path).length <= 4_300_000)
    }))
})

describe('mail that is lost without a trace is counted', () => {
  type Told = { count: number; newest: readonly string[] }

  /** A store that is killed with five messages in its log, of which two have been delivered. */
  async function killed(folder: string, before = 0): Promise<NewMessage[]> {
    const work = `${folder}.work`
    const first = await open(work)
    for (let i = 0; i < before; i++) await first.store.commit(sample(first.store))
    await first.store[Symbol.asyncDispose]()
    const { store } = await open(work)
    const messages = Array.from({ length: 5 }, () => sample(store))
    for (const message of messages) await store.commit(message)
    for (const message of messages.slice(0, 2)) await store.settle(delivered(message))
    cpSync(work, folder, { recursive: true })
    await store[Symbol.asyncDispose]()
    rmSync(work, { recursive: true })
    return messages.slice(2)
  }

  async function open(folder: string): Promise<{ store: Store; told: Told[] }> {
    const told: Told[] = []
    const error = (fields: object, text: string) => {
      if (text === 'mail that was queued is lost without a trace') told.push(fields as Told)
    }
    const log = { ...silentLog, error } as Log
    return { store: await openStore({ folder, clock: systemClock, log }), told }
  }

  async function counted(folder: string): Promise<{ count: number; told: Told[] }> {
    const { store, told } = await open(folder)
    const { count } = await store.damage()
    await store[Symbol.asyncDispose]()
    return { count, told }
  }

  it('nothing, when nothing is lost', () =>
    withFolder(async (folder) => {
      await killed(folder, 3)
      assert.deepEqual(await counted(folder), { count: 0, told: [] })
      assert.deepEqual(await counted(folder), { count: 0, told: [] })
    }))

  it('a log that was cut, with what the system knew of it gone too: each, by its id, once', () =>
    withFolder(async (folder) => {
      const lost = await killed(folder, 3)
      truncateSync(join(folder, 'queue.db-wal'), 0)
      rmSync(join(folder, 'queue.db-shm'))
      const newest = lost.map(({ message }) => formatMessageId(message.id))
      assert.deepEqual(await counted(folder), { count: 3, told: [{ count: 3, newest }] })
      assert.deepEqual(await counted(folder), { count: 3, told: [] })
    }))

  it('the database is another file, empty, or gone', () =>
    withFolder(async (folder) => {
      await killed(join(folder, 'base'), 3)
      for (const harm of ['no database\n'.repeat(99), '', undefined]) {
        const run = join(folder, 'run')
        cpSync(join(folder, 'base'), run, { recursive: true })
        for (const name of ['queue.db', 'queue.db-wal', 'queue.db-shm']) rmSync(join(run, name))
        if (harm !== undefined) appendFileSync(join(run, 'queue.db'), harm)
        assert.equal((await counted(run)).count, 6)
        rmSync(run, { recursive: true })
      }
    }))

  it('what is set aside is not held any more', () =>
    withFolder(async (folder) => {
      const { store: filling } = await open(folder)
      const message = sample(filling, { content: 'one two three' })
      for (const one of [message, sample(filling)]) await filling.commit(one)
      await filling[Symbol.asyncDispose]()
      const { store } = await open(folder)
      const bytes = readFileSync(join(folder, 'queue.db'))
      bytes[bytes.indexOf('one two three')]! ^= 1
      writeFileSync(join(folder, 'queue.db'), bytes)
      await assert.rejects(store.content(message.message.id), ContentDamaged)
      assert.equal(readTally(join(folder, 'queue.tally'))?.held, 1)
      await store[Symbol.asyncDispose]()
    }))
})
