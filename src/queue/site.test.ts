import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEAD, OK, says } from '../../test/support/queue.ts'
import type { Outcome } from '../mail/failure.ts'
import { Site, verdictOn } from './site.ts'

const LIMITS = { connections: 20, recipientsPerBatch: 100, initialWindow: 5 }
const half = () => 0.5

test('the window opens by one with each success, halves with each failed session', () => {
  const site = new Site('example.net', LIMITS, 0)
  for (let i = 0; i < 30; i++) site.succeeded()
  assert.equal(site.window, 20)
  for (const expected of [10, 5, 2, 1, 1]) {
    site.stumbled()
    assert.equal(site.window, expected)
  }
})

test('rests double from one minute to fifteen, and begin anew after a success', () => {
  const site = new Site('example.net', LIMITS, 0)
  const rests: (number | undefined)[] = []
  let now = 0
  const fail = () => {
    rests.push(site.failed({ startedAt: now, now: now + 1, random: half }))
    now += 3_600_000
    site.wake()
  }
  for (let i = 0; i < 6; i++) fail()
  site.succeeded()
  fail()
  assert.deepEqual(
    rests.map((rest) => rest! / 60_000),
    [1, 2, 4, 8, 15, 15, 1],
  )
})

test('deliveries that began before the rest tell nothing new', () => {
  const site = new Site('example.net', LIMITS, 0)
  assert.ok(site.failed({ startedAt: 0, now: 10, random: half }))
  assert.equal(site.failed({ startedAt: 5, now: 20, random: half }), undefined)
  site.wake()
  assert.equal(site.failed({ startedAt: 5, now: 70_000, random: half }), undefined)
  assert.ok(site.failed({ startedAt: 60_020, now: 70_000, random: half }))
})

test('what an attempt says of its site', () => {
  const broken = says(421, '4.4.2', 'Closing', 'session')
  const table: [Outcome[], string][] = [
    [[OK], 'success'],
    [[says(550, '5.1.1', 'No'), OK], 'success'],
    [[says(550, '5.1.1', 'No')], 'neutral'],
    [[says(451, '4.7.1', 'Greylisted')], 'neutral'],
    [[broken], 'session'],
    [[OK, broken], 'success'],
    [[DEAD], 'site'],
  ]
  for (const [outcomes, kind] of table) {
    const attempt = {
      startedAt: 0,
      durationMs: 0,
      peerReports: false,
      outcomes: new Map(outcomes.entries()),
    }
    assert.equal(verdictOn(attempt).kind, kind, JSON.stringify(outcomes))
  }
})
