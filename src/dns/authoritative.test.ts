import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer as DnsRecord } from 'dns-packet'
import { mapResolver } from '../../test/support/dns.ts'
import { type DnsReply, type ScriptedDns, scriptedDns } from '../../test/support/dns-server.ts'
import { systemClock } from '../std/clock.ts'
import { askAuthoritative, findZone } from './authoritative.ts'

const AA = 0x0400
const txt = (name: string, data: string): DnsRecord => ({ type: 'TXT', name, data, ttl: 60 })
const soa: DnsRecord = {
  type: 'SOA',
  name: 'example.com',
  ttl: 300,
  data: { mname: 'ns1.example.com', rname: 'x.example', minimum: 60 },
}
const KEY = 'p1._domainkey.example.com'

/** Servers at 127.0.0.1, .2, … on one port, each with its reply. */
async function servers(replies: readonly DnsReply[]) {
  const first = await scriptedDns(() => replies[0]!)
  const { port } = first.server
  const rest: ScriptedDns[] = []
  for (const [i, reply] of replies.slice(1).entries())
    rest.push(await scriptedDns(() => reply, { address: `127.0.0.${i + 2}`, port }))
  const all = [first, ...rest]
  const records: Record<string, string[]> = {
    'example.com NS': all.map((_, i) => `ns${i + 1}.example.com.`),
  }
  all.forEach((_, i) => {
    records[`ns${i + 1}.example.com A`] = [`127.0.0.${i + 1}`]
  })
  return {
    port,
    resolver: mapResolver(records),
    async [Symbol.asyncDispose]() {
      for (const one of all) await one[Symbol.asyncDispose]()
    },
  }
}

const common = { clock: systemClock, timeoutMs: 400, allowPrivate: true }

test('every server of the zone says what it has', async () => {
  await using zone = await servers([
    { flags: AA, answers: [txt(KEY, 'new')] },
    { flags: AA, answers: [txt(KEY, 'old')] },
    { flags: AA, rcode: 3, authorities: [soa] },
    { flags: AA, rcode: 2 },
    { answers: [txt(KEY, 'new')] },
  ])
  const { resolver, port } = zone
  const found = await askAuthoritative(KEY, 'TXT', { ...common, resolver, port })
  assert.ok(found.kind === 'answers')
  assert.equal(found.zone, 'example.com')
  assert.deepEqual(
    found.servers.map(({ host, answer }) => [
      host.split('.')[0],
      answer.kind === 'records' ? answer.records : answer.kind,
      answer.kind === 'cannot-tell' ? answer.why : '',
    ]),
    [
      ['ns1', ['new'], ''],
      ['ns2', ['old'], ''],
      ['ns3', 'no-such-name', ''],
      ['ns4', 'cannot-tell', 'SERVFAIL'],
      ['ns5', 'cannot-tell', 'it does not serve the zone'],
    ],
  )
})

test('a server that is silent or has no address is not taken for one without the record', async () => {
  await using zone = await servers([{ flags: AA, answers: [txt(KEY, 'new')] }, 'silence'])
  const { resolver, port } = zone
  resolver.set('example.com NS', ['ns1.example.com', 'ns2.example.com', 'ns3.example.com'])
  const found = await askAuthoritative(KEY, 'TXT', { ...common, timeoutMs: 100, resolver, port })
  assert.ok(found.kind === 'answers')
  assert.deepEqual(
    found.servers.map(({ answer }) => (answer.kind === 'cannot-tell' ? answer.why : answer.kind)),
    ['records', 'no answer in time', 'it has no address'],
  )
  const strict = await askAuthoritative(KEY, 'TXT', {
    ...common,
    allowPrivate: false,
    resolver,
    port,
  })
  assert.ok(strict.kind === 'answers')
  assert.deepEqual(strict.servers[0]?.answer, {
    kind: 'cannot-tell',
    why: 'its address is not of the public Internet',
  })
})

test('an alias is followed to the servers of its target', async () => {
  await using zone = await servers([
    {
      flags: AA,
      answers: [{ type: 'CNAME', name: KEY, data: 'p1.keys.example.net', ttl: 60 }],
    },
  ])
  const { resolver, port } = zone
  resolver.set('example.net NS', ['ns1.example.net'])
  resolver.set('ns1.example.net A', ['127.0.0.9'])
  const target = await scriptedDns(
    () => ({ flags: AA, answers: [txt('p1.keys.example.net', 'key')] }),
    { address: '127.0.0.9', port },
  )
  try {
    const found = await askAuthoritative(KEY, 'TXT', { ...common, resolver, port })
    assert.ok(found.kind === 'answers')
    assert.equal(found.name, 'p1.keys.example.net')
    assert.equal(found.zone, 'example.net')
    assert.equal(found.servers[0]?.answer.kind, 'records')
  } finally {
    await target[Symbol.asyncDispose]()
  }
})

test('the zone is the nearest name with servers of its own', async () => {
  const resolver = mapResolver({
    'example.com NS': ['ns1.example.com'],
    'sub.example.com NS': ['ns.sub.example.com'],
    'alias.example.com CNAME': ['sub.example.com'],
    'broken.example NS': 'cannot-tell',
  })
  const zones: [string, string][] = [
    ['a.b.example.com.', 'example.com'],
    ['x.SUB.example.com', 'sub.example.com'],
    ['alias.example.com', 'example.com'],
    ['x.broken.example', 'the name servers of broken.example: SERVFAIL'],
    ['nowhere.test', 'no zone holds nowhere.test'],
  ]
  for (const [name, expected] of zones) {
    const zone = await findZone(name, resolver)
    assert.equal(zone.kind === 'zone' ? zone.name : zone.why, expected, name)
  }
})
