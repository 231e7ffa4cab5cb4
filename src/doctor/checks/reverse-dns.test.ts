import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeAnswer, mapResolver } from '../../../test/support/dns.ts'
import { reverseName } from '../plan.ts'
import { checkReverseDns } from './reverse-dns.ts'

const hostname = 'mail.example.com'
const ipv4 = '203.0.113.10'
const ipv6 = '2001:db8::10'
const signal = new AbortController().signal

async function codes(answer: FakeAnswer, options: { ipv6?: string; usesIpv6?: boolean } = {}) {
  const address = options.ipv6 ?? ipv4
  const resolver = mapResolver({ [`${reverseName(address)} PTR`]: answer })
  const at = options.ipv6 ? { ipv6: options.ipv6 } : { ipv4 }
  const check = checkReverseDns({ resolver, hostname, ...at, usesIpv6: options.usesIpv6 ?? false })
  return (await check.run(signal)).map((finding) => finding.code)
}

test('what the reverse DNS of our address says', async () => {
  assert.deepEqual(await codes([hostname]), ['PTR_OK'])
  assert.deepEqual(await codes(['other.example.net', hostname]), ['PTR_OK'])
  assert.deepEqual(await codes('no-such-name'), ['PTR_MISSING'])
  assert.deepEqual(await codes('none'), ['PTR_MISSING'])
  assert.deepEqual(await codes(['other.example.net']), ['PTR_MISMATCH'])
  assert.deepEqual(await codes(['vps-77.host.example']), ['PTR_GENERIC'])
  assert.deepEqual(await codes('cannot-tell'), ['COULD_NOT_CHECK'])
})

test('without a public name to greet with there is nothing to compare', async () => {
  const resolver = mapResolver({})
  const check = checkReverseDns({ resolver, hostname: 'a1b2c3', ipv4, usesIpv6: false })
  assert.deepEqual(await check.run(signal), [])
})

test('an IPv6 address without our name is a grey line until mail leaves over it', async () => {
  assert.deepEqual(await codes('no-such-name', { ipv6 }), ['IPV6_NO_PTR'])
  assert.deepEqual(await codes(['x.example'], { ipv6 }), ['IPV6_NO_PTR'])
  assert.deepEqual(await codes([hostname], { ipv6 }), ['PTR_OK'])
  assert.deepEqual(await codes('no-such-name', { ipv6, usesIpv6: true }), ['PTR_MISSING'])
})
