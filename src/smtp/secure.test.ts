import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { testCertificate, testKey } from '../../test/support/certificate.ts'
import { openListener, PASSWORD, type TestListener } from '../../test/support/listener.ts'
import { converse, Peer } from '../../test/support/transcript.ts'
import { serverCertificate } from './tls.ts'

let submission: TestListener
let submissions: TestListener
let plain: TestListener
before(async () => {
  const strict = { requireAuth: true, authWithoutTls: false }
  submission = await openListener({ ...strict, tls: 'starttls' })
  submissions = await openListener({ ...strict, tls: 'implicit' })
  plain = await openListener()
})
after(async () => {
  for (const { listener } of [submission, submissions, plain]) await listener.drain(0)
})

const base64 = (text: string) => Buffer.from(text).toString('base64')
const PLAIN = base64(`\0app\0${PASSWORD}`)
const HELLO = `
  S: 220 *
  C: EHLO a.example
  S: ...
  S: 250 LIMITS*`

test('STARTTLS: nothing is offered or allowed before, and everything is forgotten after', async () => {
  await converse(
    submission.port,
    `
  S: 220 *
  C: EHLO a.example
  S: 250-mx.example.com
  S: 250-PIPELINING
  S: 250-SIZE 26214400
  S: 250-STARTTLS
  S: 250-ENHANCEDSTATUSCODES
  S: ...
  S: 250 LIMITS*
  C: MAIL FROM:<>
  S: 530 5.7.0 Error: must issue a STARTTLS command first
  C: AUTH PLAIN ${PLAIN}
  S: 538 5.7.11 Error: send STARTTLS first, then AUTH
  C: STARTTLS
  S: 220 2.0.0 Ready to start TLS
  T:
  C: MAIL FROM:<>
  S: 503 5.5.1 Error: send EHLO or HELO first
  C: EHLO b.example
  S: 250-mx.example.com
  S: 250-PIPELINING
  S: 250-SIZE 26214400
  S: 250-AUTH PLAIN LOGIN
  S: ...
  S: 250-REQUIRETLS
  S: 250 LIMITS*
  C: STARTTLS
  S: 503 5.5.1 Error: TLS is active already
  C: MAIL FROM:<>
  S: 530 5.7.0 Error: authentication required
  C: AUTH PLAIN ${PLAIN}
  S: 235 2.7.0 Authentication successful
  C: AUTH PLAIN ${PLAIN}
  S: 503 5.5.1 Error: already authenticated
  C: MAIL FROM:<> REQUIRETLS
  S: 250 2.1.0 Ok
  C: STARTTLS
  S: 503 5.5.1 Error: a mail transaction is in progress
  C: RCPT TO:<b@example.org>
  S: 250 2.1.5 Ok
  C: DATA
  S: 354 *
  C: .
  S: 250 2.0.0 *
  C: QUIT
  S: 221 2.0.0 Bye
  S: (closed)`,
  )
  const { client } = submission.received[0]!
  assert.equal(client.tls?.version, 'TLSv1.3')
  assert.equal(client.credential, 'app')
  assert.equal(client.helloName, 'b.example')
})

test('text glued to STARTTLS is never read, before or after the handshake', async () => {
  await converse(
    submission.port,
    `${HELLO}
  R: STARTTLS\\r\\nRSET\\r\\n
  S: 554 5.5.0 Error: text after STARTTLS
  S: (closed)`,
  )
})

test('a client that closes its side instead of a handshake is not waited for', async () => {
  const before = submission.log.length
  const peer = new Peer(submission.port)
  await peer.say('EHLO a.example\r\nSTARTTLS\r\n')
  await peer.expect('220 2.0.0 Ready to start TLS', true)
  peer.socket.end()
  await peer.expect('(closed)')
  while (submission.log.length === before) await new Promise(setImmediate)
  assert.match(`${submission.log.at(-1)?.['fault']}`, /^TLS: closed/)
})

test('TLS from the first octet', async () => {
  await converse(
    submissions.port,
    `${HELLO}\nC: AUTH PLAIN ${PLAIN}\nS: 235 *\nC: QUIT\nS: 221 *\nS: (closed)`,
    { implicitTls: true },
  )
})

test('garbage, silence and departure on a TLS port end the session and nothing else', async () => {
  const before = submissions.log.length
  for (const garbage of [
    'EHLO a\r\nQUIT\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    '\x16\x03\x01\xff\xff',
    '',
  ]) {
    const peer = new Peer(submissions.port)
    await peer.say(garbage)
    if (garbage.length < 6) peer.reset()
    while (peer.heard === '' && (await peer.line()) !== '(closed)') assert.ok(true)
    peer.leave()
  }
  while (submissions.log.length < before + 4) await new Promise(setImmediate)
  for (const line of submissions.log.slice(before)) assert.match(`${line['fault']}`, /^TLS: /)
})

test('a self-signed certificate is not offered on loopback, and an expired one nowhere', async () => {
  const certificate = serverCertificate(testKey, testCertificate, 'test')
  for (const unusable of [
    { ...certificate, untrusted: true },
    { ...certificate, notAfter: 0 },
  ]) {
    const { listener, port } = await openListener({ tls: 'starttls', certificate: unusable })
    const heard = await converse(port, `${HELLO}\nC: STARTTLS\nS: 502 5.5.1 *`)
    assert.ok(!heard.includes('STARTTLS\r\n250'))
    listener.useCertificate(certificate)
    const renewed = await converse(port, HELLO)
    assert.ok(renewed.includes('250-STARTTLS'))
    await listener.drain(0)
  }
})

const exchanges: [string, string, string][] = [
  ['PLAIN at once', `C: AUTH PLAIN ${PLAIN}`, '235 2.7.0 Authentication successful'],
  ['PLAIN after 334', `C: AUTH PLAIN\nS: 334 \nC: ${PLAIN}`, '235 2.7.0 *'],
  ['lower case', `C: auth plain ${PLAIN}`, '235 2.7.0 *'],
  [
    'LOGIN',
    `C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: ${base64('app')}\nS: 334 UGFzc3dvcmQ6\nC: ${base64(PASSWORD)}`,
    '235 2.7.0 *',
  ],
  [
    'LOGIN with the name at once',
    `C: AUTH LOGIN ${base64('app')}\nS: 334 UGFzc3dvcmQ6\nC: ${base64(PASSWORD)}`,
    '235 2.7.0 *',
  ],
  ['cancelled', 'C: AUTH LOGIN\nS: 334 *\nC: *', '501 5.7.0 Authentication cancelled'],
  ['not base64', 'C: AUTH PLAIN\nS: 334 \nC: what?', '501 5.5.2 *'],
  ['not PLAIN', `C: AUTH PLAIN ${base64('app')}`, '501 5.5.2 *'],
  ['an empty response', 'C: AUTH PLAIN =', '501 5.5.2 *'],
  ['acting as another', `C: AUTH PLAIN ${base64(`root\0app\0${PASSWORD}`)}`, '535 5.7.8 *'],
  [
    'a password with a byte order mark is another one',
    `C: AUTH PLAIN ${base64(`\0app\0\ufeff${PASSWORD}`)}`,
    '535 5.7.8 *',
  ],
  ['a wrong password', `C: AUTH PLAIN ${base64('\0app\0wrong')}`, '535 5.7.8 *'],
  ['an unknown mechanism', 'C: AUTH CRAM-MD5', '504 5.5.4 *'],
  [
    'a line that is too long',
    `C: AUTH PLAIN\nS: 334 \nC: ${'A'.repeat(13_000)}`,
    '500 5.5.6 Error: the authentication line is too long',
  ],
  [
    'a long line that is allowed',
    `C: AUTH PLAIN\nS: 334 \nC: ${'A'.repeat(12_000)}`,
    '501 5.5.2 *',
  ],
  ['in a transaction', `C: MAIL FROM:<>\nS: 250 *\nC: AUTH PLAIN ${PLAIN}`, '503 5.5.1 *'],
]
for (const [name, script, answer] of exchanges) {
  test(`AUTH: ${name}`, () =>
    converse(plain.port, `${HELLO}\n${script}\nS: ${answer}\nC: RSET\nS: 250 2.0.0 Ok`).then())
}

test('five wrong passwords end a session, and twenty of an address shut it out', async () => {
  const { listener, port } = await openListener()
  const wrong = `C: AUTH PLAIN ${base64('\0app\0guess')}`
  const session = `${HELLO}\n${`${wrong}\nS: 535 5.7.8 *\n`.repeat(4)}${wrong}\nS: 421 4.7.0 *\nS: (closed)`
  for (let i = 0; i < 4; i++) await converse(port, session)
  await converse(port, `${HELLO}\nC: AUTH PLAIN ${PLAIN}\nS: 421 4.7.0 *\nS: (closed)`)
  await listener.drain(0)
})

test('a password that cannot be checked is nobody’s fault', async () => {
  const { listener, port } = await openListener({
    service: { authenticate: () => Promise.reject(new Error('no store')) },
  })
  const attempt = `C: AUTH PLAIN ${PLAIN}\nS: 454 4.7.0 *\n`
  for (let i = 0; i < 3; i++) await converse(port, `${HELLO}\n${attempt.repeat(9)}`)
  await listener.drain(0)
})

test('whose secret is changed while he shows the old one is not let in with it', async () => {
  const door = await openListener({
    service: {
      async authenticate() {
        door.listener.revoke('app')
        return true
      },
    },
  })
  await converse(
    door.port,
    `${HELLO}\nC: AUTH PLAIN ${PLAIN}\nS: 535 5.7.8 *\nC: QUIT\nS: 221 *\nS: (closed)`,
  )
  await door.listener.drain(0)
})
