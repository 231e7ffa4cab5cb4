import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OK, openQueue, says } from '../../test/support/queue.ts'

const MINUTE = 60_000

test('a 451 is tried again after 1, 2, 4 minutes, and then delivered', async () => {
  await using queue = await openQueue()
  let tries = 0
  queue.answer = () => (++tries < 4 ? says(451, '4.7.1', 'Greylisted') : OK)
  await queue.scheduler.start()
  await queue.send({ to: 'bob@example.net' })
  const at: number[] = []
  const start = queue.clock.now()
  for (let minute = 0; minute < 60; minute++) {
    const before = tries
    await queue.clock.advance(MINUTE)
    if (tries > before) at.push(Math.round((queue.clock.now() - start) / MINUTE))
  }
  assert.equal(tries, 4)
  assert.deepEqual(at, [1, 3, 7], 'the first try was at once')
  assert.deepEqual(queue.delivered(), ['bob@example.net'])
  assert.deepEqual(await queue.store.queueCounts(), { ready: 0, held: 0 })
})

test('what waits for its retry survives a restart', async () => {
  await using queue = await openQueue()
  queue.answer = () => says(451, '4.7.1', 'Greylisted')
  await queue.scheduler.start()
  await queue.send({ to: 'bob@example.net' })
  await queue.clock.advance(1_000)
  assert.equal(queue.batches.length, 1)
  queue.answer = () => OK
  await queue.restart()
  await queue.clock.advance(30_000)
  assert.equal(queue.batches.length, 1, 'it is not yet time')
  await queue.clock.advance(31_000)
  assert.deepEqual(queue.delivered(), ['bob@example.net'])
})

test('the operator need not wait', async () => {
  await using queue = await openQueue()
  queue.answer = () => says(451, '4.7.1', 'Greylisted')
  await queue.scheduler.start()
  const message = await queue.send({ to: 'bob@example.net' })
  await queue.clock.advance(1_000)
  queue.answer = () => OK
  assert.equal(await queue.operations.retry({ message: message.id }), 1)
  await queue.clock.advance(1_000)
  assert.deepEqual(queue.delivered(), ['bob@example.net'])
})

test('a delivery that breaks off by a fault of ours is a retry, not a loss', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  queue.deliver = async () => {
    throw new TypeError('cannot read properties of undefined')
  }
  await queue.send({ to: 'bob@example.net' })
  await queue.clock.advance(1_000)
  queue.deliver = undefined
  await queue.clock.advance(MINUTE)
  assert.deepEqual(queue.delivered(), ['bob@example.net'])
})
