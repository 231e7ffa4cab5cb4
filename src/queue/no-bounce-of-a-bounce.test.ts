import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openQueue, says } from '../../test/support/queue.ts'

const HOUR = 3_600_000

test('a bounce that bounces is dropped, counted and told, and the queue is empty', async () => {
  await using queue = await openQueue()
  queue.answer = () => says(550, '5.1.1', 'No such user')
  await queue.scheduler.start()
  await queue.send({ to: 'bob@example.net' })
  await queue.clock.advance(HOUR)
  assert.equal(queue.batches.length, 2, 'the mail and its bounce')
  const kinds = queue.events.map((event) => event.kind)
  assert.deepEqual(kinds, ['attempted', 'notice', 'attempted', 'notice-dropped'])
  assert.deepEqual(await queue.store.queueCounts(), { ready: 0, held: 0 })
})

test('a bounce that cannot be delivered expires without a word', async () => {
  await using queue = await openQueue()
  queue.answer = () => says(451, '4.3.0', 'Later')
  await queue.scheduler.start()
  await queue.send({ to: 'bob@example.net', from: null })
  await queue.clock.advance(80 * HOUR)
  assert.equal(
    (await queue.notices()).filter(({ message }) => message.sender.kind === 'posthorn').length,
    0,
  )
  assert.deepEqual(await queue.store.queueCounts(), { ready: 0, held: 0 })
})

test('NOTIFY=NEVER is silence, NOTIFY=DELAY hears nothing of the failure', async () => {
  await using queue = await openQueue()
  queue.answer = () => says(550, '5.1.1', 'No such user')
  await queue.scheduler.start()
  await queue.send({ to: 'a@example.net', recipient: { notify: 'never' } })
  const onlyDelay = { success: false, failure: false, delay: true }
  await queue.send({ to: 'b@example.net', recipient: { notify: onlyDelay } })
  await queue.clock.advance(HOUR)
  assert.equal(queue.batches.length, 2)
  assert.deepEqual(await queue.notices(), [])
})
