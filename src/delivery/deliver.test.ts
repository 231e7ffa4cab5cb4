import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  describe,
  ends,
  type LetterOptions,
  mailbox,
  makeBatch,
  makeRoom,
  send,
  TEXT,
} from '../../test/support/delivery.ts'
import {
  close,
  reset,
  say,
  sayAndClose,
  startHostileServer,
} from '../../test/support/hostile-server.ts'
import { parseMailbox } from '../mail/mailbox.ts'
import { systemClock } from '../std/clock.ts'

const PREFIX = 'Received: from test\r\n'
const STUFFED = `${PREFIX}${TEXT.replaceAll('\r\n.', '\r\n..')}`
const PLAIN = ['PIPELINING', 'SIZE 1000000', 'ENHANCEDSTATUSCODES']

test('a message arrives as it is, stuffed, with its prefix above', async () => {
  await using peer = await startHostileServer({ keywords: PLAIN })
  const room = makeRoom({ port: peer.port })
  const attempt = await send(room, { to: ['bob@example.com', 'eve@example.com'] })
  assert.deepEqual(ends(attempt), ['delivered', 'delivered'])
  assert.equal(attempt.host, 'mx.example.com')
  assert.equal(attempt.address, '127.0.0.1')
  assert.equal(attempt.tls, undefined)
  assert.equal(peer.messages[0]?.content, STUFFED)
  assert.deepEqual(peer.messages[0]?.to, ['<bob@example.com>', '<eve@example.com>'])
  await room.close()
})

test('commands are one write, content another', async () => {
  await using peer = await startHostileServer({ keywords: PLAIN })
  const room = makeRoom({ port: peer.port })
  await send(room)
  await send(room)
  await room.close()
  const size = PREFIX.length + TEXT.length
  const group = `MAIL FROM:<alice@example.org> SIZE=${size}\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n`
  const dot = `${STUFFED}.\r\n`
  assert.deepEqual(peer.chunks, [
    ['EHLO posthorn.example.org\r\n', group, dot, group, dot, 'QUIT\r\n'],
  ])
})

test('with CHUNKING a small message is one write, unstuffed', async () => {
  await using peer = await startHostileServer({ keywords: [...PLAIN, 'CHUNKING'] })
  const room = makeRoom({ port: peer.port })
  assert.deepEqual(ends(await send(room)), ['delivered'])
  await room.close()
  assert.equal(peer.chunks[0]?.length, 3) // EHLO, everything, QUIT
  assert.equal(peer.messages[0]?.content, `${PREFIX}${TEXT}`)
  assert.equal(peer.messages[0]?.by, 'bdat')
})

test('with CHUNKING a large message goes by DATA', async () => {
  await using peer = await startHostileServer({ keywords: [...PLAIN, 'CHUNKING'] })
  const room = makeRoom({ port: peer.port })
  const text = `Subject: x\r\n\r\n${'0123456789\r\n'.repeat(10_000)}`
  assert.deepEqual(ends(await send(room, { text })), ['delivered'])
  assert.equal(peer.messages[0]?.by, 'data')
  await room.close()
})

test('with CHUNKING refused recipients leave a clean session behind', async () => {
  await using peer = await startHostileServer({
    keywords: [...PLAIN, 'CHUNKING'],
    script: {
      rcpt: ({ time }) => (time === 1 ? say('550 5.1.1 no such user') : undefined),
      bdat: ({ time }) => (time === 1 ? say('554 5.5.1 no recipients') : undefined),
    },
  })
  const room = makeRoom({ port: peer.port })
  assert.deepEqual(ends(await send(room)), ['permanent recipient 5.1.1'])
  assert.deepEqual(ends(await send(room)), ['delivered'])
  await room.close()
  assert.equal(peer.connections, 1)
  assert.equal(peer.commands[0]?.filter((line) => line === 'RSET').length, 1)
})

test('rows are streamed, also where dots and line ends lie across them', async () => {
  await using peer = await startHostileServer({ keywords: PLAIN })
  const room = makeRoom({ port: peer.port })
  const text = `Subject: x\r\n\r\n${`${'y'.repeat(70)}\r\n.`.repeat(20_000)}end`
  const bytes = Buffer.from(text)
  const rows: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 72_001) rows.push(bytes.subarray(at, at + 72_001))
  assert.deepEqual(ends(await send(room, { rows, message: { size: 900_000 } })), ['delivered'])
  assert.equal(peer.messages[0]?.content, `${PREFIX}${text.replaceAll('\r\n.', '\r\n..')}\r\n`)
  await room.close()
})

test('each recipient has its own end', async () => {
  await using peer = await startHostileServer({
    script: {
      rcpt: ({ line }) => {
        if (line.includes('gone')) return say('550 5.1.1 no such user')
        return line.includes('grey') ? say('451 4.7.1 come back') : undefined
      },
    },
  })
  const room = makeRoom({ port: peer.port })
  const to = ['gone@example.com', 'bob@example.com', 'grey@example.com']
  const attempt = await send(room, { to })
  assert.deepEqual(ends(attempt), [
    'permanent recipient 5.1.1',
    'delivered',
    'transient recipient 4.7.1',
  ])
  await room.close()
})

test('a lone dot answers a 354 that nobody is waiting behind', async () => {
  await using peer = await startHostileServer({
    keywords: PLAIN,
    script: { rcpt: ({ time }) => (time === 1 ? say('550 5.1.1 no such user') : undefined) },
  })
  const room = makeRoom({ port: peer.port })
  assert.deepEqual(ends(await send(room)), ['permanent recipient 5.1.1'])
  assert.equal(peer.chunks[0]?.at(-1), '.\r\n')
  assert.deepEqual(ends(await send(room)), ['delivered'])
  assert.equal(peer.connections, 1)
  await room.close()
})

test('RSET comes only after a transaction that stopped half way', async () => {
  await using peer = await startHostileServer({
    keywords: PLAIN,
    script: { data: ({ time }) => (time === 1 ? say('451 4.3.0 later') : undefined) },
  })
  const room = makeRoom({ port: peer.port })
  assert.deepEqual(ends(await send(room)), ['transient message 4.3.0'])
  assert.deepEqual(ends(await send(room)), ['delivered'])
  await send(room)
  await room.close()
  const verbs = peer.commands[0]?.map((line) => line.split(' ')[0])
  const transaction = ['MAIL', 'RCPT', 'DATA']
  assert.deepEqual(verbs, [
    ...['EHLO', ...transaction, 'RSET', ...transaction, ...transaction],
    'QUIT',
  ])
})

test('what does not fit into a transaction goes in another one at once', async (t) => {
  const to = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@example.com`)
  const delivered = to.map(() => 'delivered')
  await t.test('by LIMITS RCPTMAX', async () => {
    await using peer = await startHostileServer({ keywords: [...PLAIN, 'LIMITS RCPTMAX=2'] })
    const room = makeRoom({ port: peer.port })
    assert.deepEqual(ends(await send(room, { to })), delivered)
    assert.deepEqual(
      peer.messages.map((message) => message.to.length),
      [2, 2, 1],
    )
    assert.equal(peer.connections, 1)
    await room.close()
  })
  await t.test('by LIMITS MAILMAX, in another session', async () => {
    const keywords = [...PLAIN, 'LIMITS RCPTMAX=2 MAILMAX=1']
    await using peer = await startHostileServer({ keywords })
    const room = makeRoom({ port: peer.port })
    assert.deepEqual(ends(await send(room, { to })), delivered)
    assert.equal(peer.connections, 3)
    await room.close()
  })
  await t.test('by 452 4.5.3', async () => {
    await using peer = await startHostileServer({
      script: {
        rcpt: ({ time }) => (time > 2 && time < 6 ? say('452 4.5.3 too many') : undefined),
      },
    })
    const room = makeRoom({ port: peer.port })
    assert.deepEqual(ends(await send(room, { to })), delivered)
    await room.close()
  })
})

test('what a message needs and the peer lacks is known before it is sent', async (t) => {
  await using peer = await startHostileServer({ keywords: ['PIPELINING', 'SIZE 50'] })
  const room = makeRoom({ port: peer.port })
  const cases: [string, LetterOptions, string][] = [
    ['too large', { message: { size: 51 } }, 'permanent message 5.3.4'],
    ['a local part beyond ASCII', { to: ['дядя@example.com'] }, 'permanent message 5.6.7'],
    [
      'a header beyond ASCII',
      { message: { smtputf8: true }, text: 'Subject: ё\r\n\r\n' },
      'permanent message 5.6.7',
    ],
    [
      'SMTPUTF8 allowed but not needed',
      { message: { smtputf8: true, size: 9 }, text: 'A: b\r\n\r\nё\r\n' },
      'delivered',
    ],
    ['8-bit content, sent as it is', { message: { body: '8bitmime', size: 9 } }, 'delivered'],
  ]
  for (const [name, letter, end] of cases) {
    await t.test(name, async () => {
      const message = { size: 20, ...letter.message }
      assert.deepEqual(ends(await send(room, { ...letter, message })), [end])
    })
  }
  await room.close()
  assert.equal(peer.messages.length, 2)
  assert.ok(peer.commands.flat().every((line) => !/SMTPUTF8|8BITMIME/.test(line)))
})

test('parameters travel where the peer takes them', async () => {
  const keywords = [...PLAIN, '8BITMIME', 'SMTPUTF8', 'DSN']
  await using peer = await startHostileServer({ keywords })
  const room = makeRoom({ port: peer.port })
  const attempt = await send(room, {
    to: [
      {
        mailbox: mailbox('дядя@example.com'),
        notify: { success: true, failure: true, delay: false },
        originalRecipient: 'rfc822;a+b@example.net',
      },
    ],
    message: { size: 70, body: '8bitmime', smtputf8: true, ret: 'headers', envelopeId: 'a b' },
  })
  assert.deepEqual(ends(attempt), ['delivered'])
  assert.equal(attempt.peerReports, true)
  assert.deepEqual(peer.commands[0]?.slice(1, 3), [
    'MAIL FROM:<alice@example.org> SIZE=70 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+20b',
    'RCPT TO:<дядя@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb@example.net',
  ])
  await room.close()
})

test('what is left of the sender’s time and his urgency travel on where they are known', async () => {
  const clock = { ...systemClock, now: () => 1_000_000 }
  const deliverBy = { at: 1_000_000 + 90_500, mode: 'return', trace: true } as const
  const message = { deliverBy, priority: 3 }
  for (const [extra, mail, by] of [
    [['DELIVERBY 60', 'MT-PRIORITY MIXER'], ' BY=90;RT MT-PRIORITY=3', true],
    [['DELIVERBY 60', 'CHUNKING'], ' BY=90;RT', true],
    [[], '', undefined],
  ] as const) {
    await using peer = await startHostileServer({ keywords: ['PIPELINING', ...extra] })
    const room = makeRoom({ port: peer.port, clock })
    const attempt = await send(room, { message })
    assert.deepEqual(ends(attempt), ['delivered'])
    assert.equal(attempt.peerDeliversBy, by)
    assert.equal(peer.commands[0]?.[1], `MAIL FROM:<alice@example.org>${mail}`)
    const tunnels = peer.messages[0]?.content.toString().startsWith('MT-Priority: 3\r\nReceived:')
    assert.equal(tunnels, !mail.includes('MT-'))
    await room.close()
  }
})

test('nothing is passed on that will be late', async () => {
  const clock = { ...systemClock, now: () => 1_000_000 }
  await using peer = await startHostileServer({ keywords: ['PIPELINING', 'DELIVERBY 120'] })
  const room = makeRoom({ port: peer.port, clock })
  for (const [left, mode, end] of [
    [90_000, 'return', 'permanent message 5.4.7'],
    [-1_000, 'return', 'permanent message 5.4.7'],
    [150_000, 'return', 'delivered'],
    [-1_000, 'notify', 'delivered'],
  ] as const) {
    const deliverBy = { at: 1_000_000 + left, mode, trace: false }
    assert.deepEqual(ends(await send(room, { message: { deliverBy } })), [end])
  }
  await room.close()
  assert.equal(peer.messages.length, 2)
})

test('the empty reverse-path is written as <>', async () => {
  await using peer = await startHostileServer({ keywords: ['PIPELINING'] })
  const room = makeRoom({ port: peer.port })
  await send(room, { message: { reversePath: null } })
  assert.equal(peer.commands[0]?.[1], 'MAIL FROM:<>')
  await room.close()
})

test('content that must not leave does not leave', async (t) => {
  for (const keywords of [PLAIN, [...PLAIN, 'CHUNKING']]) {
    for (const text of ['a\n.\r\nb\r\n', 'a\r.\r\n', 'a\u0000b\r\n', 'a\r']) {
      await t.test(`${JSON.stringify(text)} ${keywords.at(-1)}`, async () => {
        await using peer = await startHostileServer({ keywords })
        const room = makeRoom({ port: peer.port })
        assert.deepEqual(ends(await send(room, { text })), ['permanent message 5.6.0'])
        assert.equal(peer.messages.length, 0)
        await room.close()
      })
    }
  }
})

test('content that cannot be read defers the message and spoils no session', async () => {
  await using peer = await startHostileServer({ keywords: PLAIN })
  const room = makeRoom({ port: peer.port })
  const unreadable = { ...makeBatch(), content: () => Promise.reject(new Error('disk')) }
  const signal = new AbortController().signal
  assert.deepEqual(ends(await room.deliver(unreadable, signal)), ['transient message 4.3.0'])
  const breaking = {
    ...makeBatch(),
    content: async () => ({
      size: 10,
      async *rows() {
        yield Buffer.from('Subject: x\r\n')
        throw new Error('disk')
      },
    }),
  }
  assert.deepEqual(ends(await room.deliver(breaking, signal)), ['transient message 4.3.0'])
  assert.deepEqual(ends(await send(room)), ['delivered'])
  assert.equal(peer.messages.length, 1)
  await room.close()
})

test('a peer that has had enough of the content is heard', async () => {
  const text = Buffer.from(`${'x'.repeat(76)}\r\n`.repeat(3_000))
  await using peer = await startHostileServer({
    keywords: ['PIPELINING'],
    script: { data: sayAndClose('354 go\r\n552 5.3.4 that is too much') },
  })
  const room = makeRoom({ port: peer.port })
  const rows = new Array(40).fill(text)
  assert.deepEqual(ends(await send(room, { rows })), ['permanent message 5.3.4'])
  await room.close()
})

test('the note of a lost reply says that the message may come twice', async () => {
  await using peer = await startHostileServer({ script: { content: reset } })
  const room = makeRoom({ port: peer.port })
  const attempt = await send(room)
  const outcome = attempt.outcomes.get(0)
  assert.equal(outcome && describe(outcome), 'transient message 4.4.2')
  const cause = outcome?.kind === 'failed' ? outcome.failure.cause : undefined
  assert.match(cause && 'text' in cause ? cause.text : '', /may be sent twice/)
  await room.close()
})

test('an attempt that is stopped ends at once, and everyone is deferred', async () => {
  await using peer = await startHostileServer({ script: { rcpt: { kind: 'stall' } } })
  const room = makeRoom({ port: peer.port })
  const stop = new AbortController()
  const running = send(room, { to: ['a@example.com', 'b@example.com'] }, stop.signal)
  while (!peer.commands[0]?.some((line) => line.startsWith('RCPT'))) await new Promise(setImmediate)
  stop.abort()
  assert.deepEqual(ends(await running), ['transient session 4.3.2', 'transient session 4.3.2'])
  assert.deepEqual(ends(await send(room, {}, stop.signal)), ['transient message 4.3.2'])
  assert.equal(peer.connections, 1)
  await room.close()
})

test('an address literal needs no DNS', async () => {
  await using peer = await startHostileServer({})
  const room = makeRoom({ port: peer.port, dns: {} })
  assert.ok(parseMailbox('bob@[127.0.0.1]'))
  assert.deepEqual(ends(await send(room, { to: ['bob@[127.0.0.1]'] })), ['delivered'])
  await room.close()
})

test('nothing is concluded from a peer that says 250 and goes', async () => {
  await using peer = await startHostileServer({
    script: { content: sayAndClose('250 2.0.0 ok'), quit: close },
  })
  const room = makeRoom({ port: peer.port })
  assert.deepEqual(ends(await send(room)), ['delivered'])
  assert.deepEqual(ends(await send(room)), ['delivered'])
  assert.equal(peer.messages.length, 2)
  await room.close()
})
