import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OK, openQueue, says } from '../../test/support/queue.ts'
import type { Store } from '../store/store.ts'

test('mail that comes while the store is read for its site does not wait for an accident', async () => {
  let during: (() => Promise<unknown>) | undefined
  await using queue = await openQueue({
    wrap: (store) =>
      new Proxy(store, {
        get(target, name) {
          const value = Reflect.get(target, name, target) as unknown
          if (name !== 'dueAt') return typeof value === 'function' ? value.bind(target) : value
          const dueAt: Store['dueAt'] = async (...options) => {
            const found = await target.dueAt(...options)
            await during?.()
            during = undefined
            return found
          }
          return dueAt
        },
      }),
  })
  queue.answer = () => says(451, '4.3.0', 'Later')
  await queue.scheduler.start()
  const early = await queue.send({ to: 'early@example.net' })
  await queue.clock.advance(1_000)
  queue.answer = () => OK
  during = () => queue.send({ to: 'late@example.net' })
  const { entries } = (await queue.store.queued(early.id))!
  queue.scheduler.withhold(early.id, entries)
  queue.scheduler.release(early.id, entries)
  await queue.clock.advance(1_000)
  assert.deepEqual(queue.delivered(), ['late@example.net'])
})
