import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OK, openQueue, says } from '../../test/support/queue.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

test('mail that is to leave in two days leaves then, whatever else is sent', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  const holdUntil = queue.clock.now() + 2 * DAY
  await queue.send({ to: 'later@example.net', message: { holdUntil } })
  await queue.send({ to: 'now@example.net' })
  await queue.clock.advance(DAY)
  await queue.send({ to: 'tomorrow@example.net' })
  await queue.clock.advance(DAY - MINUTE)
  assert.deepEqual(queue.delivered(), ['now@example.net', 'tomorrow@example.net'])
  assert.deepEqual(await queue.store.queueCounts().then(({ ready }) => ready), 1)
  await queue.clock.advance(2 * MINUTE)
  assert.equal(queue.delivered().at(-1), 'later@example.net')
})

test('a restart and a clock that is set back leave the time as it is', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  const holdUntil = queue.clock.now() + 2 * DAY
  await queue.send({ to: 'later@example.net', message: { holdUntil } })
  await queue.restart()
  await queue.clock.advance(HOUR)
  queue.clock.step(-3 * HOUR)
  await queue.clock.advance(2 * DAY)
  assert.deepEqual(queue.delivered(), [])
  await queue.clock.advance(2 * HOUR + MINUTE)
  assert.deepEqual(queue.delivered(), ['later@example.net'])
})

test('an operator may let it go at once', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  const holdUntil = queue.clock.now() + 2 * DAY
  const { id } = await queue.send({ to: 'later@example.net', message: { holdUntil } })
  assert.equal(await queue.operations.retry({ message: id }), 1)
  await queue.clock.advance(MINUTE)
  assert.deepEqual(queue.delivered(), ['later@example.net'])
})

test('the time in which it was held does not make it old', async () => {
  await using queue = await openQueue()
  queue.answer = ({ message }) => (message.reversePath ? says(451, '4.2.0', 'Not yet') : OK)
  await queue.scheduler.start()
  const holdUntil = queue.clock.now() + 10 * DAY
  await queue.send({ to: 'later@example.net', message: { holdUntil } })
  await queue.clock.advance(10 * DAY + 2 * HOUR)
  assert.ok(queue.batches.length > 2, `${queue.batches.length} tries`)
  assert.equal((await queue.notices()).length, 0, 'neither late nor too old')
  await queue.clock.advance(3 * HOUR)
  assert.equal((await queue.notices()).length, 1, 'late now')
})
