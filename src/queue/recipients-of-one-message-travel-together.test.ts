import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OK, openQueue, says } from '../../test/support/queue.ts'

const people = (count: number, domain: string) =>
  Array.from({ length: count }, (_, i) => `p${i}@${domain}`)

test('one batch a site, at most 100 recipients each', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  await queue.send({ to: [...people(3, 'one.example'), ...people(250, 'two.example')] })
  await queue.clock.advance(1_000)
  const shape = queue.batches.map((batch) => `${batch.site} ${batch.entries.length}`).sort()
  assert.deepEqual(shape, ['one.example 3', 'two.example 100', 'two.example 100', 'two.example 50'])
  assert.equal(new Set(queue.delivered()).size, 253)
})

test('those that are deferred travel together again, and without those that are done', async () => {
  let drawn = 0
  await using queue = await openQueue({ random: () => (drawn++ % 10) / 10 })
  await queue.scheduler.start()
  queue.answer = (_, entry) => (entry.index % 2 ? OK : says(452, '4.5.3', 'Too many recipients'))
  await queue.send({ to: people(20, 'one.example') })
  await queue.clock.advance(1_000)
  queue.answer = () => OK
  await queue.clock.advance(120_000)
  assert.deepEqual(
    queue.batches.map((batch) => batch.entries.length),
    [20, 10],
  )
  assert.equal(new Set(queue.delivered()).size, 20)
})

test('one report tells of all that failed together', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  queue.answer = (batch) => (batch.message.reversePath ? says(550, '5.1.1', 'No') : OK)
  await queue.send({ to: people(5, 'one.example') })
  await queue.clock.advance(1_000)
  const notices = await queue.notices()
  assert.equal(notices.length, 1)
  assert.equal(notices[0]!.content.toString().match(/^Final-Recipient:/gm)?.length, 5)
})

test('one site that fails does not hold back the other recipients', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  queue.answer = (batch) => (batch.site === 'bad.example' ? says(451, '4.0.0', 'Later') : OK)
  await queue.send({ to: ['a@bad.example', 'b@good.example'] })
  await queue.clock.advance(1_000)
  assert.deepEqual(queue.delivered(), ['b@good.example'])
})
