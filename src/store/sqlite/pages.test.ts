import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseRecord } from './pages.ts'

it('a record with a number that none of ours can be is no record', () => {
  const record = (value: bigint) => {
    const payload = Buffer.from([2, 6, 0, 0, 0, 0, 0, 0, 0, 0])
    payload.writeBigInt64BE(value, 2)
    return parseRecord(payload)
  }
  assert.deepEqual(record(2n ** 53n - 1n), [2 ** 53 - 1])
  assert.deepEqual(record(-(2n ** 53n) + 1n), [1 - 2 ** 53])
  assert.equal(record(2n ** 53n), undefined)
  assert.equal(record(-(2n ** 62n)), undefined)
})
