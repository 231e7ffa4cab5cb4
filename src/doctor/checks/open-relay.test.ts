import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkOpenRelay, type OpenRelayOptions } from './open-relay.ts'

const signal = new AbortController().signal
const codes = async (options: OpenRelayOptions | undefined) =>
  (await checkOpenRelay(options).run(signal)).map(({ code, subject }) => [code, subject])

test('what was found after the probe counts, not what was known before it', async () => {
  const risks: { address: string; seen: string }[] = []
  const probe = async () => void risks.push({ address: '203.0.113.10', seen: '172.17.0.1' })
  assert.deepEqual(await codes({ probe, risks: () => risks }), [
    ['OPEN_RELAY_RISK', '203.0.113.10'],
  ])
})

test('nobody gets in', async () => {
  assert.deepEqual(await codes({ probe: async () => {}, risks: () => [] }), [
    ['OPEN_RELAY_OK', 'server'],
  ])
})

test('without a server there is nothing to probe', async () => {
  assert.deepEqual(await codes(undefined), [])
})
