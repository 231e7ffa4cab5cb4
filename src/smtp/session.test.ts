import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openListener, PASSWORD, type TestListener } from '../../test/support/listener.ts'
import { converse, Peer } from '../../test/support/transcript.ts'
import { formatMailbox } from '../mail/mailbox.ts'
import { systemClock } from '../std/clock.ts'

let open: TestListener
before(async () => {
  open = await openListener({ isTrusted: () => true })
})
after(() => open.listener.drain(0))

const HELLO = `
  S: 220 mx.example.com ESMTP Posthorn
  C: EHLO client.example.org
  S: 250-mx.example.com
  S: ...
  S: 250 LIMITS RCPTMAX=1000`

const newest = () => open.received.at(-1)!

test('the whole of an ordinary session', async () => {
  await converse(
    open.port,
    `
  S: 220 mx.example.com ESMTP Posthorn
  C: EHLO client.example.org
  S: 250-mx.example.com
  S: 250-PIPELINING
  S: 250-SIZE 26214400
  S: 250-AUTH PLAIN LOGIN
  S: 250-ENHANCEDSTATUSCODES
  S: 250-8BITMIME
  S: 250-SMTPUTF8
  S: 250-DSN
  S: 250-CHUNKING
  S: 250 LIMITS RCPTMAX=1000
  C: MAIL FROM:<anna@example.com> SIZE=1000 BODY=8BITMIME RET=HDRS ENVID=x1
  S: 250 2.1.0 Ok
  C: RCPT TO:<bob@example.org> NOTIFY=FAILURE
  S: 250 2.1.5 Ok
  C: RCPT TO:<Postmaster>
  S: 250 2.1.5 Ok
  C: DATA
  S: 354 End data with <CR><LF>.<CR><LF>
  C: Subject: one
  C: 
  C: ..dotted
  C: .
  S: 250 2.0.0 Ok: queued as *
  C: QUIT
  S: 221 2.0.0 Bye
  S: (closed)`,
  )
  const { envelope, content, client } = newest()
  assert.equal(content, 'Subject: one\r\n\r\n.dotted\r\n')
  assert.equal(client.helloName, 'client.example.org')
  assert.equal(client.esmtp, true)
  assert.deepEqual(
    envelope.recipients.map(({ mailbox }) => formatMailbox(mailbox)),
    ['bob@example.org', 'postmaster@mx.example.com'],
  )
  assert.equal(envelope.ret, 'headers')
  assert.equal('declaredSize' in envelope, false)
})

const BY_HAND = `
  S: 220 mx.example.com ESMTP Posthorn
  C: ehlo localhost
  S: 250-mx.example.com
  S: ...
  S: 250 LIMITS*
  C: auth plain ${Buffer.from(`\0app\0${PASSWORD}`).toString('base64')}
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
  S: 221 2.0.0 Bye
  S: (closed)`
for (const [name, lineEnd] of [
  ['telnet', '\r\n'],
  ['nc', '\n'],
] as const) {
  test(`a dialogue typed into ${name}`, async () => {
    await converse(open.port, BY_HAND, { lineEnd })
    assert.equal(newest().content, '\r\nTestMessage\r\nIgnore\r\n')
    assert.equal(newest().client.credential, 'app')
  })
}

test('pipelined commands are answered in order, under any segmentation', async () => {
  const script = `
  S: 220 mx.example.com ESMTP Posthorn
  C: EHLO a.example
  C: MAIL FROM:<a@example.com>
  C: RCPT TO:<nobody@example.org>
  C: RCPT TO:<b@example.org>
  C: DATA
  C: Subject: glued
  C: .
  C: MAIL FROM:<>
  C: RCPT TO:<nobody@example.org>
  C: DATA
  C: RSET
  C: NOOP
  C: VRFY b
  C: EXPN list
  C: HELP
  C: FROBNICATE
  C: QUIT
  S: 250-mx.example.com
  S: ...
  S: 250 LIMITS*
  S: 250 2.1.0 Ok
  S: 550 5.1.1 No such user
  S: 250 2.1.5 Ok
  S: 354 End data with <CR><LF>.<CR><LF>
  S: 250 2.0.0 Ok: queued as *
  S: 250 2.1.0 Ok
  S: 550 5.1.1 No such user
  S: 554 5.5.1 Error: no valid recipients
  S: 250 2.0.0 Ok
  S: 250 2.0.0 Ok
  S: 252 2.5.2 *
  S: 502 5.5.1 *
  S: 214-2.0.0 *
  S: 214 2.0.0 *
  S: 500 5.5.2 *
  S: 221 2.0.0 Bye
  S: (closed)`
  for (const segment of [1, 2, 3, 7, 40, 100_000]) {
    await converse(open.port, script, { segment })
    assert.equal(newest().content, 'Subject: glued\r\n')
  }
})

const refusals: [string, string][] = [
  ['MAIL before EHLO', 'C: MAIL FROM:<a@b.example>\nS: 503 5.5.1 Error: send EHLO or HELO first'],
  ['RCPT before MAIL', `${HELLO}\nC: RCPT TO:<a@b.example>\nS: 503 5.5.1 Error: need MAIL command`],
  ['DATA before MAIL', `${HELLO}\nC: DATA\nS: 503 5.5.1 Error: need MAIL command`],
  [
    'DATA without RCPT',
    `${HELLO}\nC: MAIL FROM:<>\nS: 250 2.1.0 Ok\nC: DATA\nS: 503 5.5.1 Error: need RCPT command`,
  ],
  [
    'MAIL twice',
    `${HELLO}\nC: MAIL FROM:<>\nS: 250 2.1.0 Ok\nC: MAIL FROM:<>\nS: 503 5.5.1 Error: nested MAIL command`,
  ],
  [
    'a declared size over the limit',
    `${HELLO}\nC: MAIL FROM:<> SIZE=99999999\nS: 552 5.3.4 Error: message too big; the limit is 26214400 octets`,
  ],
  [
    'REQUIRETLS in the clear',
    `${HELLO}\nC: MAIL FROM:<> REQUIRETLS\nS: 530 5.7.10 Error: REQUIRETLS needs a TLS session: send STARTTLS first`,
  ],
  [
    'an internationalised address without SMTPUTF8',
    `${HELLO}\nC: MAIL FROM:<анна@example.com>\nS: 553 5.6.7 Error: this address needs SMTPUTF8 in the MAIL command`,
  ],
  ['an unknown parameter', `${HELLO}\nC: MAIL FROM:<> FROB=1\nS: 555 5.5.4 *`],
  ['STARTTLS where there is none', `${HELLO}\nC: STARTTLS\nS: 502 5.5.1 Error: TLS is not offered`],
  ['STARTTLS with an argument', `${HELLO}\nC: STARTTLS now\nS: 501 5.5.4 *`],
  ['HTTP', 'C: GET / HTTP/1.1\nS: 500 5.5.2 *\nS: (closed)'],
  [
    'a line that is not UTF-8',
    'R: noop \\xff\\xfe\\r\\n\nS: 500 5.5.2 *\nC: NOOP\nS: 250 2.0.0 Ok',
  ],
  ['a byte order mark', 'R: \\xef\\xbb\\xbfNOOP\\r\\n\nS: 500 5.5.2 *\nS: (closed)'],
  ['a bare CR in a command', `${HELLO}\nR: MAIL FROM:<a\\r@b.example>\\r\\n\nS: 501 5.1.7 *`],
  ['a NUL in a command', `${HELLO}\nR: MAIL FROM:<a\\0@b.example>\\r\\n\nS: 501 5.1.7 *`],
]
for (const [name, script] of refusals) {
  test(`refused: ${name}`, async () => {
    const banner = script.startsWith('C:') || script.startsWith('R:')
    await converse(open.port, banner ? `S: 220 *\n${script}` : script)
  })
}

test('RSET, EHLO and HELO end a transaction', async () => {
  for (const command of ['RSET', 'EHLO again.example', 'HELO again.example']) {
    await converse(
      open.port,
      `${HELLO}
  C: MAIL FROM:<>
  S: 250 2.1.0 Ok
  C: RCPT TO:<a@b.example>
  S: 250 2.1.5 Ok
  C: ${command}
  C: RCPT TO:<a@b.example>
  S: ...
  S: 503 5.5.1 Error: need MAIL command`,
    )
  }
})

test('after a message, and after a refused one, the next needs its own MAIL', async () => {
  const small = await openListener({ limits: { messageOctets: 100 } })
  for (const body of ['x', 'x'.repeat(300)]) {
    await converse(
      small.port,
      `${HELLO}
  C: MAIL FROM:<>
  C: RCPT TO:<a@b.example>
  C: DATA
  C: ${body}
  C: .
  C: RCPT TO:<a@b.example>
  C: DATA
  S: 250 2.1.0 Ok
  S: 250 2.1.5 Ok
  S: 354 *
  S: ${body === 'x' ? '250 2.0.0 *' : '552 5.3.4 *'}
  S: 503 5.5.1 Error: need MAIL command
  S: 503 5.5.1 Error: need MAIL command`,
    )
  }
  assert.equal(small.received.length, 1)
  await small.listener.drain(0)
})

test('too many recipients are refused one by one, and the message still goes to the others', async () => {
  const few = await openListener({ limits: { recipients: 2 } })
  await converse(
    few.port,
    `S: 220 *
  C: HELO a.example
  S: 250 mx.example.com
  C: MAIL FROM:<>
  C: RCPT TO:<a@b.example>
  C: RCPT TO:<b@b.example>
  C: RCPT TO:<c@b.example>
  C: DATA
  C: x
  C: .
  S: 250 2.1.0 Ok
  S: 250 2.1.5 Ok
  S: 250 2.1.5 Ok
  S: 452 4.5.3 Error: too many recipients; the limit is 2
  S: 354 *
  S: 250 2.0.0 *
  C: MAIL FROM:<>
  C: RCPT TO:<a@b.example>
  C: RCPT TO:<b@b.example>
  C: RCPT TO:<c@b.example>
  C: RCPT TO:<c@b.example>
  C: RCPT TO:<c@b.example>
  S: 250 2.1.0 Ok
  S: 250 2.1.5 Ok
  S: 250 2.1.5 Ok
  S: 452 4.5.3 *
  S: 452 4.5.3 *
  S: 421 4.7.0 *
  S: (closed)`,
  )
  assert.equal(few.received[0]?.envelope.recipients.length, 2)
  assert.equal(few.received[0]?.client.esmtp, false)
  await few.listener.drain(0)
})

test('errors, junk and long lines are counted, and a message forgives them', async () => {
  const strict = await openListener({
    limits: { hardErrors: 4, softErrors: 2, junkCommands: 6, commandOctets: 100 },
  })
  const message = `
  C: MAIL FROM:<>
  C: RCPT TO:<a@b.example>
  C: DATA
  C: .
  S: 250 2.1.0 Ok
  S: 250 2.1.5 Ok
  S: 354 *
  S: 250 2.0.0 *`
  const wrong = 'C: FROB\nS: 500 5.5.2 *\n'
  await converse(
    strict.port,
    `${HELLO.replace('1000', '*')}\n${wrong.repeat(3)}${message}\n${wrong.repeat(3)}C: FROB\nS: 421 4.7.0 mx.example.com Error: too many errors\nS: (closed)`,
  )
  await converse(
    strict.port,
    `S: 220 *\n${'C: NOOP\nS: 250 2.0.0 Ok\n'.repeat(9)}C: NOOP\nS: 421 4.7.0 *\nS: (closed)`,
  )
  const long = `C: NOOP ${'x'.repeat(200)}\n`
  await converse(
    strict.port,
    `S: 220 *\n${`${long}S: 500 5.5.2 Error: line too long\n`.repeat(2)}${long}S: 421 4.7.0 *\nS: (closed)`,
  )
  const endless = new Peer(strict.port)
  await endless.say(`NOOP ${'x'.repeat(1_000_000)}`, 100_000)
  await endless.expect('220*')
  await endless.expect('500 5.5.2 Error: a line without end')
  await endless.expect('(closed)')
  await strict.listener.drain(0)
})

test('after some errors every reply waits', async () => {
  const waits: number[] = []
  const sleep = async (ms: number) => {
    waits.push(ms)
  }
  const slow = await openListener({
    clock: { ...systemClock, sleep },
    limits: { softErrors: 3, errorDelayMs: 1_000 },
  })
  await converse(
    slow.port,
    `S: 220 *\n${'C: FROB\nS: 500 5.5.2 *\n'.repeat(4)}C: NOOP\nS: 250 2.0.0 Ok`,
  )
  assert.deepEqual(waits, [1_000, 1_000, 1_000])
  await slow.listener.drain(0)
})

test('a service that fails is a temporary failure; one that refuses early is heard before 354', async () => {
  const broken = await openListener({
    service: { accept: async () => Promise.reject(new Error('disk on fire')) },
  })
  await converse(
    broken.port,
    `${HELLO}
  C: MAIL FROM:<>
  C: RCPT TO:<a@b.example>
  C: DATA
  S: 250 2.1.0 Ok
  S: 250 2.1.5 Ok
  S: 451 4.3.0 Error: local problem*
  C: BDAT 5
  C: abc
  C: NOOP
  S: 503 5.5.1 *
  S: 250 2.0.0 Ok`,
  )
  await broken.listener.drain(0)
})

test('a client that vanishes in its content is refused nothing and accepted nothing', async () => {
  const seen: unknown[] = []
  const watcher = await openListener({
    service: {
      async accept(_, __, content) {
        await content(() => undefined).catch((error) => {
          seen.push(error.name)
          throw error
        })
        return 'Ok: never'
      },
    },
  })
  const peer = new Peer(watcher.port)
  await peer.say('EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n')
  await peer.expect('354*', true)
  await peer.say('half a mess')
  peer.reset()
  while (watcher.log.length === 0) await new Promise(setImmediate)
  assert.deepEqual(seen, ['WireClosed'])
  assert.equal(watcher.log[0]?.['accepted'], 0)
  await watcher.listener.drain(0)
})

test('each session is told of at its end', async () => {
  await converse(open.port, `${HELLO}\nC: FROB\nS: 500 5.5.2 *\nC: QUIT\nS: 221 *\nS: (closed)`)
  while (!open.log.at(-1)?.['fault']) await new Promise(setImmediate)
  const { durationMs, ...line } = open.log.at(-1)!
  assert.equal(typeof durationMs, 'number')
  assert.deepEqual(line, {
    listener: 'test',
    client: '127.0.0.1',
    hello: 'client.example.org',
    tls: undefined,
    credential: undefined,
    accepted: 0,
    refused: 0,
    fault: '500 5.5.2 Unknown command: FROB; try HELP',
  })
})
