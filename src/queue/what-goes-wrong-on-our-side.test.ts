import assert from 'node:assert/strict'
import { test } from 'node:test'
import { turns } from '../../test/support/clock.ts'
import { OK, openQueue, says } from '../../test/support/queue.ts'
import { ContentDamaged, StorageFull, type Store } from '../store/store.ts'

const MINUTE = 60_000

/** The store, with one verb replaced. */
function replacing<Verb extends keyof Store>(
  verb: Verb,
  make: (real: Store) => Store[Verb],
): (store: Store) => Store {
  return (store) =>
    new Proxy(store, {
      get(target, name) {
        if (name === verb) return make(target)
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
}

test('a full disk does not deliver twice: the outcome is stored when there is room again', async () => {
  let full = true
  await using queue = await openQueue({
    wrap: replacing('settle', (real) => async (settlement) => {
      if (full) throw new StorageFull('no space left')
      return real.settle(settlement)
    }),
  })
  queue.clock.settle = () => turns(20)
  await queue.scheduler.start()
  await queue.send({ to: 'bob@example.net' })
  await queue.clock.advance(10 * MINUTE)
  assert.equal(queue.batches.length, 1)
  assert.equal(queue.scheduler.stats().unsettled, 1)
  full = false
  await queue.clock.advance(MINUTE)
  await queue.scheduler.idle()
  assert.equal(queue.batches.length, 1)
  assert.deepEqual(await queue.store.queueCounts(), { ready: 0, held: 0 })
})

test('a store that cannot be read for a while is read later', async () => {
  let broken = true
  await using queue = await openQueue({
    wrap: replacing('due', (real) => async (options) => {
      if (broken) throw new Error('disk I/O error')
      return real.due(options)
    }),
  })
  await queue.keep({ to: 'bob@example.net' })
  await queue.scheduler.start()
  await queue.clock.advance(MINUTE)
  assert.equal(queue.batches.length, 0)
  broken = false
  await queue.clock.advance(10_000)
  assert.deepEqual(queue.delivered(), ['bob@example.net'])
})

test('damaged content is never sent; the sender hears of it', async () => {
  await using queue = await openQueue({
    wrap: replacing('content', (real) => async (id) => {
      if (id === damagedId) throw new ContentDamaged('checksum')
      return real.content(id)
    }),
  })
  let damagedId = 0
  queue.deliver = async (batch) => {
    await batch.content()
    queue.batches.push(batch)
    const outcomes = new Map(batch.entries.map((entry) => [entry.index, OK]))
    return { startedAt: 0, durationMs: 1, peerReports: false, outcomes }
  }
  damagedId = (await queue.keep({ to: 'bob@example.net' })).message.id
  await queue.scheduler.start()
  await queue.clock.advance(1_000)
  const kinds = queue.events.map((event) => event.kind)
  assert.deepEqual(kinds, ['damaged', 'attempted', 'notice', 'attempted'])
  const [notice] = await queue.notices()
  assert.match(notice!.content.toString(), /damaged and was set aside/)
  assert.match(notice!.content.toString(), /^Status: 5\.3\.0\r$/m)
  assert.equal((await queue.store.queueCounts()).ready, 0)
})

test('SIGTERM: what is in flight is finished, what waits is left, nothing new begins', async () => {
  await using queue = await openQueue({ siteLimits: () => ({ connections: 1, initialWindow: 1 }) })
  await queue.scheduler.start()
  let finish = () => {}
  let tries = 0
  queue.deliver = async (batch) => {
    tries += 1
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    const outcomes = new Map(batch.entries.map((entry) => [entry.index, OK]))
    return { startedAt: 0, durationMs: 1, peerReports: false, outcomes }
  }
  await queue.send({ to: 'a@example.net' })
  await queue.send({ to: 'b@example.net' })
  const drained = queue.scheduler.drain(30_000)
  finish()
  assert.equal(await drained, 0)
  assert.equal(tries, 1)
  assert.equal((await queue.store.queueCounts()).ready, 1)
})

test('SIGTERM: an attempt that takes too long is aborted and is repeated after the restart', async () => {
  await using queue = await openQueue()
  queue.clock.settle = () => turns(20)
  await queue.scheduler.start()
  queue.deliver = (_, signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  await queue.send({ to: 'a@example.net' })
  const drained = queue.scheduler.drain(30_000)
  await queue.clock.advance(31_000)
  assert.equal(await drained, 1)
  queue.deliver = undefined
  await queue.restart()
  await queue.clock.advance(1_000)
  await queue.scheduler.idle()
  assert.deepEqual(queue.delivered(), ['a@example.net'])
})

test('an operator ends mail, with or without a word to the sender', async () => {
  await using queue = await openQueue()
  queue.answer = (batch) => (batch.message.reversePath ? says(451, '4.0.0', 'Later') : OK)
  await queue.scheduler.start()
  const quiet = await queue.send({ to: ['a@example.net', 'b@example.org'] })
  const loud = await queue.send({ to: 'c@example.net' })
  await queue.clock.advance(1_000)
  const cancel = queue.operations.cancel
  assert.deepEqual(await cancel({ message: quiet.id }, { notify: false }), {
    cancelled: 2,
    inFlight: 0,
  })
  assert.deepEqual(await cancel({ message: loud.id }, { notify: true }), {
    cancelled: 1,
    inFlight: 0,
  })
  await queue.clock.advance(10 * MINUTE)
  assert.equal(queue.batches.length, 3 + 1, 'the first tries and the notice')
  const [notice] = await queue.notices()
  assert.match(notice!.content.toString(), /cancelled by the administrator/)
  assert.equal((await queue.store.queueCounts()).ready, 0)
})

test('mail that waits in memory is cancelled there, too; what is in flight is not', async () => {
  await using queue = await openQueue({ siteLimits: () => ({ connections: 1, initialWindow: 1 }) })
  await queue.scheduler.start()
  let finish = () => {}
  const tried: number[] = []
  queue.deliver = async (batch) => {
    tried.push(batch.message.id)
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    const outcomes = new Map(batch.entries.map((entry) => [entry.index, OK]))
    return { startedAt: 0, durationMs: 1, peerReports: false, outcomes }
  }
  const first = await queue.send({ to: 'a@example.net' })
  await queue.send({ to: 'b@example.net' })
  assert.deepEqual(await queue.operations.cancel({}, { notify: false }), {
    cancelled: 1,
    inFlight: 1,
  })
  finish()
  await queue.scheduler.idle()
  assert.deepEqual(tried, [first.id])
  assert.equal(queue.scheduler.stats().active, 0)
})

test('what a repair of the database brings back is found, however old it is', async () => {
  let isOutOfSight = true
  let repaired = () => {}
  const hiding = replacing('due', (real) => async (options) => {
    const batch = await real.due(options)
    return isOutOfSight ? { messages: [] } : batch
  })
  const listening = replacing('onRepair', () => (then) => {
    repaired = then
  })
  await using queue = await openQueue({ wrap: (store) => listening(hiding(store)) })
  await queue.keep({ to: 'bob@example.net' })
  await queue.scheduler.start()
  await queue.clock.advance(10 * MINUTE)
  isOutOfSight = false
  await queue.clock.advance(10 * MINUTE)
  assert.deepEqual(queue.delivered(), [])
  repaired()
  await queue.scheduler.idle()
  assert.deepEqual(queue.delivered(), ['bob@example.net'])
})
