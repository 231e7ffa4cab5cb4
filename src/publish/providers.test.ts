// The same story for every provider: find the zone, read, add, replace, remove, again, and fail.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Answer,
  cloudflareApi,
  digitalOceanApi,
  hetznerApi,
  type Request,
  route53Api,
  serveApi,
} from '../../test/support/provider-apis.ts'
import { systemClock } from '../std/clock.ts'
import { openPublisher, type PublisherSettings } from './open.ts'
import type { Change, ZoneRecord } from './publisher.ts'
import { signAws } from './sigv4.ts'

/** Nobody waits in a test. */
const clock = { ...systemClock, sleep: async () => {} }
const LONG = `v=DKIM1; k=rsa; p=${'A'.repeat(392)}`
const GOOGLE = 'v=spf1 include:_spf.google.com ~all'
const OURS = 'v=spf1 ip4:192.0.2.25 include:_spf.google.com ~all'

type Case = {
  readonly provider: 'cloudflare' | 'route53' | 'hetzner' | 'digitalocean'
  /** Fills the zone with GOOGLE, a second text, an MX and a CNAME at `old`. */
  serve(): (request: Request) => Answer
  /** A refused change leaves the others of its job undone, too. */
  readonly atomic: boolean
}

const row = (id: string, name: string, type: string, rest: object) => ({ id, name, type, ...rest })
const set = (name: string, type: string, ...values: string[]) => ({
  name,
  type,
  ttl: 300,
  records: values.map((value) => ({ value })),
})

const CASES: readonly Case[] = [
  {
    provider: 'cloudflare',
    atomic: false,
    serve: () =>
      cloudflareApi([
        row('1', 'example.com', 'TXT', { content: `"${GOOGLE}"`, ttl: 300 }),
        row('2', 'example.com', 'TXT', { content: 'verify=1', ttl: 300 }),
        row('3', 'example.com', 'MX', { content: 'mx.google.com', priority: 10, ttl: 300 }),
        row('4', 'old.example.com', 'CNAME', { content: 'gone.example', ttl: 300 }),
      ]),
  },
  {
    provider: 'digitalocean',
    atomic: false,
    serve: () =>
      digitalOceanApi([
        row('1', '@', 'TXT', { data: GOOGLE, ttl: 300, priority: null }),
        row('2', '@', 'TXT', { data: 'verify=1', ttl: 300, priority: null }),
        row('3', '@', 'MX', { data: 'mx.google.com', ttl: 300, priority: 10 }),
        row('4', 'old', 'CNAME', { data: 'gone.example', ttl: 300, priority: null }),
      ]),
  },
  {
    provider: 'hetzner',
    atomic: false,
    serve: () =>
      hetznerApi([
        set('@', 'TXT', `"${GOOGLE}"`, '"verify=1"'),
        set('@', 'MX', '10 mx.google.com.'),
        set('old', 'CNAME', 'gone.example.'),
      ]),
  },
  {
    provider: 'route53',
    atomic: true,
    serve: () =>
      route53Api([
        set('example.com', 'TXT', `"${GOOGLE.slice(0, 9)}" "${GOOGLE.slice(9)}"`, '"verify=1"'),
        set('example.com', 'MX', '10 mx.google.com.'),
        set('old.example.com', 'CNAME', 'gone.example.'),
      ]),
  },
]

function settingsOf(provider: Case['provider'], base: string, secret = 'good'): PublisherSettings {
  return provider === 'route53'
    ? { provider, base, accessKeyId: secret, secretAccessKey: 'secret' }
    : { provider, base, token: secret }
}

const open = (provider: Case['provider'], base: string, secret?: string) =>
  openPublisher(settingsOf(provider, base, secret), { clock, authorities: async () => [] })

const record = (name: string, type: ZoneRecord['type'], value: string): ZoneRecord => ({
  name,
  type,
  value,
  ttlSeconds: 300,
})
const txt = (name: string, value: string) => record(name, 'TXT', value)

for (const { provider, serve, atomic } of CASES) {
  test(`${provider}: adds, replaces and removes, and leaves the rest`, async () => {
    await using api = await serveApi(serve())
    const publisher = open(provider, api.base)
    const zone = await publisher.zoneOf('p1._domainkey.example.com')
    assert.equal(zone.name, 'example.com')
    const changes: Change[] = [
      { kind: 'replace', before: txt('example.com', GOOGLE), record: txt('example.com', OURS) },
      { kind: 'remove', record: record('old.example.com', 'CNAME', 'gone.example') },
      { kind: 'add', record: record('old.example.com', 'A', '192.0.2.25') },
      { kind: 'add', record: txt('p1._domainkey.example.com', LONG) },
      { kind: 'add', record: record('bounce.example.com', 'MX', '10 mail.example.com') },
    ]
    const results = await publisher.apply(zone, changes)
    assert.deepEqual(
      results.filter((result) => !result.done),
      [],
    )
    const read = async (name: string) =>
      (await publisher.read(zone, name)).map(({ type, value }) => `${type} ${value}`).sort()
    assert.deepEqual(
      await read('example.com'),
      ['MX 10 mx.google.com', `TXT ${OURS}`, 'TXT verify=1'].sort(),
    )
    assert.deepEqual(await read('old.example.com'), ['A 192.0.2.25'])
    assert.deepEqual(await read('p1._domainkey.example.com'), [`TXT ${LONG}`])
    assert.deepEqual(await read('bounce.example.com'), ['MX 10 mail.example.com'])
    const before = api.changes.length
    assert.ok((await publisher.apply(zone, changes)).every(({ done }) => done))
    assert.equal(api.changes.length, before, 'the same again changes nothing')
  })

  test(`${provider}: one change is refused`, async () => {
    await using api = await serveApi(serve())
    const publisher = open(provider, api.base)
    const zone = await publisher.zoneOf('example.com')
    const results = await publisher.apply(zone, [
      { kind: 'add', record: txt('a.example.com', 'fine') },
      { kind: 'add', record: txt('b.example.com', 'refused') },
      { kind: 'add', record: txt('c.example.com', 'never tried') },
    ])
    assert.deepEqual(
      results.map(({ done }) => done),
      [!atomic, false, false],
    )
    const why = results.map((result) => (result.done ? '' : result.why))
    assert.match(why[1]!, /^127\.0\.0\.1:\d+: .*nvalid.* \(status 4\d\d\)$/)
    const fine = (await publisher.read(zone, 'a.example.com')).length
    assert.equal(fine, atomic ? 0 : 1)
  })

  test(`${provider}: a wrong secret, a foreign zone, nobody there`, async () => {
    await using api = await serveApi(serve())
    await assert.rejects(open(provider, api.base, 'bad').zoneOf('example.com'), {
      name: 'PublishFault',
      code: 'UNAUTHORIZED',
    })
    await assert.rejects(open(provider, api.base).zoneOf('example.org'), { code: 'NO_ZONE' })
    await assert.rejects(open(provider, 'http://127.0.0.1:1').zoneOf('example.com'), {
      code: 'UNREACHABLE',
    })
  })

  test(`${provider}: nonsense is refused`, async () => {
    await using api = await serveApi(() => ({ body: '<html>maintenance</html>' }))
    await assert.rejects(open(provider, api.base).zoneOf('example.com'), { name: 'PublishFault' })
  })
}

test('Cloudflare: a proxied address is told as such, and put right', async () => {
  const proxied = { content: '192.0.2.25', ttl: 1, proxied: true }
  await using api = await serveApi(cloudflareApi([row('1', 'mail.example.com', 'A', proxied)]))
  const publisher = open('cloudflare', api.base)
  const zone = await publisher.zoneOf('mail.example.com')
  const [before] = await publisher.read(zone, 'mail.example.com')
  assert.equal(before!.proxied, true)
  const after = record('mail.example.com', 'A', '192.0.2.25')
  await publisher.apply(zone, [{ kind: 'replace', before: before!, record: after }])
  assert.equal((await publisher.read(zone, 'mail.example.com'))[0]!.proxied, undefined)
})

/** Amazon's own examples of the signature. */
const SIGNED: readonly [query: Record<string, string>, signature: string][] = [
  [{ lifecycle: '' }, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  [
    { 'max-keys': '2', prefix: 'J' },
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
]
for (const [query, signature] of SIGNED)
  test(`the signature of Amazon’s example with ${Object.keys(query).join(' and ')}`, () => {
    const keys = {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    }
    const request = {
      method: 'GET',
      host: 'examplebucket.s3.amazonaws.com',
      path: '/',
      query,
      body: '',
    }
    const now = Date.UTC(2013, 4, 24)
    const { authorization } = signAws(request, keys, { now, region: 'us-east-1', service: 's3' })
    assert.match(authorization!, new RegExp(`Signature=${signature}$`))
  })
