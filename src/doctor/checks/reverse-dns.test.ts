import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeAnswer, mapResolver } from '../../../test/support/dns.ts'
import { reverseName } from '../plan.ts'
import { checkReverseDns, isGenericName } from './reverse-dns.ts'

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

test('an IPv6 address without our name is a grey line until mail leaves over it', async () => {
  assert.deepEqual(await codes('no-such-name', { ipv6 }), ['IPV6_NO_PTR'])
  assert.deepEqual(await codes(['x.example'], { ipv6 }), ['IPV6_NO_PTR'])
  assert.deepEqual(await codes([hostname], { ipv6 }), ['PTR_OK'])
  assert.deepEqual(await codes('no-such-name', { ipv6, usesIpv6: true }), ['PTR_MISSING'])
})

const NAMES: readonly [string, boolean][] = [
  ['mail.example.com', false],
  ['mx1.example.com', false],
  ['smtp-out-3.example.com', false],
  ['example.com', false],
  ['10.113.0.203.pool.isp.example', true],
  ['static-203-0-113-10.isp.example', true],
  ['ec2-203-0-113-10.compute-1.amazonaws.com', true],
  ['static.10.113.0.203.clients.your-server.de', true],
  ['cb00710a.isp.example', true],
  ['vps-77.host.example', true],
  ['vm1234.hoster.example', true],
  ['113-10.customer.isp.example', true],
]
for (const [name, generic] of NAMES)
  test(`${name} is ${generic ? 'generic' : 'a chosen name'}`, () => {
    assert.equal(isGenericName(name, ipv4), generic)
  })

test('the nibbles of an IPv6 address make a name generic', () => {
  assert.ok(isGenericName('2001-db8--10.isp.example', ipv6) === false)
  assert.ok(isGenericName('2001-0db8-0000-0000-0000-0000-0000-0010.isp.example', ipv6))
})
