import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from './clock.ts'
import { Gate, TokenBucket } from './gate.ts'

test('a gate never lets in more than its limit, and everyone in order', async () => {
  const gate = new Gate(2)
  let inside = 0
  let most = 0
  const order: number[] = []
  const work = (name: number) =>
    gate.run(async () => {
      most = Math.max(most, ++inside)
      order.push(name)
      await new Promise(setImmediate)
      inside--
      if (name === 1) throw new Error('failed inside')
    })
  const results = await Promise.allSettled([0, 1, 2, 3, 4, 5].map(work))
  assert.equal(most, 2)
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5])
  assert.equal(results.filter((result) => result.status === 'rejected').length, 1)
  assert.equal(gate.waiting, 0)
})

test('a bucket gives its capacity at once, then its rate', () => {
  let elapsed = 0
  const clock = { ...systemClock, elapsed: () => elapsed }
  const bucket = new TokenBucket(clock, { capacity: 3, perSecond: 2 })
  const taken = () => [1, 2, 3, 4].map(() => bucket.take())
  assert.deepEqual(taken(), [true, true, true, false])
  assert.equal(bucket.waitMs, 500)
  elapsed = 500
  assert.deepEqual(taken(), [true, false, false, false])
  elapsed = 1_000_000
  assert.deepEqual(taken(), [true, true, true, false])
})
