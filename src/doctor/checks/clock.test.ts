import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../test/support/clock.ts'
import { checkClock } from './clock.ts'

const clock = new ManualClock()
const signal = new AbortController().signal

/** @param said seconds by which each host's time is before ours; undefined says nothing */
async function look(said: readonly (number | undefined)[]) {
  const check = checkClock({
    clock,
    hosts: said.map((_, i) => String(i)),
    async askTime(host) {
      const seconds = said[Number(host)]
      if (seconds === undefined) throw new Error('ECONNREFUSED')
      return clock.now() - seconds * 1000
    },
  })
  return (await check.run(signal)).map(({ code, facts }) => [code, facts.seconds])
}

test('the middle answer counts, so that one host cannot be believed alone', async () => {
  assert.deepEqual(await look([0, 1, -1]), [['CLOCK_OK', 0]])
  assert.deepEqual(await look([100_000, 0, 2]), [['CLOCK_OK', 2]])
  assert.deepEqual(await look([360, 361, 0]), [['CLOCK_SKEW', 360]])
  assert.deepEqual(await look([-360, undefined, undefined]), [['CLOCK_SKEW', 360]])
})

test('two minutes are borne', async () => {
  assert.deepEqual(await look([120]), [['CLOCK_OK', 120]])
  assert.deepEqual(await look([121]), [['CLOCK_SKEW', 121]])
})

test('nobody says the time, or nobody was to be asked', async () => {
  assert.deepEqual(await look([undefined, undefined]), [['COULD_NOT_CHECK', undefined]])
  assert.deepEqual(await look([]), [])
})
