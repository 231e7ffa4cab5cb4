import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LIVE_SCHEDULE, longestPause, pauseAfter, SANDBOX_SCHEDULE, SCHEDULES } from './schedule.ts'

const MINUTE = 60_000

test('the table: 1, 5, 15, 30 minutes, then every hour', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 50].map((n) => pauseAfter(LIVE_SCHEDULE, n, () => 0.5) / MINUTE)
  assert.deepEqual(pauses, [1, 5, 15, 30, 60, 60, 60])
})

test('chance moves a pause by a fifth at most, and never beyond the longest', () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.nat(200), chance, fc.boolean(), (attempts, random, live) => {
      const schedule = live ? LIVE_SCHEDULE : SANDBOX_SCHEDULE
      const pause = pauseAfter(schedule, attempts, () => random)
      const base = pauseAfter(schedule, attempts, () => 0.5)
      assert.ok(Math.abs(pause - base) <= base * 0.2 + 1)
      assert.ok(pause <= longestPause(SCHEDULES))
    }),
  )
})
