// What clients get wrong, by mistake or on purpose: the standard's reply, and nothing in the queue.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type PosthornHere, startHere } from '../support/posthorn.ts'
import { send } from '../support/talk.ts'
import { until } from '../support/tools.ts'
import { converse, Peer } from '../support/transcript.ts'

let posthorn: PosthornHere
before(async () => {
  posthorn = await startHere()
})
after(() => posthorn?.[Symbol.asyncDispose]())

const HELLO = 'S: 220 *\nC: EHLO client.test\nS: ...\nS: 250 *'
const MAIL = 'C: MAIL FROM:<a@b.test>\nS: 250 *'
const RCPT = 'C: RCPT TO:<c@d.test>\nS: 250 *'

const scripts: [string, string][] = [
  ['an unknown command', `${HELLO}\nC: FROB\nS: 500 5.5.2 *`],
  ['a browser', 'S: 220 *\nC: GET / HTTP/1.1\nS: 5* *\nS: (closed)'],
  ['MAIL before EHLO', 'S: 220 *\nC: MAIL FROM:<a@b.test>\nS: 503 5.5.1 *'],
  ['RCPT before MAIL', `${HELLO}\nC: RCPT TO:<c@d.test>\nS: 503 5.5.1 *`],
  ['DATA before RCPT', `${HELLO}\n${MAIL}\nC: DATA\nS: 503 5.5.1 *`],
  ['a second MAIL', `${HELLO}\n${MAIL}\nC: MAIL FROM:<e@f.test>\nS: 503 5.5.1 *`],
  [
    'BDAT before RCPT',
    `${HELLO}\n${MAIL}\nC: BDAT 5 LAST\nR: hello\nS: 503 5.5.1 *\nC: NOOP\nS: 250 *`,
  ],
  ['an address that is none', `${HELLO}\nC: MAIL FROM:<a@b@c>\nS: 501 5.1.7 *`],
  ['a recipient that is none', `${HELLO}\n${MAIL}\nC: RCPT TO:<nobody>\nS: 501 5.1.3 *`],
  ['an unknown parameter of MAIL', `${HELLO}\nC: MAIL FROM:<a@b.test> FROB=1\nS: 555 5.5.4 *`],
  ['an unknown parameter of RCPT', `${HELLO}\n${MAIL}\nC: RCPT TO:<c@d.test> FROB\nS: 555 5.5.4 *`],
  ['a bad value', `${HELLO}\nC: MAIL FROM:<a@b.test> SIZE=many\nS: 501 5.5.4 *`],
  ['too large a SIZE', `${HELLO}\nC: MAIL FROM:<a@b.test> SIZE=999999999\nS: 552 5.3.4 *`],
  [
    'a command line without end',
    `${HELLO}\nC: NOOP ${'x'.repeat(5_000)}\nS: 500 5.5.* *\nC: NOOP\nS: 250 *`,
  ],
  ['an octet that is no text', `${HELLO}\nR: MAIL FROM:<a\\x00@b.test>\\r\\n\nS: 50* *`],
  [
    'pipelining after a refused RCPT',
    `${HELLO}\nC: MAIL FROM:<a@b.test>\nC: RCPT TO:<no>\nC: DATA\nS: 250 *\nS: 501 *\nS: 503 5.5.1 *`,
  ],
  ['AUTH with nonsense', `${HELLO}\nC: AUTH PLAIN !!!!\nS: 501 5.5.2 *`],
  ['AUTH with a mechanism that we lack', `${HELLO}\nC: AUTH CRAM-MD5\nS: 504 5.5.4 *`],
  ['STARTTLS where it is not offered', `${HELLO}\nC: STARTTLS\nS: 502 5.5.1 *`],
  [
    'a bare LF in a message',
    `${HELLO}\n${MAIL}\n${RCPT}\nC: DATA\nS: 354 *\nR: From: a@b.test\\r\\n\\r\\nx\\n.\\n\\r\\n.\\r\\n\nS: 550 5.6.11 *\nS: (closed)`,
  ],
  [
    'a NUL in a message',
    `${HELLO}\n${MAIL}\n${RCPT}\nC: DATA\nS: 354 *\nR: From: a@b.test\\r\\n\\r\\n\\0\\r\\n.\\r\\n\nS: 550 5.6.11 *`,
  ],
  [
    'a line of 999 octets',
    `${HELLO}\n${MAIL}\n${RCPT}\nC: DATA\nS: 354 *\nC: From: a@b.test\nC:\nC: ${'x'.repeat(999)}\nC: .\nS: 55* 5.6.0 *998*`,
  ],
]

describe('nothing is queued by', { concurrency: true }, () => {
  for (const [name, script] of scripts)
    it(name, async () => {
      await converse(posthorn.port, script)
    })

  it('two hundred mistakes in a row: the session ends after some', async () => {
    const peer = new Peer(posthorn.port)
    await peer.say('EHLO a\r\n'.concat('FROB\r\n'.repeat(200)))
    await peer.expect('421 4.7.0 *too many errors', true)
    await peer.expect('(closed)')
    const refused = peer.heard.match(/^500 /gm)!.length
    assert.ok(refused < 25, `${refused} were answered`)
  })

  it('clients that vanish in each step', async () => {
    const steps = [
      '',
      'EHLO a\r\n',
      'MAIL FROM:<a@b.test>\r\n',
      'RCPT TO:<c@d.test>\r\n',
      'DATA\r\n',
      'From: a@b.test\r\nSubject: half\r\n\r\n',
      'some text\r\n.',
    ]
    for (let last = 0; last < steps.length; last++)
      for (const how of ['leave', 'reset'] as const) {
        const peer = new Peer(posthorn.port)
        await peer.expect('220 *')
        await peer.say(steps.slice(0, last + 1).join(''))
        if (last > 3) await peer.expect('354 *', true)
        peer[how]()
      }
  })

  it('a hundred that vanish in the middle of a large message', async () => {
    const chunk = 'x'.repeat(76).concat('\r\n').repeat(8_000)
    const peers = Array.from({ length: 100 }, () => new Peer(posthorn.port))
    await Promise.all(
      peers.map(async (peer) => {
        await peer.say('EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n')
        await peer.expect('354 *', true)
        await peer.say(`From: a@b.test\r\n\r\n${chunk}`)
        peer.reset()
      }),
    )
  })

  it('BDAT that is given up', async () => {
    const begin = `${HELLO}\n${MAIL}\n${RCPT}\nC: BDAT 18\nR: From: a@b.test\\r\\n\\r\\n\nS: 250 *`
    await converse(posthorn.port, `${begin}\nC: RSET\nS: 250 *\nC: BDAT 2 LAST\nR: x\\n\nS: 503 *`)
    await converse(posthorn.port, `${begin}\nC: QUIT\nS: 221 *`)
    await converse(posthorn.port, `${begin}\nC: DATA\nS: 503 5.5.1 *`)
  })

  after(async () => {
    await until(
      () => posthorn.log('session').length >= scripts.length + 100,
      'the sessions have ended',
    )
    assert.deepEqual(await posthorn.queue(), [])
    assert.deepEqual(await posthorn.captured(), [])
    assert.deepEqual(posthorn.log('accepted'), [])
    assert.equal((await posthorn.readiness()).status, 'ok')
    // And the next one is served as ever.
    await send(posthorn.port, { from: 'a@b.test', to: 'c@d.test', subject: 'as ever' })
    await posthorn.capture('as ever')
  })
})

describe('a message that no receiver reads in one way is refused, with what to do:', () => {
  const cases: [string, readonly string[], string, RegExp][] = [
    [
      '8-bit characters in its header',
      ['From: a@b.test', 'X-Name: Ёлка'],
      '550 5.6.7',
      /X-Name field\. Fix: encode .*RFC 2047/,
    ],
    [
      'two From fields',
      ['From: a@b.test', 'From: c@b.test'],
      '550 5.6.0',
      /Two From fields .*Fix: leave one/,
    ],
    [
      'two authors',
      ['From: a@b.test, c@b.test'],
      '550 5.6.0',
      /more than one address\. Fix: write From: Name/,
    ],
    [
      'a From that cannot be read',
      ['From: nobody at all'],
      '550 5.6.0',
      /From field cannot be read.*Fix:/,
    ],
    [
      'two subjects',
      ['From: a@b.test', 'Subject: a', 'Subject: b'],
      '550 5.6.0',
      /Two Subject fields/,
    ],
    [
      '51 Received fields',
      [
        'From: a@b.test',
        ...Array<string>(51).fill('Received: from x by y; Sat, 21 Nov 2026 12:00:00 +0000'),
      ],
      '554 5.4.6',
      /Too many hops/,
    ],
    [
      'a header of 300 KB',
      ['From: a@b.test', ...Array<string>(400).fill(`X-Long: ${'y'.repeat(750)}`)],
      '552 5.3.4',
      /Header too big/,
    ],
    [
      '1,001 fields',
      ['From: a@b.test', ...Array<string>(1_001).fill('X-A: a')],
      '554 5.6.0',
      /Too many header fields/,
    ],
  ]
  for (const [name, fields, code, why] of cases)
    it(name, async () => {
      const header = fields.map((line) => `C: ${line}`).join('\n')
      const heard = await converse(
        posthorn.port,
        `${HELLO}\n${MAIL}\n${RCPT}\nC: DATA\nS: 354 *\n${header}\nC:\nC: text\nC: .\nS: ${code} *\nC: NOOP\nS: 250 *`,
      )
      assert.match(heard, why)
    })

  it('50 Received fields are none too many', async () => {
    const header = Array<string>(50).fill('Received: from x by y; Sat, 21 Nov 2026 12:00:00 +0000')
    await send(posthorn.port, { from: 'a@b.test', to: 'c@d.test', subject: 'long way', header })
    const { id } = await posthorn.capture('long way')
    assert.equal((await posthorn.raw(id)).match(/^Received: /gm)!.length, 52)
  })
})
