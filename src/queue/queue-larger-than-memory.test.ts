import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { turns } from '../../test/support/clock.ts'
import { OK, openQueue, says } from '../../test/support/queue.ts'

test('2,000 recipients through a memory of 100: each exactly once, never more than 100 at a time', async () => {
  await using queue = await openQueue({
    limits: { activeEntries: 100, siteEntries: 20, memoryBytes: 1_000 },
  })
  let most = 0
  queue.answer = () => {
    most = Math.max(most, queue.scheduler.stats().active)
    return OK
  }
  for (let i = 0; i < 1_000; i++) await queue.keep({ to: `old${i}@d${i % 7}.example` })
  const started = queue.scheduler.start()
  for (let i = 0; i < 1_000; i++) await queue.send({ to: `new${i}@d${i % 7}.example` })
  await started
  for (let i = 0; i < 20; i++) await queue.clock.advance(500)
  const delivered = queue.delivered()
  assert.equal(delivered.length, 2_000)
  assert.equal(new Set(delivered).size, 2_000, 'nothing twice')
  assert.ok(most <= 100, `${most} in memory`)
  assert.deepEqual(await queue.store.queueCounts(), { ready: 0, held: 0 })
  assert.equal(queue.scheduler.stats().contentBytes, 0)
})

test('content is kept in memory for fresh mail, and read from the store when there is none left', async () => {
  const read: number[] = []
  await using queue = await openQueue({
    limits: { memoryBytes: 60 },
    wrap: (store) =>
      new Proxy(store, {
        get(target, name) {
          const value = Reflect.get(target, name, target) as unknown
          if (name === 'content')
            return (id: number) => {
              read.push(id)
              return target.content(id as never)
            }
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
  })
  const texts: string[] = []
  queue.deliver = async (batch) => {
    texts.push(Buffer.from((await batch.content()).whole!).toString())
    const outcomes = new Map(batch.entries.map((entry) => [entry.index, OK]))
    return { startedAt: 0, durationMs: 1, peerReports: false, outcomes }
  }
  await queue.send({ to: 'a@one.example', content: 'Subject: 1\r\n\r\nfirst\r\n' })
  const second = await queue.send({
    to: 'b@two.example',
    content: `Subject: 2\r\n\r\n${'x'.repeat(50)}`,
  })
  await queue.scheduler.start()
  await queue.clock.advance(100)
  assert.deepEqual(texts.map((text) => text.slice(9, 10)).sort(), ['1', '2'])
  assert.deepEqual(read, [second.id])
})

test('whatever comes when, each recipient is delivered once and nothing stays behind', async () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('send' as const),
      site: fc.nat(3),
      count: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({
      kind: fc.constant('keep' as const),
      site: fc.nat(3),
      count: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(0, 10, 1_000, 61_000) }),
    fc.record({ kind: fc.constant('retry' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.nat(3), async (steps, flaky) => {
      await using queue = await openQueue({
        limits: { activeEntries: 8, siteEntries: 2, inFlight: 4 },
      })
      const seen = new Map<string, number>()
      queue.answer = (batch, entry) => {
        const name = `${batch.message.id}/${entry.index}`
        const tries = (seen.get(name) ?? 0) + 1
        seen.set(name, tries)
        return tries <= flaky && entry.index % 2 ? says(451, '4.0.0', 'Later') : OK
      }
      await queue.scheduler.start()
      let sent = 0
      const left: { kept: boolean } = { kept: false }
      for (const one of steps) {
        if (one.kind === 'pass') await queue.clock.advance(one.ms)
        else if (one.kind === 'retry') await queue.operations.retry({})
        else {
          const to = Array.from(
            { length: one.count },
            (_, i) => `p${i}@s${(one.site + i) % 4}.example`,
          )
          sent += one.count
          if (one.kind === 'send') await queue.send({ to })
          else {
            await queue.keep({ to })
            left.kept = true
          }
        }
        if (steps.indexOf(one) % 3 === 0) await turns(1)
      }
      if (left.kept) queue.scheduler.wake(0)
      await queue.clock.advance(3 * 3_600_000)
      assert.equal(queue.delivered().length, sent)
      assert.deepEqual(await queue.store.queueCounts(), { ready: 0, held: 0 })
      assert.equal(queue.scheduler.stats().active, 0)
    }),
    {
      numRuns: 12,
      // A retry while the attempt before it was being settled: once its entry was looked at by nobody.
      examples: [[[{ kind: 'send', site: 0, count: 2 }, { kind: 'retry' }], 1]],
    },
  )
})
