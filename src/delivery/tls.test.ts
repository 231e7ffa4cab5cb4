// TLS towards others: used wherever it is offered, demanded only where somebody asked for it, and
// never a reason to lose mail otherwise.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ends, makeRoom, type RoomOptions, send } from '../../test/support/delivery.ts'
import {
  garbage,
  type HostileOptions,
  reset,
  say,
  startHostileServer,
} from '../../test/support/hostile-server.ts'
import type { RelayOptions } from './route.ts'

const KEYWORDS = ['PIPELINING', 'STARTTLS', 'REQUIRETLS']

function relayRoom(port: number, relay: Partial<RelayOptions>, options: RoomOptions = {}) {
  const relayhost = { host: '[relay.test]', port, ...relay }
  const dns = { 'relay.test A': ['127.0.0.1'], 'wrong.test A': ['127.0.0.1'] }
  return makeRoom({ dns, ...options, routes: { relayhost } })
}

test('opportunistic: the certificate is looked at, and any will do', async (t) => {
  await using peer = await startHostileServer({ keywords: KEYWORDS })
  const cases: [string, RoomOptions, boolean][] = [
    ['signed by one whom we trust, for this name', {}, true],
    ['signed by a stranger', { trust: [] }, false],
    [
      'for another name',
      { dns: { 'example.com MX': ['1 mx.other.test'], 'mx.other.test A': ['127.0.0.1'] } },
      false,
    ],
  ]
  for (const [name, options, verified] of cases) {
    await t.test(name, async () => {
      const room = makeRoom({ port: peer.port, ...options })
      const attempt = await send(room)
      assert.deepEqual(ends(attempt), ['delivered'])
      assert.deepEqual(attempt.tls?.version, 'TLSv1.3')
      assert.equal(attempt.tls?.verified, verified)
      await room.close()
    })
  }
  assert.ok(peer.messages.every((message) => message.secure))
})

test('a resumed session is as verified as the one before', async (t) => {
  for (const [name, trusted] of [
    ['verified', true],
    ['unverified', false],
  ] as const) {
    await t.test(name, async () => {
      await using peer = await startHostileServer({ keywords: KEYWORDS })
      const keep = { direct: { messages: 1 } }
      const room = makeRoom({ port: peer.port, ...keep, ...(!trusted && { trust: [] }) })
      for (let i = 0; i < 3; i++) assert.equal((await send(room)).tls?.verified, trusted)
      assert.equal(peer.connections, 3)
      await room.close()
    })
  }
})

test('broken TLS defers the first try, and the retry goes in plaintext', async (t) => {
  const broken: Record<string, HostileOptions['script']> = {
    'handshake reset': { handshake: reset },
    'handshake garbage': { handshake: garbage },
    'reset at STARTTLS': { starttls: reset },
    'lost after the handshake': { ehlo: ({ secure }) => (secure ? reset : undefined) },
  }
  for (const [name, script] of Object.entries(broken)) {
    await t.test(name, async () => {
      await using peer = await startHostileServer({ keywords: KEYWORDS, ...(script && { script }) })
      const room = makeRoom({ port: peer.port })
      const [first] = ends(await send(room))
      assert.match(first!, /^transient (session 4\.7\.5|site 4\.4\.2)$/)
      const retry = await send(room, { attempts: 1 })
      assert.deepEqual(ends(retry), ['delivered'])
      assert.equal(retry.tls, undefined)
      assert.equal(peer.messages[0]?.secure, false)
      await room.close()
    })
  }
})

test('mail that says TLS-Required: No does not wait for the retry, where the receiver is broken', async () => {
  await using peer = await startHostileServer({ keywords: KEYWORDS, script: { handshake: reset } })
  const room = makeRoom({ port: peer.port })
  assert.deepEqual(ends(await send(room, { message: { tlsOptional: true } })), ['delivered'])
  assert.equal(peer.messages[0]?.secure, false)
  await room.close()
})

test('but a relay that must have TLS is our own rule', async () => {
  await using peer = await startHostileServer({ keywords: KEYWORDS, script: { handshake: reset } })
  const room = relayRoom(peer.port, { tls: 'required' })
  const attempt = await send(room, { message: { tlsOptional: true } })
  assert.deepEqual(ends(attempt), ['transient session 4.7.5'])
  await room.close()
})

test('text glued to the 220 is not believed', async () => {
  const script = { starttls: say('220 go\r\n250-PIPELINING\r\n250 CHUNKING\r\n250 ok\r\n250 ok') }
  await using peer = await startHostileServer({ keywords: KEYWORDS, script })
  const room = makeRoom({ port: peer.port })
  assert.deepEqual(ends(await send(room)), ['transient session 4.7.5'])
  assert.equal(peer.commands[0]?.at(-1), 'STARTTLS')
  assert.deepEqual(ends(await send(room)), ['delivered'])
  assert.equal(peer.commands[1]?.includes('STARTTLS'), false)
  await room.close()
})

test('a relay that must have TLS never gets mail without', async (t) => {
  const cases: [string, HostileOptions, Partial<RelayOptions>, string, RoomOptions?][] = [
    ['all is well', { keywords: KEYWORDS }, {}, 'delivered'],
    ['not offered', { keywords: ['PIPELINING'] }, {}, 'transient session 4.7.5'],
    [
      'refused',
      { keywords: KEYWORDS, script: { starttls: say('454 4.7.0 no') } },
      {},
      'transient site 4.7.0',
    ],
    ['broken', { keywords: KEYWORDS, script: { handshake: reset } }, {}, 'transient session 4.7.5'],
    ['a stranger’s', { keywords: KEYWORDS }, {}, 'transient session 4.7.5', { trust: [] }],
    ['another’s', { keywords: KEYWORDS }, { host: '[wrong.test]' }, 'transient session 4.7.5'],
    ['insecure', { keywords: KEYWORDS }, { insecure: true }, 'delivered', { trust: [] }],
    ['an address', { keywords: KEYWORDS }, { host: '127.0.0.1' }, 'delivered'],
    ['implicit', { implicitTls: true }, { tls: 'implicit' }, 'delivered'],
    ['not implicit', {}, { tls: 'implicit' }, 'transient session 4.7.5'],
  ]
  for (const [name, peerOptions, relay, end, options] of cases) {
    await t.test(name, async () => {
      await using peer = await startHostileServer(peerOptions)
      const room = relayRoom(peer.port, { tls: 'required', ...relay }, options)
      assert.deepEqual(ends(await send(room)), [end])
      assert.deepEqual(ends(await send(room)), [end])
      assert.ok(peer.messages.every((message) => message.secure))
      await room.close()
    })
  }
})

test('REQUIRETLS goes on over a session that promises the same, or back', async (t) => {
  const message = { requireTls: true }
  const cases: [string, HostileOptions, string, RoomOptions?][] = [
    ['promised', { keywords: KEYWORDS }, 'delivered'],
    [
      'hosts that nothing proves',
      { keywords: KEYWORDS },
      'permanent message 5.7.30',
      { authentic: [] },
    ],
    ['not promised', { keywords: ['PIPELINING', 'STARTTLS'] }, 'permanent message 5.7.30'],
    ['without TLS', { keywords: ['REQUIRETLS'] }, 'permanent message 5.7.30'],
    ['unverified', { keywords: KEYWORDS }, 'permanent message 5.7.30', { trust: [] }],
    ['busy', { script: { banner: say('421 busy') } }, 'transient site 4.3.2'],
  ]
  for (const [name, peerOptions, end, options] of cases) {
    await t.test(name, async () => {
      await using peer = await startHostileServer(peerOptions)
      const room = makeRoom({ port: peer.port, authentic: ['example.com'], ...options })
      assert.deepEqual(ends(await send(room, { message })), [end])
      const mail = peer.commands[0]?.find((line) => line.startsWith('MAIL'))
      assert.equal(mail?.endsWith(' REQUIRETLS') ?? false, end === 'delivered')
      await room.close()
    })
  }
})

test('a message without demands does not ride on REQUIRETLS, nor the other way', async () => {
  await using peer = await startHostileServer({ keywords: KEYWORDS })
  const room = makeRoom({ port: peer.port, trust: [] })
  assert.deepEqual(ends(await send(room)), ['delivered'])
  const strict = await send(room, { message: { requireTls: true } })
  assert.deepEqual(ends(strict), ['permanent message 5.7.30'])
  await room.close()
})

test('a password never travels in the clear, unless the operator says so or it stays here', async (t) => {
  const login = { username: 'ann', password: 'secret' }
  const cases: [string, string[], Partial<RelayOptions>, string][] = [
    ['over TLS', ['STARTTLS', 'AUTH PLAIN'], {}, 'delivered'],
    ['loopback', ['AUTH PLAIN'], { tls: 'opportunistic' }, 'delivered'],
    ['no TLS by order', ['AUTH LOGIN'], { tls: 'none' }, 'delivered'],
    ['TLS not offered', ['AUTH PLAIN'], {}, 'transient session 4.7.5'],
    ['no way to log in', ['STARTTLS', 'AUTH CRAM-MD5'], {}, 'transient site 4.7.0'],
  ]
  for (const [name, keywords, relay, end] of cases) {
    await t.test(name, async () => {
      const plain = Buffer.from('\u0000ann\u0000secret').toString('base64')
      await using peer = await startHostileServer({
        keywords,
        script: {
          auth: ({ line, time }) => {
            if (line === `AUTH PLAIN ${plain}`) return say('235 2.7.0 ok')
            return say(time < 3 ? '334 VXNlcm5hbWU6' : '235 2.7.0 ok')
          },
        },
      })
      const room = relayRoom(peer.port, { ...login, ...relay })
      assert.deepEqual(ends(await send(room)), [end])
      await room.close()
    })
  }
})

test('a wrong password defers, and says so without telling it', async () => {
  const script = { auth: say('535 5.7.8 bad credentials') }
  await using peer = await startHostileServer({ keywords: ['STARTTLS', 'AUTH PLAIN'], script })
  const room = relayRoom(peer.port, { username: 'ann', password: 'secret' })
  const attempt = await send(room)
  assert.deepEqual(ends(attempt), ['transient site 4.7.8'])
  assert.doesNotMatch(JSON.stringify([...attempt.outcomes]), /secret|AGFubgBzZWNyZXQ=/)
  await room.close()
})
