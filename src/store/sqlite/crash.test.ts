import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { MessageId } from '../../mail/message.ts'
import { systemClock } from '../../std/clock.ts'
import { silentLog } from '../../std/log.ts'
import { contentOf, delivered, sample, withFolder } from '../store.samples.ts'
import { type NewMessage, StorageFull, type Store } from '../store.ts'
import { open } from './damage.samples.ts'
import { openStore } from './open.ts'

const PRODUCER = fileURLToPath(new URL('./crash.samples.ts', import.meta.url))

/** What the child says, and a promise for its end. */
function listen(child: ChildProcess): { text: () => string; ended: Promise<unknown> } {
  let text = ''
  child.stdout!.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return { text: () => text, ended: once(child, 'close') }
}

function acknowledged(text: string): MessageId[] {
  return [...text.matchAll(/^ok (\d+)$/gm)].map(([, id]) => Number(id) as MessageId)
}

async function mustHold(store: Store, ids: readonly MessageId[]): Promise<void> {
  for (const id of ids) {
    assert.ok(await store.queued(id), `${id} was acknowledged and is gone`)
    assert.ok((await contentOf(store, id)).toString().startsWith(`content of ${id}\r\n`))
  }
}

describe('after a kill -9 in the middle of commits', () => {
  it('all that was acknowledged is there, three times in a row', () =>
    withFolder(async (folder) => {
      const ids: MessageId[] = []
      for (let round = 0; round < 3; round++) {
        const child = spawn(process.execPath, [PRODUCER, folder])
        const { text, ended } = listen(child)
        while (acknowledged(text()).length < 100) await once(child.stdout!, 'data')
        child.kill('SIGKILL')
        await ended
        ids.push(...acknowledged(text()))
      }
      await using store = await open(folder)
      await mustHold(store, ids)
      assert.equal((await store.damage()).count, 0)
      assert.ok(store.nextMessageId() > Math.max(...ids))
    }))

  it('content whose message was never committed is swept', () =>
    withFolder(async (folder) => {
      const child = spawnSync(process.execPath, [PRODUCER, folder, 'half'])
      assert.equal(child.signal, 'SIGKILL', `${child.stderr}`)
      const said: unknown[] = []
      const log = { ...silentLog, info: (fields: object) => said.push(fields) }
      await using store = await openStore({ folder, clock: systemClock, log })
      assert.deepEqual(said, [{ rows: 2 }])
      assert.deepEqual(await store.queueCounts(), { ready: 0, held: 0 })
    }))
})

describe('the lock of the data folder', () => {
  it('names the process that holds it, and is free when that is killed', () =>
    withFolder(async (folder) => {
      const child = spawn(process.execPath, [PRODUCER, folder, '1'])
      const { ended } = listen(child)
      await once(child.stdout!, 'data')
      await assert.rejects(open(folder), new RegExp(`in use by process ${child.pid}`))
      child.kill('SIGKILL')
      await ended
      await using store = await open(folder)
      assert.equal((await store.damage()).count, 0)
    }))
})

const surroundings = { log: silentLog, clock: systemClock }

const strace = spawnSync('strace', ['-V']).status === 0

describe('a disk that fails', () => {
  it(
    'acknowledges nothing whose sync failed, and goes on afterwards',
    {
      skip: strace ? false : 'strace is not installed',
    },
    () =>
      withFolder(async (folder) => {
        const inject = 'inject=fsync,fdatasync:error=EIO:when=12+5'
        const child = spawn('strace', [
          ...['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', '-e', inject],
          ...[process.execPath, PRODUCER, folder, '3', '90'],
        ])
        const { text, ended } = listen(child)
        await ended
        const ids = acknowledged(text())
        const failed = [...text().matchAll(/^no (\w+)$/gm)].map(([, name]) => name)
        if (ids.length + failed.length === 0) return
        assert.equal(ids.length + failed.length, 90)
        assert.ok(failed.length > 0 && ids.length > 0, text())
        assert.ok(
          failed.every((name) => name === 'StorageFailed'),
          `${failed}`,
        )
        await using store = await open(folder)
        await mustHold(store, ids)
      }),
  )

  const mountable =
    process.getuid?.() === 0 &&
    spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0

  it(
    'a full one takes no mail, still settles, and takes mail again when there is room',
    {
      skip: mountable ? false : 'mounting a small tmpfs needs root',
    },
    () =>
      withFolder(async (folder) => {
        const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'none', folder])
        assert.equal(mounted.status, 0)
        try {
          await fillAndEmpty(folder)
        } finally {
          spawnSync('umount', [folder])
        }
      }),
  )
})

/** Commits until the disk is full; returns what was taken. */
async function fillUp(store: Store): Promise<NewMessage[]> {
  const content = Buffer.alloc(200_000, 'x')
  for (const taken: NewMessage[] = []; ; ) {
    const message = sample(store, { content })
    try {
      await store.commit(message)
      taken.push(message)
    } catch (error) {
      assert.ok(error instanceof StorageFull, String(error))
      return taken
    }
    assert.ok(taken.length < 1000, 'the disk is never full')
  }
}

async function commitSoon(store: Store, message: NewMessage): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await store.commit(message)
    } catch (error) {
      assert.ok(error instanceof StorageFull && tries < 50, String(error))
      await systemClock.sleep(100)
    }
  }
}

async function fillAndEmpty(folder: string): Promise<void> {
  const filler = join(folder, 'filler')
  writeFileSync(filler, Buffer.alloc(6_000_000))
  {
    // Down to the last octet: nothing that was taken is lost, and room elsewhere is room for mail.
    await using store = await openStore({ ...surroundings, folder, reserveBytes: 0 })
    const taken = await fillUp(store)
    for (const { message } of taken) assert.ok((await store.content(message.id)).whole)
    assert.equal((await store.queueCounts()).ready, taken.length)
    rmSync(filler)
    const late = sample(store)
    await commitSoon(store, late)
    for (const message of [...taken, late]) await store.settle(delivered(message))
  }
  // With a reserve mail still leaves, and that makes room.
  await using store = await openStore({ ...surroundings, folder, reserveBytes: 4_000_000 })
  const taken = await fillUp(store)
  assert.ok(taken.length > 5, `${taken.length} messages`)
  for (const message of taken) await store.settle(delivered(message))
  assert.equal((await store.queueCounts()).ready, 0)
}
