import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { systemClock } from '../../std/clock.ts'
import { silentLog } from '../../std/log.ts'
import { delivered, sample, withFolder } from '../store.samples.ts'
import type { NewMessage, Store } from '../store.ts'
import { Lane } from './lane.ts'
import { openStore } from './open.ts'
import { callRequest } from './operations.ts'

const opened = (folder: string) => openStore({ folder, clock: systemClock, log: silentLog })

async function committed(store: Store, count: number): Promise<NewMessage[]> {
  const messages = Array.from({ length: count }, () => sample(store))
  for (const message of messages) await store.commit(message)
  return messages
}

test('a settlement travels with the next commit, and that waits for no commit of its own', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await withFolder(async (folder) => {
    await using store = await opened(folder)
    const [first] = await committed(store, 1)
    const before = store.stats().batches
    const settled = store.settle(delivered(first!))
    await turn()
    await turn()
    assert.equal(store.stats().batches, before, 'it waits for company')
    await Promise.all([store.commit(sample(store)), settled])
    assert.equal(store.stats().batches, before + 1)
    assert.equal(store.stats().operations, 3)
  })
})

test('settlements that nobody joins leave together, soon', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await withFolder(async (folder) => {
    await using store = await opened(folder)
    const messages = await committed(store, 5)
    const before = store.stats().batches
    const settled = Promise.all(messages.map((message) => store.settle(delivered(message))))
    t.mock.timers.tick(5)
    await settled
    assert.equal(store.stats().batches, before + 1)
    assert.equal((await store.queueCounts()).ready, 0)
  })
})

test('after its thread was lost, too, a settlement waits no longer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await withFolder(async (folder) => {
    const data = { role: 'writer', folder, reserveBytes: 0 } as const
    const lane = new Lane({ data, onCorrupt: () => {}, onDeath: () => {} })
    const { operation, loads } = callRequest('clearCaptured', null)
    const look = () => lane.ask(operation, loads, 'soon')
    await lane.start()
    const lost = assert.rejects(look())
    await lane.halt()
    lane.fail(new Error('lost'))
    t.mock.timers.tick(5)
    await lost
    await lane.start()
    await turn()
    await turn()
    const answered = look()
    t.mock.timers.tick(5)
    await answered
    await lane.stop()
  })
})

test('a store that closes settles first what it was asked to', async () => {
  await withFolder(async (folder) => {
    const store = await opened(folder)
    const [only] = await committed(store, 1)
    const settled = store.settle(delivered(only!))
    await store[Symbol.asyncDispose]()
    await settled
    await using again = await opened(folder)
    assert.equal((await again.queueCounts()).ready, 0)
  })
})
