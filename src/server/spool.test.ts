import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/support/tools.ts'
import type { Intake } from '../intake/accept.ts'
import { systemClock } from '../std/clock.ts'
import { silentLog } from '../std/log.ts'
import { openStore } from '../store/sqlite/open.ts'
import { sample } from '../store/store.samples.ts'
import type { Store } from '../store/store.ts'
import { bringOver, type SpoolParts } from './spool.ts'

const record = (type: string, data: string) =>
  Buffer.concat([Buffer.from([type.charCodeAt(0), data.length]), Buffer.from(data)])

const queueFile = Buffer.concat([
  record('C', '             10             100               1               0              10'),
  record('S', 'ann@sender.example'),
  record('R', 'bob@example.net'),
  record('M', ''),
  record('N', 'From: ann@sender.example'),
  record('N', ''),
  record('X', ''),
  record('E', ''),
])

async function bench(parts: AsyncDisposableStack) {
  const { path } = parts.use(temporaryFolder())
  const spool = join(path, 'spool')
  for (const queue of ['deferred', 'hold']) mkdirSync(join(spool, queue), { recursive: true })
  writeFileSync(join(spool, 'deferred', 'A1'), queueFile, { mode: 0o700 })
  const store = parts.use(
    await openStore({
      folder: join(path, 'data'),
      clock: systemClock,
      log: silentLog,
      reserveBytes: 0,
    }),
  )
  const prepare: Intake['prepare'] = async (envelope, content) => {
    await content(() => undefined)
    const recipients = envelope.recipients.map(
      ({ mailbox }) => `${mailbox.localPart}@${mailbox.domain}`,
    )
    return sample(store, { recipients })
  }
  const make = (faulty: Partial<Store>): SpoolParts => ({
    store: new Proxy(store, {
      get: (target, name) => {
        const own = Reflect.get(faulty, name) ?? Reflect.get(target, name)
        return typeof own === 'function' ? own.bind(target) : own
      },
    }),
    intake: { prepare },
    hostname: 'mail.sender.example',
    clock: systemClock,
  })
  const states = async () =>
    (await store.queuePage({ filter: {}, limit: 100 })).map(({ entry }) => entry.state.kind)
  return { spool, make, states }
}

test('cut off between commit and move: the file is read anew, and queued once', async () => {
  await using parts = new AsyncDisposableStack()
  const { spool, make, states } = await bench(parts)
  writeFileSync(join(spool, 'posthorn-imported'), 'in the way')
  await assert.rejects(bringOver(make({}), spool), /ENOTDIR|EEXIST/)
  assert.deepEqual(await states(), ['held'])
  rmSync(join(spool, 'posthorn-imported'))
  const report = await bringOver(make({}), spool)
  assert.deepEqual(report, { messages: 1, recipients: 1, held: 0, left: [] })
  assert.deepEqual(await states(), ['ready'])
  assert.deepEqual(readdirSync(join(spool, 'posthorn-imported', 'deferred')), ['A1'])
})

test('cut off between move and release: it is released, and not read anew', async () => {
  await using parts = new AsyncDisposableStack()
  const { spool, make, states } = await bench(parts)
  const cut = make({ retry: () => Promise.reject(new Error('cut off')) })
  await assert.rejects(bringOver(cut, spool), /cut off/)
  assert.deepEqual(await states(), ['held'])
  const report = await bringOver(make({}), spool)
  assert.deepEqual(report, { messages: 0, recipients: 0, held: 0, left: [] })
  assert.deepEqual(await states(), ['ready'])
})

test('what was on hold stays held, also when a run is cut off', async () => {
  await using parts = new AsyncDisposableStack()
  const { spool, make, states } = await bench(parts)
  rmSync(join(spool, 'deferred', 'A1'))
  writeFileSync(join(spool, 'hold', 'B1'), queueFile, { mode: 0o700 })
  assert.equal((await bringOver(make({}), spool)).held, 1)
  await bringOver(make({}), spool)
  assert.deepEqual(await states(), ['held'])
})

test('a folder that is no spool', async () => {
  await using parts = new AsyncDisposableStack()
  const { spool, make } = await bench(parts)
  for (const folder of ['hold', 'absent'])
    await assert.rejects(bringOver(make({}), join(spool, folder)), {
      name: 'SpoolFault',
      code: 'no-spool',
    })
})
