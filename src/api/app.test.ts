import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { InjectOptions } from 'fastify'
import { fakeControl, queueEntry } from '../../test/support/fake-control.ts'
import { refuse } from '../mail/reply.ts'
import { systemClock } from '../std/clock.ts'
import { silentLog } from '../std/log.ts'
import { makeApp } from './app.ts'
import { hostOf, isLoopback } from './guard.ts'
import { fromWire, toWire } from './json.ts'
import { languageOf } from './page.ts'
import { ensureToken, readToken, tokenFile } from './token.ts'

const TOKEN = 'test-token-0123456789abcdef'
const admin = { authorization: `Bearer ${TOKEN}` }

function start() {
  const control = fakeControl()
  const app = makeApp(control, {
    token: TOKEN,
    hosts: ['mail.example.test'],
    clock: systemClock,
    log: silentLog,
  })
  const call = async (method: 'GET' | 'POST' | 'DELETE', url: string, more: InjectOptions = {}) => {
    const answer = await app.inject({ method, url, ...more })
    const json = /json/.test(String(answer.headers['content-type']))
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      body: json ? answer.json() : undefined,
    }
  }
  return { control, app, call }
}

test('captured messages, newest first, as the documentation says', async () => {
  const { control, call } = start()
  control.capture({ id: '1' })
  control.capture({ id: '2', subject: 'Второе' })
  const { status, body } = await call('GET', '/api/v1/sandbox/messages')
  assert.equal(status, 200)
  assert.deepEqual(body, {
    messages: [
      {
        id: '2',
        envelope: { from: 'a@example.com', to: ['b@example.org'] },
        subject: 'Второе',
        authentication: { dkim: 'pass', spf: 'pass', dmarc: 'pass' },
        size: 1000,
        received_at: '2026-01-01T00:00:00.000Z',
      },
      { ...body.messages[1], id: '1' },
    ],
  })
  const ids = async (query: string) =>
    (await call('GET', `/api/v1/sandbox/messages?${query}`)).body.messages.map(
      (one: { id: string }) => one.id,
    )
  assert.deepEqual(await ids('limit=1'), ['2'])
  assert.deepEqual(await ids('before=2'), ['1'])
  assert.deepEqual(await ids('after=1'), ['2'])
})

test('one captured message, raw and as a record', async () => {
  const { control, call } = start()
  control.capture({ id: '7' })
  assert.equal((await call('GET', '/api/v1/sandbox/messages/7')).body.id, '7')
  const raw = await call('GET', '/api/v1/sandbox/messages/7/raw')
  assert.equal(raw.headers['content-type'], 'message/rfc822')
  assert.equal(raw.text, 'Subject: Hello\r\n\r\nHi\r\n')
  assert.equal((await call('GET', '/api/v1/sandbox/messages/8')).body.code, 'NOT_FOUND')
  assert.equal((await call('GET', '/api/v1/sandbox/messages/8/raw')).status, 404)
  assert.equal((await call('DELETE', '/api/v1/sandbox/messages')).status, 401)
  assert.equal((await call('DELETE', '/api/v1/sandbox/messages', { headers: admin })).status, 204)
  assert.deepEqual((await call('GET', '/api/v1/sandbox/messages')).body, { messages: [] })
})

test('a long poll answers when a message is captured, and no later than asked', async () => {
  const { control, call } = start()
  const waiting = call('GET', '/api/v1/sandbox/messages?wait=30s')
  await turn()
  await turn()
  control.capture({ id: '1' })
  assert.equal((await waiting).body.messages.length, 1)
  const newer = call('GET', '/api/v1/sandbox/messages?wait=30s&after=1')
  await turn()
  control.capture({ id: '2' })
  assert.deepEqual(
    (await newer).body.messages.map((one: { id: string }) => one.id),
    ['2'],
  )
  assert.deepEqual((await call('GET', '/api/v1/sandbox/messages?wait=20ms&after=2')).body, {
    messages: [],
  })
  assert.equal((await call('GET', '/api/v1/sandbox/messages?wait=5')).status, 400)
  assert.equal((await call('GET', '/api/v1/sandbox/messages?wait=2h')).status, 400)
})

test('closing the application ends long polls', async () => {
  const { app, call } = start()
  const waiting = call('GET', '/api/v1/sandbox/messages?wait=60s')
  await turn()
  await turn()
  await app.close()
  assert.deepEqual((await waiting).body, { messages: [] })
})

const adminRoutes: ['GET' | 'POST' | 'DELETE', string][] = [
  ['GET', '/api/v1/about'],
  ['GET', '/api/v1/queue'],
  ['GET', '/api/v1/queue/X'],
  ['POST', '/api/v1/queue/retry'],
  ['POST', '/api/v1/policy/test'],
  ['POST', '/api/v1/queue/X/retry'],
  ['POST', '/api/v1/queue/X/cancel'],
  ['GET', '/api/v1/domains'],
  ['POST', '/api/v1/domains'],
  ['DELETE', '/api/v1/domains/example.com'],
  ['GET', '/api/v1/domains/example.com/dns'],
  ['GET', '/api/v1/credentials'],
  ['POST', '/api/v1/credentials'],
  ['DELETE', '/api/v1/credentials/app'],
  ['DELETE', '/api/v1/sandbox/messages'],
]

for (const [method, url] of adminRoutes) {
  test(`needs the admin token: ${method} ${url}`, async () => {
    const { call } = start()
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: `Basic ${TOKEN}` },
      { authorization: 'Bearer ' },
    ]) {
      const answer = await call(method, url, { headers })
      assert.equal(answer.status, 401)
      assert.equal(answer.body.code, 'TOKEN_NEEDED')
      assert.match(String(answer.headers['www-authenticate']), /^Bearer/)
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
    }
  })
}

test('other names, other sites and proxies do not get in', async () => {
  const { call } = start()
  const url = '/api/v1/sandbox/messages'
  for (const [headers, status] of [
    [{ host: 'localhost:8025' }, 200],
    [{ host: '127.0.0.1:8025' }, 200],
    [{ host: '[::1]:8025' }, 200],
    [{ host: 'evil.example:8025' }, 421],
    [{ host: 'localhost.evil.example' }, 421],
    [{ host: 'a b' }, 421],
    [{ host: 'mail.example.test' }, 401],
    [{ host: 'mail.example.test', ...admin }, 200],
    [{ host: '192.0.2.1:8025' }, 401],
    [{ 'x-forwarded-for': '192.0.2.1' }, 401],
    [{ host: 'localhost:8025', origin: 'http://localhost:8025' }, 200],
    [{ host: 'localhost:8025', origin: 'http://localhost:3000' }, 403],
    [{ host: 'localhost:8025', origin: 'https://evil.example' }, 403],
    [{ host: 'localhost:8025', origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
    [{ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 403],
    [{ 'sec-fetch-site': 'none' }, 200],
    [
      {
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      },
      200,
    ],
  ] as [Record<string, string>, number][]) {
    assert.equal((await call('GET', url, { headers })).status, status, JSON.stringify(headers))
  }
  const remote = await call('GET', url, { remoteAddress: '192.0.2.7' })
  assert.equal(remote.status, 401)
})

test('health: alive always, ready when every check is', async () => {
  const { control, call } = start()
  assert.equal((await call('GET', '/livez')).status, 200)
  assert.equal((await call('GET', '/readyz')).status, 200)
  control.problems.push({ name: 'disk', ok: false, text: '1 MiB free' })
  const { status, body } = await call('GET', '/readyz')
  assert.equal(status, 503)
  assert.deepEqual(body.checks.at(-1), { name: 'disk', ok: false, text: '1 MiB free' })
  assert.equal((await call('GET', '/livez')).status, 200)
  control.problems.length = 0
  control.problems.push({ name: 'delivery', ok: false, about: 'delivery', text: 'no answer' })
  const stuck = await call('GET', '/readyz')
  assert.deepEqual([stuck.status, stuck.body.status], [200, 'ok'], 'mail is taken all the same')
  assert.equal(stuck.body.checks.at(-1).ok, false)
  const metrics = await call('GET', '/metrics')
  assert.match(String(metrics.headers['content-type']), /^text\/plain; version=0\.0\.4/)
  assert.match(metrics.text, /^posthorn_up 1$/m)
})

test('the page speaks the browser’s language and is bound by its policy', async () => {
  const { call } = start()
  const english = await call('GET', '/')
  assert.match(english.text, /a send-only mail server/)
  const russian = await call('GET', '/', {
    headers: { 'accept-language': 'ru-RU,ru;q=0.9,en;q=0.8' },
  })
  assert.match(russian.text, /lang="ru"/)
  assert.match(
    String(russian.headers['content-security-policy']),
    /default-src 'none'; style-src 'sha256-/,
  )
  assert.equal(russian.headers['x-content-type-options'], 'nosniff')
  for (const [header, expected] of [
    [undefined, 'en'],
    ['de', 'en'],
    ['de, ru;q=0.5, en;q=0.4', 'ru'],
    ['en;q=0.5,ru;q=0.4', 'en'],
    ['rubbish', 'en'],
  ] as const) {
    assert.equal(languageOf(header), expected, header)
  }
})

test('domains: add, list, records, remove', async () => {
  const { control, call } = start()
  const headers = admin
  const payload = { domain: 'example.com', world: 'live', ed25519: true }
  const made = await call('POST', '/api/v1/domains', { headers, payload })
  assert.equal(made.status, 201)
  assert.equal(made.body.keys.length, 2)
  assert.equal(made.body.created_at, '2026-01-01T00:00:00.000Z')
  assert.equal(
    (await call('POST', '/api/v1/domains', { headers, payload })).body.code,
    'DOMAIN_EXISTS',
  )
  const bad = await call('POST', '/api/v1/domains', { headers, payload: { domain: 'x', wrld: 1 } })
  assert.equal(bad.status, 400)
  assert.equal(bad.body.errors.length, 1)
  const imported = { domain: 'example.org', import_pem: 'PEM' }
  await call('POST', '/api/v1/domains', { headers, payload: imported })
  assert.deepEqual(control.calls.at(-1), 'addDomain example.org imported')
  assert.equal((await call('GET', '/api/v1/domains', { headers })).body.domains.length, 2)
  const dns = await call('GET', '/api/v1/domains/example.com/dns', { headers })
  assert.equal(dns.body.records[0].ttl, 300)
  const bind = await call('GET', '/api/v1/domains/example.com/dns?format=bind', { headers })
  assert.match(bind.text, /^p2601\._domainkey\.example\.com\. +300 IN TXT +\( "v=DKIM1/m)
  assert.equal((await call('GET', '/api/v1/domains/none.example/dns', { headers })).status, 404)
  assert.equal((await call('DELETE', '/api/v1/domains/example.com', { headers })).status, 204)
  assert.equal((await call('DELETE', '/api/v1/domains/example.com', { headers })).status, 404)
})

test('credentials: the password is in one answer only', async () => {
  const { call } = start()
  const headers = admin
  const payload = { name: 'app', domains: ['example.com'] }
  const made = await call('POST', '/api/v1/credentials', { headers, payload })
  assert.equal(made.body.password, 'N0replyuserP@ssw0rd')
  const list = await call('GET', '/api/v1/credentials', { headers })
  assert.doesNotMatch(list.text, /password/)
  assert.equal(
    (await call('POST', '/api/v1/credentials', { headers, payload })).body.code,
    'CREDENTIAL_EXISTS',
  )
  for (const name of ['', 'a\0b', 'x'.repeat(101), 'a b', 'имя']) {
    const answer = await call('POST', '/api/v1/credentials', { headers, payload: { name } })
    assert.equal(answer.status, 400, name)
  }
  assert.equal((await call('DELETE', '/api/v1/credentials/app', { headers })).status, 204)
})

test('queue: pages, one message, retry, cancel', async () => {
  const { control, call } = start()
  const headers = admin
  control.entries.push(queueEntry('A'), queueEntry('B', { state: 'held', nextAttemptAt: null }))
  const first = await call('GET', '/api/v1/queue?limit=1', { headers })
  assert.equal(first.body.entries[0].next_attempt_at, '2026-01-01T12:00:00.000Z')
  assert.deepEqual(first.body.counts, {
    ready: 1,
    held: 1,
    oldest_accepted_at: '2026-01-01T00:00:00.000Z',
  })
  const second = await call('GET', `/api/v1/queue?limit=1&after=${first.body.next}`, { headers })
  assert.deepEqual([second.body.entries[0].id, second.body.next], ['B', null])
  assert.equal((await call('GET', '/api/v1/queue?after=x', { headers })).body.code, 'BAD_CURSOR')
  assert.equal((await call('GET', '/api/v1/queue?limit=0', { headers })).status, 400)
  assert.equal((await call('GET', '/api/v1/queue/A', { headers })).body.entries.length, 1)
  assert.equal((await call('GET', '/api/v1/queue/Z', { headers })).status, 404)
  assert.deepEqual((await call('POST', '/api/v1/queue/A/retry', { headers })).body, { changed: 1 })
  const all = await call('POST', '/api/v1/queue/retry', { headers, payload: { all: true } })
  assert.deepEqual(all.body, { changed: 1 })
  const held = await call('POST', '/api/v1/queue/retry', {
    headers,
    payload: { all: true, held: true },
  })
  assert.deepEqual(held.body, { changed: 2 })
  for (const payload of [{}, { all: false }, { all: true, site: 'x' }, []]) {
    assert.equal((await call('POST', '/api/v1/queue/retry', { headers, payload })).status, 400)
  }
  assert.deepEqual((await call('POST', '/api/v1/queue/A/cancel', { headers })).body, { changed: 1 })
})

test('hostile requests get a problem, not a crash', async () => {
  const { control, call } = start()
  const headers = { ...admin, 'content-type': 'application/json' }
  for (const [payload, status] of [
    ['{', 400],
    ['', 400],
    ['"x"', 400],
    ['null', 400],
    ['{"__proto__":{"a":1},"domain":"a.example"}', 400],
    [`{"domain":"${'x'.repeat(70_000)}"}`, 413],
  ] as const) {
    const answer = await call('POST', '/api/v1/domains', { headers, payload })
    assert.equal(answer.status, status, payload.slice(0, 50))
    assert.match(String(answer.headers['content-type']), /problem\+json/)
  }
  const asText = { ...admin, 'content-type': 'text/plain' }
  assert.equal(
    (await call('POST', '/api/v1/domains', { headers: asText, payload: '{}' })).status,
    415,
  )
  assert.equal((await call('GET', '/../../etc/passwd')).status, 404)
  assert.equal((await call('GET', `/api/v1/sandbox/messages/${'x'.repeat(400)}`)).status, 414)
  control.checks = async () => {
    throw new Error('secret detail')
  }
  const broken = await call('GET', '/readyz')
  assert.equal(broken.status, 500)
  assert.doesNotMatch(broken.text, /secret/)
  control.checks = async () => {
    throw refuse(452, '4.3.1', 'Disk is full')
  }
  const refused = await call('GET', '/readyz')
  assert.deepEqual(
    [refused.status, refused.body.smtp_code, refused.body.enhanced_status],
    [503, 452, '4.3.1'],
  )
})

test('over a real socket', async () => {
  const { app } = start()
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/livez`)
  assert.deepEqual(await answer.json(), { status: 'ok' })
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  await app.close()
})

test('the token is made once, kept private, and made again when it was cut short', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-token-'))
  try {
    assert.equal(await readToken(folder), undefined)
    const token = await ensureToken(folder)
    assert.match(token, /^[\w-]{43}$/)
    assert.equal(await ensureToken(folder), token)
    assert.equal(await readToken(folder), token)
    assert.equal(statSync(tokenFile(folder)).mode & 0o777, 0o600)
    writeFileSync(tokenFile(folder), '')
    assert.notEqual(await ensureToken(folder), '')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('names on the wire', () => {
  const value = {
    receivedAt: 0,
    nextAttemptAt: null,
    at: 1,
    list: [{ durationMs: 5 }],
    x: undefined,
  }
  const wire = toWire(value)
  assert.deepEqual(wire, {
    received_at: '1970-01-01T00:00:00.000Z',
    next_attempt_at: null,
    at: '1970-01-01T00:00:00.001Z',
    list: [{ duration_ms: 5 }],
  })
  const { x, ...known } = value
  assert.deepEqual(fromWire(wire), known)
  assert.equal(hostOf('[::1]:80'), '::1')
  assert.equal(hostOf('LOCALHOST.'), 'localhost')
  assert.equal(hostOf('a@b'), undefined)
  assert.ok(
    isLoopback('127.8.8.8') && isLoopback('::ffff:127.0.0.1') && !isLoopback('127.evil.example'),
  )
})

test('the doctor speaks the caller’s language, and explains its codes', async () => {
  const { control, call } = start()
  const address = '203.0.113.10'
  const facts = { address, hostname: 'mail.example.test' }
  control.doctorFindings.push({ code: 'PTR_MISSING', severity: 'error', subject: address, facts })
  const russian = { headers: { ...admin, 'accept-language': 'ru' } }
  const { status, body } = await call('GET', '/api/v1/doctor', { headers: admin })
  assert.equal(status, 200)
  assert.equal(body.healthy, false)
  assert.equal(body.host[0].findings[0].saw, '203.0.113.10 has no name (no PTR record).')
  const same = await call('GET', '/api/v1/doctor', russian)
  assert.equal(
    same.body.host[0].findings[0].saw,
    'У адреса 203.0.113.10 нет имени (нет записи PTR).',
  )
  assert.equal(same.headers['content-language'], 'ru')
  const code = await call('GET', '/api/v1/doctor/codes/PTR_MISSING', russian)
  assert.match(code.body.more, /обратной зоне/)
  for (const path of ['/api/v1/doctor?domain=no.example', '/api/v1/doctor/codes/NO'])
    assert.equal((await call('GET', path, { headers: admin })).status, 404)
  assert.equal((await call('GET', '/api/v1/doctor')).status, 401)
})
