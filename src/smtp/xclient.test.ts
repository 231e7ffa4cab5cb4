import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openListener, PASSWORD } from '../../test/support/listener.ts'
import { converse, Peer } from '../../test/support/transcript.ts'
import { parseXclient } from '../mail/xclient.ts'

const READ: readonly (readonly [string, unknown])[] = [
  ['ADDR=192.0.2.1 PORT=1025', { address: '192.0.2.1', port: 1025 }],
  ['addr=IPV6:2001:DB8::1 proto=esmtp', { address: '2001:db8::1', esmtp: true }],
  ['ADDR=::ffff:192.0.2.1', { address: '192.0.2.1' }],
  ['NAME=spike.example ADDR=[UNAVAILABLE] LOGIN=[UNAVAILABLE]', { address: null, login: null }],
  ['NAME=[TEMPUNAVAIL] HELO=a+2Bb LOGIN=app+3Dx', { helloName: 'a+b', login: 'app=x' }],
  ['DESTADDR=198.51.100.1 DESTPORT=25 PROTO=SMTP', { esmtp: false }],
  ['', 'XCLIENT needs an attribute'],
  ['ADDR', 'an attribute cannot be read'],
  ['ADDR=', 'ADDR has no value'],
  ['ADDR=host.example', 'ADDR cannot be read'],
  ['ADDR=fe80::1%eth0', 'ADDR cannot be read'],
  ['PORT=65536', 'PORT cannot be read'],
  ['PROTO=HTTP', 'PROTO cannot be read'],
  ['ADDR=192.0.2.1 ADDR=192.0.2.2', 'ADDR is given twice'],
  ['LOGIN=a+0D+0Ab', 'LOGIN has no value'],
  ['COLOUR=red', 'COLOUR cannot be read'],
]

test('attributes are read, or it is said what is wrong', () => {
  for (const [text, expected] of READ) assert.deepEqual(parseXclient(text), expected, text)
})

const LETTER = `
  C: MAIL FROM:<a@example.com>
  C: RCPT TO:<b@example.org>
  C: DATA
  S: 250 *
  S: 250 *
  S: 354 *
  C: Subject: x
  C:
  C: hello
  C: .
  S: 250 *`
const HELLO = `
  C: EHLO proxy.test
  S: ...
  S: 250 *`

test('a session begins anew as that of the client that is named', async () => {
  await using place = await openListener({ mayXclient: () => true }).then(disposable)
  await converse(
    place.port,
    `S: 220 *
    C: EHLO proxy.test
    S: ...
    S: 250 XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT
    C: XCLIENT NAME=spike.example ADDR=192.0.2.9 PORT=4711 HELO=spike.example PROTO=SMTP
    S: 220 mx.example.com ESMTP *
    C: MAIL FROM:<a@example.com>
    S: 503 5.5.1 *${HELLO}${LETTER}
    C: XCLIENT ADDR=192.0.2.10 LOGIN=app
    S: 220 *${HELLO}${LETTER}
    C: XCLIENT ADDR=[UNAVAILABLE]
    S: 220 *${HELLO}${LETTER}
    C: MAIL FROM:<a@example.com>
    S: 250 *
    C: XCLIENT ADDR=192.0.2.11
    S: 503 5.5.1 *
    C: RSET
    S: 250 *
    C: XCLIENT ADDR=nobody
    S: 501 5.5.4 *
    C: NOOP
    S: 250 *`,
  )
  const seen = place.received.map(({ client: { listener, port, session, ...rest } }) => rest)
  assert.deepEqual(seen, [
    { address: '192.0.2.9', helloName: 'spike.example', esmtp: false },
    { address: '192.0.2.10', helloName: 'proxy.test', esmtp: true, credential: 'app' },
    { address: 'unknown', helloName: 'proxy.test', esmtp: true },
  ])
})

test('a stranger hears no, is logged with its address, and stays who it is', async () => {
  const refused: string[] = []
  await using place = await openListener({
    mayXclient: (address) => address === '127.0.0.9',
    events: { onRefusal: ({ address }, { verb }) => refused.push(`${address} ${verb}`) },
  }).then(disposable)
  const heard = await converse(
    place.port,
    `S: 220 *${HELLO}
    C: XCLIENT ADDR=10.0.0.1 LOGIN=app
    S: 550 5.7.0 *127.0.0.1${LETTER}`,
  )
  assert.ok(!heard.includes('250-XCLIENT') && !heard.includes('250 XCLIENT'))
  assert.deepEqual(refused, ['127.0.0.1 XCLIENT'])
  assert.equal(place.received[0]?.client.address, '127.0.0.1')
  assert.equal(place.received[0]?.client.credential, undefined)
})

test('who is named by XCLIENT cannot name another one by claiming the address of a proxy', async () => {
  await using place = await openListener({
    isProxy: () => true,
    mayXclient: (address) => address === '127.0.0.1',
  }).then(disposable)
  await converse(
    place.port,
    `R: PROXY TCP4 192.0.2.1 198.51.100.1 1 25\\r\\n
    S: 220 *
    C: XCLIENT ADDR=127.0.0.1
    S: 550 5.7.0 *192.0.2.1`,
  )
})

test('TLS after XCLIENT forgets what was said, but not who the client is', async () => {
  await using place = await openListener({ mayXclient: () => true, tls: 'starttls' }).then(
    disposable,
  )
  await converse(
    place.port,
    `S: 220 *
    C: XCLIENT ADDR=192.0.2.9 LOGIN=app HELO=spike.example
    S: 220 *${HELLO}
    C: STARTTLS
    S: 220 *
    T:${HELLO}
    C: AUTH PLAIN ${Buffer.from(`\0app\0${PASSWORD}`).toString('base64')}
    S: 235 *${LETTER}`,
  )
  const { address, helloName, credential } = place.received[0]!.client
  assert.deepEqual([address, helloName, credential], ['192.0.2.9', 'proxy.test', 'app'])
})

test('sessions are counted under the address that is named', async () => {
  await using place = await openListener({
    mayXclient: () => true,
    slots: { perAddress: 2, total: 10 },
  }).then(disposable)
  const peers = [new Peer(place.port), new Peer(place.port)]
  for (const peer of peers) {
    await peer.expect('220 *')
    await peer.say('XCLIENT ADDR=192.0.2.9\r\n')
    await peer.expect('220 *')
  }
  await converse(place.port, 'S: 220 *\nC: XCLIENT ADDR=192.0.2.9\nS: 421 *\nS: (closed)')
  for (const peer of peers) peer.leave()
})

test('a credential that may not be used from there is refused', async () => {
  await using place = await openListener({
    mayXclient: () => true,
    service: { admits: ({ address }) => address === '192.0.2.9' },
  }).then(disposable)
  await converse(
    place.port,
    `S: 220 *
    C: XCLIENT ADDR=192.0.2.10 LOGIN=app
    S: 550 5.7.1 *
    C: XCLIENT ADDR=192.0.2.9 LOGIN=app
    S: 220 *`,
  )
})

type Opened = Awaited<ReturnType<typeof openListener>>
function disposable(place: Opened): Opened & AsyncDisposable {
  return { ...place, [Symbol.asyncDispose]: () => place.listener[Symbol.asyncDispose]() }
}
