import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import type { Answer as DnsRecord } from 'dns-packet'
import {
  type DnsQuery,
  type DnsReply,
  response,
  scriptedDns,
} from '../../test/support/dns-server.ts'
import { systemClock } from '../std/clock.ts'
import type { RecordType } from './resolver.ts'
import { createResolver, type StubOptions } from './stub.ts'

const a = (name: string, data: string, ttl = 300): DnsRecord => ({ type: 'A', name, data, ttl })
const alias = (name: string, data: string, ttl = 300): DnsRecord => ({
  type: 'CNAME',
  name,
  data,
  ttl,
})
const soa = (name: string, ttl: number, minimum: number): DnsRecord => ({
  type: 'SOA',
  name,
  ttl,
  data: { mname: 'ns.example', rname: 'x.example', minimum },
})
const NXDOMAIN = 3
const SERVFAIL = 2
const REFUSED = 5
const TRUNCATED = 0x200
const AD = 0x20

const defaults: Omit<StubOptions, 'servers'> = {
  clock: systemClock,
  timeoutMs: 5000,
  attempts: 1,
  cacheEntries: 100,
  trustAd: false,
}

/** For tests that wait for the timeout. */
const SHORT = { timeoutMs: 60 }

/** One server, one question, one answer. */
async function ask(
  respond: (query: DnsQuery) => DnsReply,
  type: RecordType = 'A',
  options: Partial<StubOptions> = {},
) {
  await using dns = await scriptedDns(respond)
  using resolver = createResolver({ ...defaults, servers: [dns.server], ...options })
  const answer = await resolver.resolve('example.com', type)
  return { answer, asked: dns.asked }
}

test('records come with name, TTL and without the proof that nobody gave', async () => {
  const { answer } = await ask(() => ({ answers: [a('Example.com', '192.0.2.1', 60)] }))
  assert.deepEqual(answer, {
    kind: 'records',
    records: ['192.0.2.1'],
    ttlSeconds: 60,
    authentic: false,
    name: 'example.com',
  })
})

const TYPES: readonly [RecordType, DnsRecord, unknown][] = [
  ['AAAA', { type: 'AAAA', name: 'example.com', data: '2001:db8::1' }, '2001:db8::1'],
  [
    'MX',
    { type: 'MX', name: 'example.com', data: { preference: 10, exchange: 'mx.example.com' } },
    { preference: 10, exchange: 'mx.example.com' },
  ],
  [
    'MX',
    { type: 'MX', name: 'example.com', data: { preference: 0, exchange: '.' } },
    { preference: 0, exchange: '.' },
  ],
  ['TXT', { type: 'TXT', name: 'example.com', data: ['v=spf1 ', 'ё'] }, 'v=spf1 ё'],
  ['CNAME', alias('example.com', 'other.example'), 'other.example'],
  ['PTR', { type: 'PTR', name: 'example.com', data: 'host.example' }, 'host.example'],
  ['NS', { type: 'NS', name: 'example.com', data: 'ns.example' }, 'ns.example'],
  [
    'TLSA',
    {
      type: 'TLSA',
      name: 'example.com',
      data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from([1, 2, 3]) },
    },
    { usage: 3, selector: 1, matching: 1, data: Buffer.from([1, 2, 3]) },
  ],
]
for (const [type, record, expected] of TYPES)
  test(`${type} is read`, async () => {
    const { answer } = await ask(() => ({ answers: [{ ...record, ttl: 5 } as DnsRecord] }), type)
    assert.equal(answer.kind, 'records')
    assert.deepEqual(answer.kind === 'records' && answer.records[0], expected)
  })

test('the question asks for recursion, AD and small answers', async () => {
  await ask(({ packet }) => {
    assert.equal(packet.flag_rd, true)
    assert.equal(packet.flag_ad, true)
    const opt = packet.additionals?.[0]
    assert.equal(opt?.type === 'OPT' && opt.udpPayloadSize, 1232)
    return { answers: [] }
  })
})

const EMPTY: readonly [string, DnsReply, string][] = [
  ['NXDOMAIN', { rcode: NXDOMAIN, authorities: [soa('com', 900, 60)] }, 'no-such-name'],
  ['NODATA', { authorities: [soa('com', 900, 60)] }, 'none'],
  ['NODATA without SOA', {}, 'none'],
  ['SERVFAIL', { rcode: SERVFAIL }, 'cannot-tell'],
  ['REFUSED', { rcode: REFUSED }, 'cannot-tell'],
  [
    'a referral',
    { authorities: [{ type: 'NS', name: 'com', data: 'a.gtld.example' }] },
    'cannot-tell',
  ],
  ['silence', 'silence', 'cannot-tell'],
  ['garbage', [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')], 'cannot-tell'],
  ['an empty datagram', [Buffer.alloc(0)], 'cannot-tell'],
  ['another id', { id: 0x10001, answers: [a('example.com', '192.0.2.66')] }, 'cannot-tell'],
  [
    'another question',
    { question: 'evil.example', answers: [a('example.com', '192.0.2.66')] },
    'cannot-tell',
  ],
  ['records of another name', { answers: [a('evil.example', '192.0.2.66')] }, 'none'],
  [
    'records of another type',
    { answers: [{ type: 'AAAA', name: 'example.com', data: '::1' }] },
    'none',
  ],
  ['an alias to itself', { answers: [alias('example.com', 'example.com')] }, 'cannot-tell'],
  [
    'aliases in a ring',
    { answers: [alias('example.com', 'b.example'), alias('b.example', 'example.com')] },
    'cannot-tell',
  ],
  [
    'an extended failure',
    {
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 512,
          extendedRcode: 1,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
      answers: [a('example.com', '192.0.2.66')],
    },
    'cannot-tell',
  ],
]
for (const [what, reply, expected] of EMPTY)
  test(`${what}: ${expected}`, async () => {
    const wrongId = typeof reply === 'object' && 'id' in reply
    const { answer } = await ask(
      ({ packet }) => (wrongId ? { ...reply, id: ((packet.id ?? 0) + 1) & 0xffff } : reply),
      'A',
      expected === 'cannot-tell' ? SHORT : {},
    )
    assert.equal(answer.kind, expected)
  })

test('a half packet with our id is ignored', async () => {
  const { answer } = await ask(({ packet }) => {
    const whole = response(packet, { answers: [a('example.com', '192.0.2.1')] })
    return [whole.subarray(0, whole.length - 3), whole]
  })
  assert.equal(answer.kind, 'records')
})

test('a forgery before the answer does no harm', async () => {
  const { answer } = await ask(({ packet }) => [
    response(packet, { id: (packet.id! + 1) & 0xffff, answers: [a('example.com', '192.0.2.66')] }),
    response(packet, { question: 'evil.example', answers: [a('example.com', '192.0.2.66')] }),
    response(packet, { answers: [a('example.com', '192.0.2.1')] }),
  ])
  assert.deepEqual(answer.kind === 'records' && answer.records, ['192.0.2.1'])
})

test('many forgeries: the question goes over TCP', async () => {
  const { answer, asked } = await ask(({ packet, via }) => {
    if (via === 'tcp') return { answers: [a('example.com', '192.0.2.1')] }
    return Array.from({ length: 8 }, (_, i) =>
      response(packet, {
        id: (packet.id! + i + 1) & 0xffff,
        answers: [a('example.com', '192.0.2.66')],
      }),
    )
  })
  assert.deepEqual(answer.kind === 'records' && answer.records, ['192.0.2.1'])
  assert.deepEqual(asked, ['udp example.com A', 'tcp example.com A'])
})

test('a server that loses the case of the letters is asked over TCP, where it does not matter', async () => {
  const { answer, asked } = await ask(({ packet }) => {
    const name = packet.questions![0]!.name
    const question = name === 'example.com' ? 'EXAMPLE.com' : 'example.com'
    return { question, answers: [a('example.com', '192.0.2.1')] }
  })
  assert.equal(answer.kind, 'records')
  assert.deepEqual(asked, ['udp example.com A', 'tcp example.com A'])
})

test('a true answer from another address is not seen', async () => {
  const spoofer = createSocket('udp4')
  await new Promise<void>((resolve) => spoofer.bind(0, '127.0.0.1', resolve))
  let sent = 0
  const { answer } = await ask(
    ({ packet, peerPort }) => {
      const forged = response(packet, { answers: [a('example.com', '192.0.2.66')] })
      spoofer.send(forged, peerPort, '127.0.0.1', () => sent++)
      return 'silence'
    },
    'A',
    SHORT,
  )
  spoofer.close()
  assert.equal(sent, 1)
  assert.equal(answer.kind, 'cannot-tell')
})

test('truncated: over TCP', async () => {
  const strings = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(200, 'x'))
  const { answer, asked } = await ask(
    ({ via }) =>
      via === 'udp'
        ? { flags: TRUNCATED }
        : { answers: [{ type: 'TXT', name: 'example.com', data: strings }] },
    'TXT',
  )
  assert.equal(answer.kind === 'records' && answer.records[0]!.toString().length, 20_000)
  assert.deepEqual(asked, ['udp example.com TXT', 'tcp example.com TXT'])
})

test('truncated and silent over TCP: cannot tell', async () => {
  const { answer } = await ask(
    ({ via }) => (via === 'udp' ? { flags: TRUNCATED } : 'silence'),
    'A',
    SHORT,
  )
  assert.equal(answer.kind, 'cannot-tell')
})

test('a server from before EDNS is asked without it', async () => {
  const { answer, asked } = await ask(({ packet }) =>
    packet.additionals!.length > 0 ? { rcode: 1 } : { answers: [a('example.com', '192.0.2.1')] },
  )
  assert.equal(answer.kind, 'records')
  assert.equal(asked.length, 2)
})

test('aliases within the answer are followed; the shortest TTL holds', async () => {
  const { answer } = await ask(() => ({
    answers: [
      a('c.example', '192.0.2.1', 50),
      alias('b.example', 'c.example', 20),
      alias('example.com', 'B.example', 90),
    ],
  }))
  assert.deepEqual(answer, {
    kind: 'records',
    records: ['192.0.2.1'],
    ttlSeconds: 20,
    authentic: false,
    name: 'c.example',
  })
})

test('aliases that the server leaves to us are followed', async () => {
  const { answer, asked } = await ask(({ name }) =>
    name === 'example.com'
      ? { answers: [alias(name, 'b.example')] }
      : { answers: [a('b.example', '192.0.2.1')] },
  )
  assert.equal(answer.kind === 'records' && answer.name, 'b.example')
  assert.equal(asked.length, 2)
})

test('aliases without end are not followed for ever', async () => {
  let n = 0
  const { answer, asked } = await ask(({ name }) => ({ answers: [alias(name, `n${++n}.example`)] }))
  assert.deepEqual(answer, { kind: 'cannot-tell', why: 'the aliases do not end' })
  assert.equal(asked.length, 9)
})

const proved = () => ({ flags: AD, answers: [a('example.com', '192.0.2.1')] })
const isAuthentic = (answer: object) => 'authentic' in answer && answer.authentic === true

test('AD is believed from loopback', async () => {
  assert.equal(isAuthentic((await ask(proved)).answer), true)
  assert.equal(isAuthentic((await ask(() => ({ ...proved(), flags: 0 }))).answer), false)
})

test('AD of Docker’s own resolver is not believed: it only looks local', async () => {
  await using dns = await scriptedDns(proved, { address: '127.0.0.11' })
  for (const trustAd of [false, true]) {
    using resolver = createResolver({ ...defaults, trustAd, servers: [dns.server] })
    assert.equal(isAuthentic(await resolver.resolve('example.com', 'A')), trustAd)
  }
})

const outside = Object.values(networkInterfaces())
  .flat()
  .find((found) => found?.family === 'IPv4' && !found.internal)?.address

test('AD from elsewhere is believed only when told so', {
  skip: !outside && 'no other address',
}, async () => {
  await using dns = await scriptedDns(proved, { address: outside! })
  for (const trustAd of [false, true]) {
    using resolver = createResolver({ ...defaults, trustAd, servers: [dns.server] })
    assert.equal(isAuthentic(await resolver.resolve('example.com', 'A')), trustAd)
  }
})

test('a lost datagram is asked again', async () => {
  let n = 0
  const { answer } = await ask(
    ({ name }) => (++n === 1 ? 'silence' : { answers: [a(name, '192.0.2.1')] }),
    'A',
    { attempts: 2, timeoutMs: 200 },
  )
  assert.equal(answer.kind, 'records')
})
