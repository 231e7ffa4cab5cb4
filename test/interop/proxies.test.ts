// HAProxy between clients and us: it names them in both versions of the PROXY protocol, before TLS
// too, and looks itself whether we live. Clients differ by their address on loopback.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type PosthornHere, startHere } from '../support/posthorn.ts'
import { freePort, missing, opened, run, temporaryFolder, until } from '../support/tools.ts'
import { converse } from '../support/transcript.ts'

const FRIEND = '127.0.0.5'
const STRANGER = '127.0.0.6'

const SETTINGS = {
  networks: [FRIEND],
  tls: { certificate: 'certificate.pem', key: 'key.pem' },
  smtp: { port: 0, proxy_protocol: ['127.0.0.1'] },
  listeners: {
    submissions: {
      address: '127.0.0.1',
      port: 0,
      tls: 'implicit',
      auth: 'optional',
      proxy_protocol: ['127.0.0.1'],
    },
  },
}

/** A listening port of HAProxy, where it leads, and how the server behind it is written. */
type Way = readonly [port: number, target: number, options: string]

async function haproxy(ways: readonly Way[]): Promise<AsyncDisposable & { said(): string }> {
  const folder = temporaryFolder()
  const sections = ways.map(
    ([port, target, options], i) =>
      `listen way${i}\n bind 127.0.0.1:${port}\n server us 127.0.0.1:${target} ${options}\n`,
  )
  const head = [
    'global',
    ' maxconn 100',
    'defaults',
    ' mode tcp',
    ' timeout connect 5s',
    ' timeout client 20s',
    ' timeout server 20s',
    ' timeout check 5s',
    '',
  ]
  const path = join(folder.path, 'haproxy.cfg')
  writeFileSync(path, `${head.join('\n')}${sections.join('')}`)
  const child = spawn('/usr/sbin/haproxy', ['-db', '-f', path], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data))
  const ended = new Promise((resolve) => child.once('close', resolve))
  for (const [port] of ways) await opened(port)
  return {
    said: () => text,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      folder[Symbol.dispose]()
    },
  }
}

const LETTER = `
  C: MAIL FROM:<a@example.test>
  C: RCPT TO:<b@example.org>
  C: DATA
  S: 250 *
  S: 250 *
  S: 354 *
  C: From: a@example.test
  C: Subject: by proxy
  C:
  C: hello
  C: .
  S: 250 2.0.0 Ok: queued as *`

const hello = 'S: 220 *\nC: EHLO client.test\nS: ...\nS: 250 *\n'

/** A friend may send and is told of in Received; a stranger behind the same proxy may not. */
async function check(us: PosthornHere, port: number, implicitTls: boolean): Promise<void> {
  const before = (await us.captured()).length
  await converse(port, `${hello}${LETTER}`, { localAddress: FRIEND, implicitTls })
  const captured = await until(async () => {
    const all = await us.captured()
    return all.length > before && all[0]
  }, 'the message is captured')
  assert.match(await us.raw(captured.id), /^Received: from client\.test \(\[127\.0\.0\.5\]\)/m)
  const refused = `${hello}C: MAIL FROM:<a@example.test>\nS: 530-5.7.0 *${STRANGER}*`
  await converse(port, refused, { localAddress: STRANGER, implicitTls })
}

describe('HAProxy in front', { skip: missing('haproxy') }, () => {
  it('names clients with send-proxy and send-proxy-v2, in the clear and before TLS, and sees that we live', async () => {
    await using us = await startHere(SETTINGS)
    const [one, two, three, four] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ]
    const tls = us.ports.submissions!
    await using proxy = await haproxy([
      [one, us.port, 'send-proxy'],
      [two, us.port, 'send-proxy-v2 proxy-v2-options unique-id,crc32c check inter 200ms'],
      [three, tls, 'send-proxy-v2 check check-ssl verify none inter 200ms'],
      [four, tls, 'send-proxy check-send-proxy check inter 200ms'],
    ])
    await check(us, one, false)
    await check(us, two, false)
    await check(us, three, true)
    await check(us, four, true)
    assert.doesNotMatch(proxy.said(), /is DOWN|no server available/)
  })

  it('who comes past it, or comes from elsewhere with a header of his own, gets nothing', async () => {
    await using us = await startHere(SETTINGS)
    const forged = `R: PROXY TCP4 ${FRIEND} 127.0.0.1 1 25\\r\\n
      S: 220 *
      S: 554 5.7.0 *
      S: (closed)`
    await converse(us.port, forged, { localAddress: STRANGER })
    await converse(us.port, 'R: EHLO x\\r\\n\nS: 554 5.5.0 *PROXY*\nS: (closed)')
    const lines = await until(() => {
      const all = us.log().filter(({ client }) => client === STRANGER || client === '127.0.0.1')
      return all.length >= 2 && all
    }, 'both are in the log')
    assert.ok(lines.some(({ client }) => client === STRANGER))
  })
})

describe('swaks as a proxy', { skip: missing('swaks') }, () => {
  it('names the client with XCLIENT, where it may', async () => {
    const listeners = { other: { address: '127.0.0.1', port: 0 } }
    await using us = await startHere({
      networks: [FRIEND],
      smtp: { port: 0, xclient_networks: ['127.0.0.1'] },
      listeners,
    })
    const swaks = (port: number, address: string) =>
      run('swaks', [
        ...['--server', `127.0.0.1:${port}`, '--from', 'a@example.test', '--to', 'b@example.org'],
        ...[
          '--xclient-addr',
          address,
          '--xclient-name',
          'spike.example',
          '--xclient-helo',
          'spike',
        ],
      ])
    const taken = await swaks(us.port, FRIEND)
    assert.equal(taken.code, 0, taken.out)
    const [captured] = await until(async () => {
      const all = await us.captured()
      return all.length > 0 && all
    }, 'the message is captured')
    assert.match(await us.raw(captured!.id), /^Received: from spike \(\[127\.0\.0\.5\]\)/m)
    const stranger = await swaks(us.port, STRANGER)
    assert.match(stranger.out, /530.5\.7\.0 .*127\.0\.0\.6/)
    const refused = await swaks(us.ports.other!, FRIEND)
    assert.notEqual(refused.code, 0)
    assert.doesNotMatch(refused.out, /queued as/)
  })
})
