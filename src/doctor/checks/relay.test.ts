import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultyResolver, mapResolver } from '../../../test/support/dns.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { Dial } from '../dial.ts'
import { checkRelays } from './relay.ts'

const signal = new AbortController().signal
const answering =
  (...addresses: string[]): Dial =>
  async ({ address }) =>
    addresses.includes(address)
      ? { kind: 'answered', banner: '' }
      : { kind: 'refused', why: 'ECONNREFUSED' }

const look = async (host: string, resolver: Resolver, dial: Dial) =>
  checkRelays({ relays: [{ host, port: 587 }], resolver, dial }).run(signal)

const dns = mapResolver({
  'relay.example A': ['192.0.2.1', '192.0.2.2'],
  'relay.example AAAA': ['2001:db8::1'],
})

test('a relay that answers at one of its addresses', async () => {
  for (const address of ['192.0.2.1', '192.0.2.2', '2001:db8::1']) {
    const [finding] = await look('relay.example', dns, answering(address))
    assert.equal(finding?.code, 'RELAY_OK')
  }
  const [byAddress] = await look('192.0.2.9', dns, answering('192.0.2.9'))
  assert.equal(byAddress?.code, 'RELAY_OK')
})

test('one that does not, says how', async () => {
  const [closed] = await look('relay.example', dns, answering())
  assert.deepEqual([closed?.code, closed?.facts.reason], ['RELAY_UNREACHABLE', 'ECONNREFUSED'])
  const [silent] = await look('relay.example', dns, async () => ({ kind: 'silent' }))
  assert.equal(silent?.facts.reason, 'no answer')
  const [nowhere] = await look('no.example', dns, answering())
  assert.deepEqual([nowhere?.code, nowhere?.facts.reason], ['RELAY_UNREACHABLE', 'no address'])
})

test('a relay whose name cannot be looked up is not judged', async () => {
  const [finding] = await look('relay.example', faultyResolver(), answering())
  assert.equal(finding?.code, 'COULD_NOT_CHECK')
})
