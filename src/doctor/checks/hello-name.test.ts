import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeAnswer, mapResolver } from '../../../test/support/dns.ts'
import { isCloudflare } from '../cloudflare.ts'
import { checkHelloName } from './hello-name.ts'

const ipv4 = '203.0.113.10'
const ipv6 = '2001:db8::10'
const signal = new AbortController().signal

async function codes(
  records: Readonly<Record<string, FakeAnswer>>,
  options: { hostname?: string; usesIpv6?: boolean } = {},
) {
  const check = checkHelloName({
    resolver: mapResolver(records),
    hostname: options.hostname ?? 'mail.example.com',
    ipv4,
    ipv6,
    usesIpv6: options.usesIpv6 ?? false,
  })
  return (await check.run(signal)).map(({ code }) => code)
}

const A = 'mail.example.com A'
const AAAA = 'mail.example.com AAAA'

test('the name of the greeting leads to us, or the finding says where to', async () => {
  assert.deepEqual(await codes({ [A]: [ipv4] }), ['HELO_OK'])
  assert.deepEqual(await codes({ [A]: ['192.0.2.1', ipv4] }), ['HELO_OK'])
  assert.deepEqual(await codes({}), ['HELO_NO_ADDRESS'])
  assert.deepEqual(await codes({ [AAAA]: [ipv6] }), ['HELO_NO_ADDRESS'])
  assert.deepEqual(await codes({ [A]: ['192.0.2.1'] }), ['HELO_WRONG_ADDRESS'])
  assert.deepEqual(await codes({ [A]: ['104.21.3.4', '172.67.1.2'] }), ['CLOUDFLARE_PROXIED'])
  assert.deepEqual(await codes({ [A]: 'cannot-tell' }), ['COULD_NOT_CHECK'])
})

test('an alias is no name to greet with, even when it leads to us', async () => {
  const alias = { 'mail.example.com CNAME': ['host.example.net'], 'host.example.net A': [ipv4] }
  assert.deepEqual(await codes(alias), ['HELO_ALIAS', 'HELO_OK'])
})

test('IPv6 counts once mail leaves over it', async () => {
  const both = { [A]: [ipv4], [AAAA]: [ipv6] }
  assert.deepEqual(await codes(both, { usesIpv6: true }), ['HELO_OK', 'HELO_OK'])
  assert.deepEqual(await codes({ [A]: [ipv4] }, { usesIpv6: true }), ['HELO_OK', 'HELO_NO_ADDRESS'])
})

test('a name that no public DNS holds is not asked for', async () => {
  assert.deepEqual(await codes({}, { hostname: 'a1b2c3d4e5f6' }), ['HELO_NOT_FQDN'])
})

test('the name that the address has already is proposed, unless it is a provider’s', async () => {
  for (const [ptr, proposal] of [
    ['mx.example.net', 'mx.example.net'],
    ['vps-7.host.example.net', 'mail.example.com'],
  ] as const) {
    const resolver = mapResolver({ '10.113.0.203.in-addr.arpa PTR': [ptr] })
    const check = checkHelloName({ resolver, hostname: 'a1b2c3', ipv4, usesIpv6: false })
    const [finding] = await check.run(signal)
    assert.equal(finding?.facts.proposal, proposal)
  }
})

test('Cloudflare’s addresses are known', () => {
  for (const address of ['104.16.0.1', '172.67.1.2', '2606:4700::1'])
    assert.ok(isCloudflare(address), address)
  for (const address of ['203.0.113.10', '2001:db8::1', 'mail', ''])
    assert.ok(!isCloudflare(address), address)
})
