import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultyResolver, mapResolver } from '../../../test/support/dns.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { type Domain, parseDomain } from '../../mail/domain.ts'
import type { Dial, Dialled } from '../dial.ts'
import { checkOutboundPort } from './outbound-port.ts'

const domain = (text: string) => parseDomain(text) as Domain
const signal = new AbortController().signal
const world = {
  'one.example MX': ['10 mx.one.example'],
  'mx.one.example A': ['192.0.2.1'],
  'two.example MX': ['10 mx.two.example'],
  'mx.two.example A': ['192.0.2.2'],
}
const ipv4 = '203.0.113.10'

/** The network as a table: what is heard at each address and port. */
const network =
  (table: Readonly<Record<string, Dialled>>): Dial =>
  async ({ address, port }) =>
    table[`${address} ${port}`] ?? { kind: 'silent' }
const says = (banner: string, seenAs?: string): Dialled => ({
  kind: 'answered',
  banner,
  ...(seenAs && { seenAs }),
})

async function look(
  table: Readonly<Record<string, Dialled>>,
  options: { ipv4?: string | undefined; vendor?: string; resolver?: Resolver } = { ipv4 },
) {
  const check = checkOutboundPort({
    resolver: options.resolver ?? mapResolver(world),
    identity: { hostname: domain('mail.example.com'), ...(options.ipv4 && { ipv4: options.ipv4 }) },
    dial: network(table),
    domains: [domain('one.example'), domain('two.example')],
    port: 25,
    protocol: 'ipv4',
    allowPrivate: true,
    elsewhere: async () => [{ address: '192.0.2.9', port: 443 }],
    vendor: options.vendor ?? '',
  })
  return check.run(signal)
}
const codes = async (...args: Parameters<typeof look>) => (await look(...args)).map((f) => f.code)

const GREETS = '220 mx.one.example ESMTP'

test('somebody who greets as who they are: open', async () => {
  assert.deepEqual(await codes({ '192.0.2.1 25': says(GREETS) }), ['PORT25_OK'])
  assert.deepEqual(await codes({ '192.0.2.1 25': says('220 One.example ready') }), ['PORT25_OK'])
  assert.deepEqual(await codes({ '192.0.2.1 25': says('554 mx.one.example no thanks') }), [
    'PORT25_OK',
  ])
})

test('nobody on 25, somebody on 443: blocked, with what the provider does about it', async () => {
  const web = { '192.0.2.9 443': says('') }
  const [blocked] = await look(web, { ipv4, vendor: 'Hetzner' })
  assert.equal(blocked?.code, 'PORT25_BLOCKED')
  assert.equal(blocked?.facts.provider, 'Hetzner')
  assert.equal(blocked?.facts.hosts, 'mx.one.example, mx.two.example')
  const named = mapResolver({
    ...world,
    '10.113.0.203.in-addr.arpa PTR': ['ec2-1.eu.compute.amazonaws.com'],
  })
  const [byName] = await look(web, { ipv4, resolver: named })
  assert.equal(byName?.facts.provider, 'AWS')
  const [unknown] = await look(web)
  assert.deepEqual(unknown?.facts.provider, { en: 'the hosting provider', ru: 'хостинг' })
})

test('refused by a firewall is blocked too', async () => {
  const refused: Dialled = { kind: 'refused', why: 'ECONNREFUSED' }
  const table = { '192.0.2.1 25': refused, '192.0.2.2 25': refused, '192.0.2.9 443': says('') }
  assert.deepEqual(await codes(table), ['PORT25_BLOCKED'])
})

test('nobody anywhere: no network, nothing is concluded', async () => {
  assert.deepEqual(await codes({}), ['COULD_NOT_CHECK'])
  assert.deepEqual(await codes({}, { resolver: faultyResolver() }), ['COULD_NOT_CHECK'])
})

test('everybody greets with a foreign name: hijacked', async () => {
  const proxy = says('220 smtp.isp.example ESMTP')
  assert.deepEqual(await codes({ '192.0.2.1 25': proxy, '192.0.2.2 25': proxy }), [
    'PORT25_HIJACKED',
  ])
  assert.deepEqual(await codes({ '192.0.2.1 25': says('') }), ['PORT25_HIJACKED'])
  // One odd greeting among good ones is the peer's own business.
  assert.deepEqual(await codes({ '192.0.2.1 25': says(GREETS), '192.0.2.2 25': proxy }), [
    'PORT25_OK',
  ])
})

test('the address that peers see against the one that we know', async () => {
  const seen = (address: string) => ({ '192.0.2.1 25': says(GREETS, address) })
  assert.deepEqual(await codes(seen(ipv4)), ['PORT25_OK'])
  assert.deepEqual(await codes(seen('198.51.100.7')), ['PORT25_OK', 'ADDRESS_MISMATCH'])
  assert.deepEqual(await codes(seen(ipv4), {}), ['PORT25_OK', 'ADDRESS_NOT_SET'])
  assert.deepEqual(await codes(seen('2001:db8::1')), ['PORT25_OK', 'ADDRESS_NOT_SET'])
  assert.deepEqual(await codes({ '192.0.2.1 25': says(GREETS) }, {}), [
    'PORT25_OK',
    'ADDRESS_UNKNOWN',
  ])
})
