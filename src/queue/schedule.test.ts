import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { doublingSchedule, longestPause, pauseAfter, SANDBOX_SCHEDULE } from './schedule.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const live = doublingSchedule({
  firstMs: MINUTE,
  longestMs: HOUR,
  expireAfterMs: 72 * HOUR,
  noticeAfterMs: 4 * HOUR,
})

test('pauses double: 1, 2, 4 … 32 minutes, then every hour', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7, 50].map((n) => pauseAfter(live, n, () => 0.5) / MINUTE)
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60])
})

test('a first pause above the longest is the longest; no notice means never', () => {
  const schedule = doublingSchedule({
    ...live,
    firstMs: 2 * HOUR,
    longestMs: HOUR,
    noticeAfterMs: 0,
  })
  assert.deepEqual(schedule.delaysMs, [HOUR])
  assert.equal(schedule.noticeAfterMs, Number.POSITIVE_INFINITY)
})

test('chance moves a pause by a fifth at most, and never beyond the longest', () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.nat(200), chance, fc.boolean(), (attempts, random, isLive) => {
      const schedule = isLive ? live : SANDBOX_SCHEDULE
      const pause = pauseAfter(schedule, attempts, () => random)
      const base = pauseAfter(schedule, attempts, () => 0.5)
      assert.ok(Math.abs(pause - base) <= base * 0.2 + 1)
      assert.ok(pause <= longestPause(schedule))
    }),
  )
})
