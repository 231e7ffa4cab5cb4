import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openQueue } from '../../test/support/queue.ts'

test('at one site the urgent goes before the others, and those alike in order of arrival', async () => {
  await using queue = await openQueue({ siteLimits: () => ({ connections: 1, initialWindow: 1 }) })
  const wished: [string, number | undefined][] = [
    ['first', undefined],
    ['usual-1', undefined],
    ['modest', -4],
    ['urgent-1', 6],
    ['usual-2', 0],
    ['most', 9],
    ['urgent-2', 6],
  ]
  for (const [name, priority] of wished)
    await queue.send({
      to: `${name}@example.net`,
      message: priority === undefined ? {} : { priority },
    })
  await queue.scheduler.start()
  await queue.clock.advance(1_000)
  const order = queue.delivered().map((address) => address.split('@')[0])
  assert.deepEqual(order, ['most', 'urgent-1', 'urgent-2', 'first', 'usual-1', 'usual-2', 'modest'])
})
