import assert from 'node:assert/strict'
import { test } from 'node:test'
import { turns } from '../../test/support/clock.ts'
import { DEAD, OK, openQueue, says } from '../../test/support/queue.ts'

const MINUTE = 60_000

test('a dead site rests, its mail goes back to the store, and one delivery at a time probes', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  queue.answer = (batch) => (batch.site === 'dead.example' ? DEAD : OK)
  for (let i = 0; i < 300; i++) await queue.keep({ to: `p${i}@dead.example` })
  for (let i = 0; i < 300; i++) await queue.keep({ to: `p${i}@fine.example` })
  await queue.restart()
  await queue.clock.advance(1_000)
  const tried = (site: string) => queue.batches.filter((batch) => batch.site === site).length
  assert.equal(queue.delivered().length, 300, 'the others are through')
  assert.equal(tried('dead.example'), 5, 'no more than the first window')
  assert.equal(queue.scheduler.stats().active, 0, 'memory is free')
  const rested = queue.events.filter((event) => event.kind === 'site-rested')
  assert.deepEqual(
    rested.map((event) => event.entries),
    [295],
    'five failures at once are one failure of the site',
  )

  await queue.clock.advance(62_000)
  assert.equal(tried('dead.example'), 6, 'one probe')
  await queue.clock.advance(60 * MINUTE)
  assert.ok(tried('dead.example') < 20, `${tried('dead.example')} tries in an hour`)

  queue.answer = () => OK
  await queue.clock.advance(2 * 60 * MINUTE)
  assert.equal(queue.delivered().length, 600, 'when it is back, everything is delivered')
})

test('more mail than memory may hold for a dead site leaves room for the others', async () => {
  await using queue = await openQueue({ limits: { activeEntries: 100, siteEntries: 20 } })
  queue.answer = (batch) => (batch.site === 'dead.example' ? DEAD : OK)
  for (let i = 0; i < 1_200; i++) await queue.keep({ to: `p${i}@dead.example` })
  await queue.keep({ to: 'last@fine.example' })
  await queue.scheduler.start()
  await queue.clock.advance(2_000)
  assert.deepEqual(queue.delivered(), ['last@fine.example'])
  assert.ok(queue.scheduler.stats().active <= 100)
})

test('slow sites do not take every slot', async () => {
  await using queue = await openQueue({
    limits: { inFlight: 20 },
    siteLimits: () => ({ connections: 20, initialWindow: 20 }),
  })
  const slow: (() => void)[] = []
  const fast: string[] = []
  queue.deliver = async (batch) => {
    if (batch.site.startsWith('slow')) await new Promise<void>((resolve) => slow.push(resolve))
    else fast.push(batch.site)
    const outcomes = new Map(batch.entries.map((entry) => [entry.index, OK]))
    return { startedAt: 0, durationMs: 1, peerReports: false, outcomes }
  }
  queue.clock.settle = () => turns(20)
  await queue.scheduler.start()
  for (let i = 0; i < 30; i++)
    for (const site of ['slow1', 'slow2', 'slow3'])
      await queue.send({ to: `p${i}@${site}.example` })
  for (let i = 0; i < 10; i++) await queue.send({ to: `p${i}@fast${i}.example` })
  await turns(50)
  assert.equal(fast.length, 10)
  assert.ok(queue.scheduler.stats().inFlight < 20)
  while ((await queue.store.queueCounts()).ready > 0) for (const finish of slow.splice(0)) finish()
})

test('a server that refuses every recipient is no dead site', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  queue.answer = (batch) => (batch.message.reversePath ? says(550, '5.1.1', 'No') : OK)
  for (let i = 0; i < 30; i++) await queue.send({ to: `p${i}@fine.example` })
  await queue.clock.advance(1_000)
  assert.equal(queue.batches.filter((batch) => batch.site === 'fine.example').length, 30)
})

test('the operator ends a rest', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  queue.answer = () => DEAD
  await queue.send({ to: 'bob@dead.example' })
  await queue.clock.advance(1_000)
  await queue.send({ to: 'eve@dead.example' })
  await queue.clock.advance(1_000)
  assert.equal(queue.batches.length, 1, 'fresh mail waits for the end of the rest, too')
  queue.answer = () => OK
  assert.equal(await queue.operations.retry({ site: 'dead.example' }), 2)
  await queue.clock.advance(1_000)
  assert.deepEqual(queue.delivered().sort(), ['bob@dead.example', 'eve@dead.example'])
})
