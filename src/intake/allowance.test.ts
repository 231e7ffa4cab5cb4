import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../std/clock.ts'
import { Allowances } from './allowance.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 1, 12)

test('a window slides: what was sent is free again an hour later, and it is said when', () => {
  let now = START
  const clock = { ...systemClock, now: () => now }
  const allowances = new Allowances(clock)
  const limits = { perHour: 10 }
  allowances.use('app', limits, 6)
  now += HOUR / 2
  allowances.use('app', limits, 4)
  assert.deepEqual(allowances.check('app', limits, 1), {
    limit: 10,
    window: 'an hour',
    againAt: START + HOUR,
  })
  // Seven are free only when the second lot is.
  assert.equal(allowances.check('app', limits, 7)?.againAt, START + 1.5 * HOUR)
  assert.equal(allowances.check('other', limits, 10), undefined)
  now = START + HOUR
  assert.equal(allowances.check('app', limits, 6), undefined)
  assert.equal(allowances.check('app', limits, 7)?.limit, 10)
  allowances.use('app', limits, -4)
  assert.equal(allowances.used('app').perHour, 4)
})

test('the day survives a restart, and what nobody limits is not counted', () => {
  const clock = { ...systemClock, now: () => START }
  const before = new Allowances(clock)
  before.use('app', { perMinute: 5, perDay: 100 }, 5)
  before.use('free', {}, 1_000)
  const usage = JSON.parse(JSON.stringify(before.usage()))
  assert.equal(before.usage(), undefined)
  const after = new Allowances({ ...clock, now: () => START + HOUR }, usage)
  assert.deepEqual(after.used('app'), { perMinute: 0, perHour: 0, perDay: 5 })
  assert.equal(after.check('app', { perDay: 5 }, 1)?.window, 'a day')
  assert.equal(after.used('free').perDay, 0)
})
