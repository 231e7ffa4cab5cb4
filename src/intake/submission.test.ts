import assert from 'node:assert/strict'
import { afterEach, before, describe, it } from 'node:test'
import { openListener, type TestListener } from '../../test/support/listener.ts'
import { converse } from '../../test/support/transcript.ts'
import { KeyRing, makeSandboxKey } from '../dkim/keyring.ts'
import type { SigningKey } from '../dkim/sign.ts'
import type { Domain } from '../mail/domain.ts'
import { formatMessageId, type MessageId } from '../mail/message.ts'
import { systemClock } from '../std/clock.ts'
import { silentLog } from '../std/log.ts'
import type { NewMessage } from '../store/store.ts'
import { createIntake, defaultIntakeLimits } from './accept.ts'
import { Credentials } from './credentials.ts'
import { isIn, networkList } from './networks.ts'
import { hashPassword } from './password.ts'
import { submissionService } from './submission.ts'

let sandboxKey: SigningKey
let credentials: Credentials
before(async () => {
  sandboxKey = await makeSandboxKey()
  const hash = await hashPassword('N0replyuserP@ssw0rd')
  credentials = new Credentials([{ name: 'no-reply', hash, domains: [], createdAt: 0 }])
})

let open: TestListener | undefined
afterEach(() => open?.listener[Symbol.asyncDispose]())

async function listener(trustedNetworks: readonly string[]) {
  const queued: NewMessage[] = []
  let id = 1_000
  const ring = new KeyRing()
  const intake = createIntake({
    store: {
      nextMessageId: () => ++id as MessageId,
      putContent: () => Promise.resolve(),
      discardContent: () => Promise.resolve(),
      commit: () => Promise.resolve(),
    },
    clock: systemClock,
    log: silentLog,
    hostname: 'mx.example.com' as Domain,
    limits: defaultIntakeLimits,
    rights: {
      mode: 'sandbox',
      worldOf: () => undefined,
      keysFor: (domain) => ring.keysFor(domain),
      sandboxKeys: (domain) => ({ domain, keys: [sandboxKey] }),
      grantOf: (name) => credentials.grantOf(name),
    },
    nonce: 'n0nce',
    siteOf: ({ domain }) => domain,
    onAccepted: (message) => queued.push(message),
  })
  const service = submissionService({
    accept: intake.accept,
    credentials,
    listeners: new Map([['test', { trustedNetworks }]]),
    addressLiterals: false,
  })
  open = await openListener({ service })
  return { port: open.port, queued }
}

const PLAIN = Buffer.from('\0no-reply\0N0replyuserP@ssw0rd').toString('base64')

describe('a client', () => {
  it('types a message without any header into nc, after AUTH PLAIN', async () => {
    const { port, queued } = await listener([])
    const heard = await converse(
      port,
      `S: 220 *
       C: ehlo localhost
       S: ...
       S: 250 *
       C: auth plain ${PLAIN}
       S: 235 2.7.0 Authentication successful
       C: mail from: no-reply@mydomain.ru
       S: 250 2.1.0 Ok
       C: rcpt to: mymail@yandex.ru
       S: 250 2.1.5 Ok
       C: data
       S: 354 End data with <CR><LF>.<CR><LF>
       C:
       C: TestMessage
       C: Ignore
       C: .
       S: 250 2.0.0 Ok: queued as *
       C: quit
       S: 221 2.0.0 Bye`,
    )
    const [newMessage] = queued
    assert.ok(newMessage)
    assert.match(heard, new RegExp(`queued as ${formatMessageId(newMessage.message.id)}\r\n`))
    assert.equal(Buffer.concat(newMessage.rows).toString(), '\r\nTestMessage\r\nIgnore\r\n')
    const { prefix, sender, fromDomain } = newMessage.message
    assert.match(prefix, /^From: no-reply@mydomain\.ru\r$/m)
    assert.match(prefix, /^Message-ID: <\S+@mydomain\.ru>\r$/m)
    assert.match(prefix, /^DKIM-Signature: [\s\S]* d=mydomain\.ru; s=sandbox;/)
    assert.match(
      prefix,
      /^Received: from localhost \(\[127\.0\.0\.1\]\) by mx\.example\.com with ESMTPA/m,
    )
    assert.deepEqual(sender, { kind: 'credential', name: 'no-reply' })
    assert.equal(fromDomain, 'mydomain.ru')
  })

  it('from a trusted network needs no password', async () => {
    const { port, queued } = await listener(['127.0.0.0/8'])
    await converse(
      port,
      `S: 220 *
       C: HELO app
       S: 250 *
       C: MAIL FROM:<a@some.example>
       S: 250 *
       C: RCPT TO:<b@other.example>
       S: 250 *
       C: RCPT TO:<postmaster>
       S: 250 *
       C: DATA
       S: 354 *
       C: From: a@some.example
       C: Subject: two
       C:
       C: text
       C: .
       S: 250 2.0.0 Ok: queued as *`,
    )
    assert.deepEqual(queued[0]!.message.sender, { kind: 'network', address: '127.0.0.1' })
    assert.match(queued[0]!.message.prefix, /with SMTP id/)
    assert.equal(queued[0]!.entries.length, 2)
  })

  it('from elsewhere hears what to do', async () => {
    const { port } = await listener(['10.0.0.0/8', '::1'])
    await converse(
      port,
      `S: 220 *
       C: EHLO app
       S: ...
       S: 250 *
       C: MAIL FROM:<a@some.example>
       S: 530-5.7.0 Authentication required: 127.0.0.1 is not in a trusted network.
       S: 530-5.7.0 Log in with AUTH *
       S: 530 5.7.0 or add *
       C: AUTH PLAIN ${Buffer.from('\0no-reply\0wrong').toString('base64')}
       S: 535 5.7.8 *`,
    )
  })

  it('hears what is wrong with its recipients and its message, and can go on', async () => {
    const { port, queued } = await listener(['127.0.0.1'])
    await converse(
      port,
      `S: 220 *
       C: EHLO app
       S: ...
       S: 250 *
       C: MAIL FROM:<a@some.example>
       S: 250 *
       C: RCPT TO:<b@[192.0.2.1]>
       S: 550 5.1.2 *
       C: RCPT TO:<b@other.example>
       S: 250 *
       C: DATA
       S: 354 *
       C: From: a@some.example
       C: From: c@some.example
       C:
       C: text
       C: .
       S: 550 5.6.0 Two From fields with different text. Fix: leave one
       C: MAIL FROM:<a@some.example>
       S: 250 *
       C: RCPT TO:<b@other.example>
       S: 250 *
       C: DATA
       S: 354 *
       C: From: a@some.example
       C:
       C: text
       C: .
       S: 250 *`,
    )
    assert.equal(queued.length, 1)
  })
})

describe('networks', () => {
  const table: [string, string, boolean][] = [
    ['127.0.0.0/8', '127.9.9.9', true],
    ['127.0.0.0/8', '128.0.0.1', false],
    ['127.0.0.0/8', '::ffff:127.0.0.1', true],
    ['::ffff:127.0.0.0/104', '127.0.0.1', true],
    ['[::ffff:127.0.0.0]/104', '128.0.0.1', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['::1', '::1', true],
    ['[::1]/128', '127.0.0.1', false],
    ['fd00::/8', 'fd12::1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/8', 'nonsense', false],
  ]
  for (const [network, address, inside] of table) {
    it(`${network} ${inside ? 'has' : 'has not'} ${address}`, () => {
      assert.equal(isIn(networkList([network]), address), inside)
    })
  }
  for (const bad of [
    '',
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/8/9',
    '10.0.0.0/x',
    '::/129',
    '::ffff:1.2.3.4/64',
    '10.0.0.0/',
  ]) {
    it(`${JSON.stringify(bad)} is none`, () => {
      assert.throws(() => networkList([bad]), TypeError)
    })
  }
})
