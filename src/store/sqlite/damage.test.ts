import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { contentOf, delivered, NOON, sample, withFolder } from '../store.samples.ts'
import { ContentDamaged, type NewMessage } from '../store.ts'
import { chance, damage, deliverAll, fill, open } from './damage.samples.ts'

const SEED = Number(process.env['POSTHORN_DAMAGE_SEED'] ?? 1)
const ROUNDS = Number(process.env['POSTHORN_DAMAGE_ROUNDS'] ?? 12)

describe('random damage to the files of a queue', () => {
  for (const killed of [false, true]) {
    it(`after ${killed ? 'a kill -9' : 'a clean end'}: no crash, nothing wrong sent, all loss counted`, () =>
      withFolder(async (folder) => {
        const base = join(folder, 'base')
        const run = join(folder, 'run')
        const expected = await fill(base, { killed })
        const whole = await deliverCopy(base, run, expected)
        assert.deepEqual(whole, { delivered: expected.size, missing: 0, counted: 0, doubled: 0 })
        for (let seed = SEED; seed < SEED + ROUNDS; seed++) {
          cpSync(base, run, { recursive: true })
          const what = `seed ${seed}: ${damage(run, chance(seed * 7919))}`
          const verdict = await deliverAll(run, expected).catch((error: unknown) => {
            throw new Error(what, { cause: error })
          })
          assert.ok(verdict.missing === 0 || verdict.counted > 0, `${what}: lost without a word`)
          // What a cut log had settled may come again, as after any crash.
          if (!what.includes('-wal')) assert.equal(verdict.doubled, 0, what)
          rmSync(run, { recursive: true })
        }
      }))
  }

  it('a bit of every octet of the tables and indexes at the beginning is flipped', () =>
    withFolder(async (folder) => {
      const base = join(folder, 'base')
      const run = join(folder, 'run')
      const expected = await fill(base, { killed: false })
      for (let seed = SEED; seed < SEED + 5; seed++) {
        cpSync(base, run, { recursive: true })
        const pick = chance(seed * 7919)
        const bytes = readFileSync(join(run, 'queue.db'))
        for (let at = 40_000; at < 106_000; at++) bytes[at]! ^= 1 << pick(8)
        writeFileSync(join(run, 'queue.db'), bytes)
        const verdict = await deliverAll(run, expected)
        assert.ok(verdict.missing === 0 || verdict.counted > 0, JSON.stringify(verdict))
        rmSync(run, { recursive: true })
      }
    }))

  async function deliverCopy(base: string, run: string, expected: Map<string, string>) {
    cpSync(base, run, { recursive: true })
    const verdict = await deliverAll(run, expected)
    rmSync(run, { recursive: true })
    return verdict
  }
})

/** Three messages on a disk, the log written back; `content` of each is its own. */
async function threeMessages(folder: string): Promise<NewMessage[]> {
  await using store = await open(folder)
  const messages = ['first', 'second', 'third'].map((name) =>
    sample(store, { content: `${name} `.repeat(1000), recipients: [`${name}@x.example`] }),
  )
  for (const message of messages) await store.commit(message)
  return messages
}

/** Changes octets where `text` stands in the database. */
function overwrite(
  folder: string,
  text: string,
  change: (bytes: Buffer, at: number) => void,
): void {
  const path = join(folder, 'queue.db')
  const bytes = readFileSync(path)
  const at = bytes.indexOf(text)
  assert.ok(at > 0, `${text} is not in the file`)
  change(bytes, at)
  writeFileSync(path, bytes)
}

const flip = (bytes: Buffer, at: number) => {
  bytes[at]! ^= 4
}

describe('damage while the store runs', () => {
  it('content that fails its checksum is never handed out, and is set aside with its message', () =>
    withFolder(async (folder) => {
      const [, second] = await threeMessages(folder)
      await using store = await open(folder)
      overwrite(folder, 'second second second', flip)
      await assert.rejects(store.content(second!.message.id), ContentDamaged)
      const { count, folder: aside } = await store.damage()
      assert.equal(count, 1)
      const names = readdirSync(aside)
      assert.equal(names.length, 2, `${names}`)
      const content = names.find((name) => name.endsWith('.content'))!
      assert.equal(readFileSync(join(aside, content)).length, 7000)
      assert.equal((await store.due({ now: NOON, limit: 9 })).messages.length, 2)
      assert.equal(await store.queued(second!.message.id), undefined)
    }))

  it('an entry that fails its checksum is made anew from its message', () =>
    withFolder(async (folder) => {
      await threeMessages(folder)
      await using store = await open(folder)
      overwrite(folder, '{"mailbox":{"localPart":"second"', (bytes, at) => flip(bytes, at + 25))
      const found: string[] = []
      for (let i = 0; i < 2; i++) {
        const { messages } = await store.due({ now: NOON, limit: 9 })
        for (const { message, entries } of messages) {
          found.push(entries[0]!.recipient.mailbox.localPart)
          await store.settle(delivered({ message, entries, rows: [], firstRow: 0 }))
        }
      }
      assert.deepEqual(found.sort(), ['first', 'second', 'third'])
    }))

  it('a destroyed page makes the store build its database anew and go on', () =>
    withFolder(async (folder) => {
      const messages = await threeMessages(folder)
      await using store = await open(folder)
      let repairs = 0
      store.onRepair(() => repairs++)
      const waiting = sample(store, { content: 'came meanwhile' })
      overwrite(folder, 'second second second', (bytes, at) => {
        bytes.fill(0xff, at - (at % 8192), at - (at % 8192) + 8)
      })
      const [read] = await Promise.allSettled([
        store.content(messages[1]!.message.id),
        store.commit(waiting),
      ])
      assert.equal(read.status, 'rejected')
      const left = (await store.due({ now: NOON, limit: 9 })).messages
      assert.deepEqual(
        left.map(({ message }) => message.id),
        [messages[0]!, messages[2]!, waiting].map(({ message }) => message.id),
      )
      for (const { message } of left) await contentOf(store, message.id)
      assert.deepEqual([(await store.damage()).count, repairs], [1, 1])
    }))
})
