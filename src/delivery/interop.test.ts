// The same room against servers that others wrote: nodemailer's smtp-server, and Postfix's smtp-sink
// where it is installed.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { testCertificate, testKey } from '../../test/support/certificate.ts'
import { ends, makeRoom, send, TEXT } from '../../test/support/delivery.ts'
import type { RelayOptions } from './route.ts'

type Peer = AsyncDisposable & {
  readonly port: number
  readonly taken: { from: string; to: string[]; content: string; user: unknown; secure: boolean }[]
}

async function startPeer(options: SMTPServerOptions): Promise<Peer> {
  const taken: Peer['taken'] = []
  const server = new SMTPServer({
    key: testKey,
    cert: testCertificate,
    authOptional: true,
    disableReverseLookup: true,
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        taken.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map((recipient) => recipient.address),
          content: Buffer.concat(chunks).toString('utf8'),
          user: session.user || undefined,
          secure: session.secure,
        })
        callback()
      })
    },
    ...options,
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve())
  })
  const address = server.server.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    port: address.port,
    taken,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

const login = { username: 'ann', password: 'pa ss\u00e9' }

const onAuth: SMTPServerOptions['onAuth'] = (auth, _session, callback) => {
  const right = auth.username === login.username && auth.password === login.password
  if (right) callback(null, { user: login.username })
  else callback(new Error('wrong password'))
}

test('smtp-server takes mail', async (t) => {
  const cases: [string, SMTPServerOptions, Partial<RelayOptions> | undefined, string, boolean][] = [
    ['in plaintext', { disabledCommands: ['STARTTLS', 'AUTH'] }, undefined, 'delivered', false],
    ['over STARTTLS', { disabledCommands: ['AUTH'] }, undefined, 'delivered', true],
    ['without PIPELINING', { hidePIPELINING: true }, undefined, 'delivered', true],
    ['with AUTH PLAIN', { authMethods: ['PLAIN'], onAuth }, login, 'delivered', true],
    ['with AUTH LOGIN', { authMethods: ['LOGIN'], onAuth }, login, 'delivered', true],
    [
      'not with a wrong password',
      { onAuth },
      { ...login, password: 'no' },
      'transient site 4.7.8',
      true,
    ],
    [
      'over implicit TLS',
      { secure: true, onAuth },
      { ...login, tls: 'implicit' },
      'delivered',
      true,
    ],
    ['not above its SIZE', { size: 20 }, undefined, 'permanent message 5.3.4', true],
  ]
  for (const [name, options, relay, end, secure] of cases) {
    await t.test(name, async () => {
      await using peer = await startPeer(options)
      const { port } = peer
      const room = relay
        ? makeRoom({
            dns: { 'relay.test A': ['127.0.0.1'] },
            routes: { relayhost: { host: '[relay.test]', port, ...relay } },
          })
        : makeRoom({ port })
      const to = ['bob@example.com', 'eve@example.com']
      for (let i = 0; i < 2; i++) {
        const attempt = await send(room, { to })
        assert.deepEqual(ends(attempt), [end, end])
        if (end === 'delivered') assert.equal(attempt.tls !== undefined, secure)
      }
      await room.close()
      assert.equal(peer.taken.length, end === 'delivered' ? 2 : 0)
      for (const message of peer.taken) {
        assert.equal(message.content, `Received: from test\r\n${TEXT}`)
        assert.deepEqual(message.to, to)
        assert.equal(message.secure, secure)
        assert.equal(message.user, relay && login.username)
      }
    })
  }
})

test('smtp-server takes addresses and headers beyond ASCII', async () => {
  await using peer = await startPeer({ disabledCommands: ['AUTH'] })
  const room = makeRoom({ port: peer.port })
  const text = 'Subject: \u0451\u043b\u043a\u0430\r\n\r\n\u0441\u043d\u0435\u0433\r\n'
  const attempt = await send(room, {
    to: ['\u0434\u044f\u0434\u044f@example.com'],
    text,
    message: { body: '8bitmime', smtputf8: true },
  })
  assert.deepEqual(ends(attempt), ['delivered'])
  assert.deepEqual(peer.taken[0]?.to, ['\u0434\u044f\u0434\u044f@example.com'])
  assert.equal(peer.taken[0]?.content, `Received: from test\r\n${text}`)
  await room.close()
})

const SINK = '/usr/sbin/smtp-sink'
const noSink = existsSync(SINK) ? false : 'smtp-sink is not installed'

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

test('smtp-sink takes, defers and refuses mail', { skip: noSink }, async (t) => {
  const cases: [string, string[], string][] = [
    ['plain', [], 'delivered'],
    ['without PIPELINING', ['-p'], 'delivered'],
    ['without ESMTP', ['-e'], 'delivered'],
    ['hard at RCPT', ['-f', 'RCPT'], 'permanent recipient 5.3.0'],
    ['soft at RCPT', ['-r', 'RCPT'], 'transient recipient 4.3.0'],
    ['hard at the dot', ['-f', '.'], 'permanent message 5.3.0'],
    ['gone at DATA', ['-q', 'DATA'], 'transient session 4.4.2'],
    ['gone at the dot', ['-q', '.'], 'transient message 4.4.2'],
  ]
  const asUser = userInfo().uid === 0 ? ['-u', 'nobody'] : []
  for (const [name, flags, end] of cases) {
    await t.test(name, async () => {
      const port = await freePort()
      const sink = spawn(SINK, [...asUser, ...flags, `127.0.0.1:${port}`, '100'])
      try {
        while (sink.exitCode === null && !(await isOpen(port))) await pause(20)
        const room = makeRoom({ port })
        const to = ['bob@example.com', 'eve@example.com']
        for (let i = 0; i < 3; i++) assert.deepEqual(ends(await send(room, { to })), [end, end])
        await room.close()
      } finally {
        sink.kill()
      }
    })
  }
})
