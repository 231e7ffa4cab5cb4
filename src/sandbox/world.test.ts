import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyRing, makeSandboxKey } from '../dkim/keyring.ts'
import { makeKey, publicText } from '../dkim/keys.ts'
import { hostsOf } from '../dns/hosts.ts'
import { createResolver } from '../dns/stub.ts'
import { plannedRecords } from '../doctor/plan.ts'
import { type Domain, parseDomain } from '../mail/domain.ts'
import { systemClock } from '../std/clock.ts'
import { serveDns } from './dns-server.ts'
import { sandboxWorld } from './world.ts'

const domain = (text: string) => parseDomain(text) as Domain
const identity = { hostname: domain('mail.known.example'), ipv4: '192.0.2.25' }
const sandboxKey = await makeSandboxKey()
const privateKey = await makeKey('ed25519-sha256')
const keyring = new KeyRing()
keyring.add(domain('known.example'), [{ selector: 'p1', algorithm: 'ed25519-sha256', privateKey }])
const world = sandboxWorld({
  keyring,
  sandboxKey,
  identity,
  receiverAddress: '127.0.0.1',
  brokenTlsAddress: '127.0.0.2',
})

/** The values, or the kind of nothing. */
function look(name: string, type: string): string {
  const answer = world(name, type)
  if (answer.kind !== 'records') return answer.kind
  return answer.records
    .map((r) => (r.type === 'MX' ? `${r.value.preference} ${r.value.exchange}` : r.value))
    .join(' | ')
}

test('a domain of ours has exactly the planned records', () => {
  const keys = [{ selector: 'p1', txt: publicText(privateKey) }]
  const plan = plannedRecords({ domain: domain('known.example'), keys, identity })
  for (const record of plan) assert.equal(look(record.name, record.type), record.value)
  assert.equal(plan.length, 6)
})

test('any other domain has the same plan with the sandbox’s key', () => {
  const keys = [{ selector: 'sandbox', txt: publicText(sandboxKey.privateKey) }]
  const plan = plannedRecords({ domain: domain('other.example'), keys, identity })
  for (const record of plan) assert.equal(look(record.name, record.type), record.value)
})

const TABLE: readonly [string, string, string][] = [
  ['sandbox._domainkey.known.example', 'TXT', 'no-such-name'],
  ['p2._domainkey.known.example', 'TXT', 'no-such-name'],
  ['sub.known.example', 'TXT', 'none'],
  ['_dmarc.sub.known.example', 'TXT', 'no-such-name'],
  ['other.example', 'MX', '10 mx.other.example'],
  ['other.example', 'A', 'none'],
  ['other.example', 'TLSA', 'none'],
  ['mx.other.example', 'A', '127.0.0.1'],
  ['mx.other.example', 'AAAA', 'none'],
  ['broken-tls.other.example', 'MX', '10 mx.broken-tls.other.example'],
  ['mx.broken-tls.other.example', 'A', '127.0.0.2'],
  ['_other.other.example', 'TXT', 'no-such-name'],
  ['_dmarc.other.example', 'A', 'none'],
  ['25.2.0.192.in-addr.arpa', 'PTR', 'mail.known.example'],
  ['25.2.0.192.in-addr.arpa', 'TXT', 'none'],
  ['26.2.0.192.in-addr.arpa', 'PTR', 'no-such-name'],
  ['anything.invalid', 'MX', 'no-such-name'],
  ['null-mx.test', 'MX', '0 .'],
  ['dns-failure.test', 'MX', 'server-failure'],
  ['mx.no-address.test', 'A', 'none'],
  ['mx.unreachable.test', 'A', '127.0.0.9'],
  ['_dmarc.example', 'TXT', 'no-such-name'],
  ['constructor', 'A', 'none'],
]
for (const [name, type, expected] of TABLE)
  test(`${name} ${type}: ${expected}`, () => assert.equal(look(name, type), expected))

test('a server that is called mx. is not its own receiver', () => {
  const other = sandboxWorld({
    keyring,
    sandboxKey,
    identity: { hostname: domain('mx.shop.example'), ipv4: '192.0.2.25' },
    receiverAddress: '127.0.0.1',
    brokenTlsAddress: '127.0.0.2',
  })
  const mx = other('shop.example', 'MX')
  assert.deepEqual(mx.kind === 'records' && mx.records[0]?.value, {
    preference: 10,
    exchange: 'mx-receiver.shop.example',
  })
  const receiver = other('mx-receiver.shop.example', 'A')
  assert.equal(receiver.kind === 'records' && receiver.records[0]?.value, '127.0.0.1')
  const own = other('mx.shop.example', 'A')
  assert.equal(own.kind === 'records' && own.records[0]?.value, '192.0.2.25', 'as planned')
})

test('the ordinary resolver and the ordinary search for hosts find the receiver', async () => {
  await using dns = await serveDns(world, { address: '127.0.0.1', clock: systemClock })
  using resolver = createResolver({
    servers: [dns],
    clock: systemClock,
    timeoutMs: 1000,
    attempts: 1,
    cacheEntries: 100,
    trustAd: false,
  })
  const kinds = async (name: string) => {
    const answer = await hostsOf(domain(name), resolver, {
      protocol: 'both',
      allowPrivate: true,
      self: identity,
      random: () => 0,
    })
    return answer.kind === 'hosts' ? answer.hosts[0]!.addresses.join() : answer.kind
  }
  assert.equal(await kinds('customer.example'), '127.0.0.1')
  assert.equal(await kinds('broken-tls.customer.example'), '127.0.0.2')
  assert.equal(await kinds('null-mx.test'), 'null-mx')
  assert.equal(await kinds('x.invalid'), 'no-such-domain')
  assert.equal(await kinds('dns-failure.test'), 'cannot-tell')
  assert.equal(await kinds('no-address.test'), 'no-hosts')
  const key = await resolver.resolve('sandbox._domainkey.customer.example', 'TXT')
  assert.equal(key.kind === 'records' && key.records[0], publicText(sandboxKey.privateKey))
})
