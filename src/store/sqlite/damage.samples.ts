// A data folder to be damaged, ways to damage it, and what a store then makes of it; for tests.

import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../std/clock.ts'
import { silentLog } from '../../std/log.ts'
import { contentOf, delivered, NOON, sample } from '../store.samples.ts'
import { CONTENT_ROW_BYTES, ContentDamaged, type NewMessage, type Store } from '../store.ts'
import { openStore } from './open.ts'

/** Address and content that were acknowledged, by `id index`. */
export type Expected = Map<string, string>

/** Numbers in [0, below), the same for the same seed. */
export type Chance = (below: number) => number

export function chance(seed: number): Chance {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    const mixed = Math.imul(state ^ (state >>> 13), 0x297a2d39) >>> 0
    return mixed % below
  }
}

export function open(folder: string): Promise<Store> {
  return openStore({ folder, clock: systemClock, log: silentLog })
}

/**
 * Fills `folder` with mail of many kinds, some of it gone already. `killed` leaves the files as a
 * kill -9 would: half of the mail is in the log only.
 */
export async function fill(folder: string, options: { killed: boolean }): Promise<Expected> {
  const work = `${folder}.work`
  await mkdir(work)
  const expected: Expected = new Map()
  let store = await open(work)
  await fillHalf(store, expected, 0)
  await store[Symbol.asyncDispose]()
  store = await open(work)
  await fillHalf(store, expected, 1)
  if (!options.killed) await store[Symbol.asyncDispose]()
  cpSync(work, folder, { recursive: true })
  await store[Symbol.asyncDispose]()
  rmSync(work, { recursive: true })
  return expected
}

async function fillHalf(store: Store, expected: Expected, half: number): Promise<void> {
  const gone: NewMessage[] = []
  await store.saveDomain({
    domain: `half${half}.example` as never,
    world: 'live',
    keys: [],
    createdAt: 1,
  })
  for (let i = 0; i < 30; i++) {
    const rows = i % 10 === 0 ? 2 : 1
    const size = rows === 1 ? [200, 3000, 7000, 40_000][i % 4]! : CONTENT_ROW_BYTES + 1000
    const content = Buffer.alloc(size, `${half} ${i} line of content\r\n`)
    const recipients = i % 3 === 0 ? [`a${i}@x.example`, `b${i}@y.example`] : [`a${i}@x.example`]
    const message = sample(store, { content, recipients })
    await store.commit(message)
    if (i % 4 === 3) gone.push(message)
    else for (const entry of message.entries) expected.set(keyOf(entry), content.toString('latin1'))
  }
  for (const message of gone) await store.settle(delivered(message))
}

function keyOf(entry: { message: number; index: number; recipient: { mailbox: object } }): string {
  return `${entry.message} ${entry.index} ${JSON.stringify(entry.recipient.mailbox)}`
}

export type Verdict = {
  readonly delivered: number
  readonly missing: number
  readonly counted: number
  /** Entries that had ended and came back. */
  readonly doubled: number
}

/** Opens a damaged folder and "delivers" all that is due; whatever is delivered must be what was accepted. */
export async function deliverAll(folder: string, expected: Expected): Promise<Verdict> {
  await using store = await open(folder)
  const seen = new Set<string>()
  let doubled = 0
  for (let round = 0; ; round++) {
    assert.ok(round < 1000, 'the queue never empties')
    const { messages } = await store.due({ now: NOON + 1e6, limit: 20 })
    if (messages.length === 0) break
    for (const due of messages) {
      let content: Buffer
      try {
        content = await contentOf(store, due.message.id)
      } catch (error) {
        assert.ok(error instanceof ContentDamaged, String(error))
        continue
      }
      for (const entry of due.entries) {
        const key = keyOf(entry)
        const wanted = expected.get(key)
        if (wanted === undefined) doubled++
        else
          assert.ok(content.equals(Buffer.from(wanted, 'latin1')), 'damaged content was delivered')
        assert.ok(!seen.has(key), 'delivered twice')
        seen.add(key)
      }
      await store.settle(
        delivered({ message: due.message, entries: due.entries, rows: [], firstRow: 0 }),
      )
    }
  }
  // What comes after the damage is stored as ever.
  const after = sample(store)
  await store.commit(after)
  assert.equal((await store.due({ now: NOON, limit: 10 })).messages.length, 1)
  await store.settle(delivered(after))
  const missing = [...expected.keys()].filter((key) => !seen.has(key)).length
  return { delivered: seen.size, missing, counted: (await store.damage()).count, doubled }
}

/** Damages one file of the folder in a random way; says what it did. */
export function damage(folder: string, pick: Chance): string {
  const names = ['queue.db', 'queue.db', 'queue.db-wal', 'lock.db'].filter((name) =>
    statSync(join(folder, name), { throwIfNoEntry: false }),
  )
  const name = names[pick(names.length)]!
  const path = join(folder, name)
  const size = statSync(path).size
  const at = pick(Math.max(size, 1))
  const kind = pick(7)
  if (kind === 0) {
    truncateSync(path, at)
    return `${name} cut at ${at} of ${size}`
  }
  if (kind === 1) {
    rmSync(path)
    writeFileSync(path, Buffer.from('this is no database\n'.repeat(500)))
    return `${name} is another file`
  }
  if (kind === 2 && name !== 'queue.db') {
    rmSync(path)
    return `${name} is gone`
  }
  const bytes = readFileSync(path)
  const length = [1, 4, 512, 8192, 65_536][pick(5)]!
  const from = kind === 3 ? at - (at % 8192) : at
  for (let i = from; i < Math.min(from + length, size); i++) {
    bytes[i] = kind === 4 ? 0 : kind === 5 ? pick(256) : bytes[i]! ^ (1 << pick(8))
  }
  writeFileSync(path, bytes)
  return `${name}: ${length} octets from ${from} of ${size}, kind ${kind}`
}
