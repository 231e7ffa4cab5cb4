import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OK, openQueue, type QueueUnderTest, says } from '../../test/support/queue.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Two hundred messages that have been refused for an hour and a half, at all times of the hour. */
async function waiting(queue: QueueUnderTest) {
  queue.answer = (batch) => (batch.message.reversePath ? says(451, '4.3.0', 'Later') : OK)
  await queue.scheduler.start()
  for (let i = 0; i < 60; i++) {
    for (let n = 0; n < 3; n++) await queue.send({ to: `p${i}-${n}@d${i % 5}.example` })
    await queue.clock.advance(90_000)
  }
}

const ends = (queue: QueueUnderTest) =>
  queue.events.filter(
    (event) =>
      (event.kind === 'attempted' || event.kind === 'settled') &&
      event.results.some(({ result }) => result === 'bounced' || result === 'expired'),
  ).length

async function triesIn(queue: QueueUnderTest, ms: number): Promise<number> {
  const before = queue.batches.length
  await queue.clock.advance(ms)
  return queue.batches.length - before
}

test('a day forward: nothing bounces, and at most twice the usual tries in ten minutes', async () => {
  await using queue = await openQueue()
  await waiting(queue)
  await queue.clock.advance(HOUR)
  const usual = await triesIn(queue, HOUR)
  queue.clock.step(DAY)
  const after = await triesIn(queue, 10 * MINUTE)
  assert.ok(after <= (2 * usual) / 6 + 5, `${after} tries in ten minutes, usually ${usual} an hour`)
  assert.ok(after > 0)
  await queue.clock.advance(DAY)
  assert.equal(ends(queue), 0)
  await queue.clock.advance(2 * DAY)
  assert.equal((await queue.store.queueCounts()).ready, 0, 'after three real days it is over')
})

test('fresh mail after a jump is not kept waiting for it', async () => {
  await using queue = await openQueue({ limits: { activeEntries: 4, siteEntries: 1 } })
  await queue.scheduler.start()
  await queue.clock.advance(MINUTE)
  queue.clock.step(DAY)
  for (let i = 0; i < 40; i++) await queue.send({ to: `p${i}@d${i}.example` })
  await queue.clock.advance(2 * MINUTE)
  assert.equal(queue.delivered().length, 40)
})

for (const [name, step] of [
  ['a day', -DAY],
  ['ten years', -3_650 * DAY],
] as const)
  test(`${name} back: nothing bounces, retries go on within the longest pause`, async () => {
    await using queue = await openQueue()
    await waiting(queue)
    const before = queue.batches.length
    queue.clock.step(step)
    const soon = await triesIn(queue, 10 * MINUTE)
    assert.ok(soon <= 120, `${soon} tries`)
    await queue.clock.advance(75 * MINUTE)
    const tried = new Set(queue.batches.slice(before).map((batch) => batch.message.id))
    assert.equal(tried.size, 180, 'each was tried again')
    assert.equal(ends(queue), 0)
    await queue.clock.advance(3 * DAY)
    assert.equal((await queue.store.queueCounts()).ready, 0, 'and after three days it is over')
  })
