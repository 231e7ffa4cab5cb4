import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Domain } from '../mail/domain.ts'
import { parseMailbox } from '../mail/mailbox.ts'
import type { MessageId } from '../mail/message.ts'
import { Refusal } from '../mail/reply.ts'
import { type CompleteOptions, complete } from './complete.ts'
import { readHeaderBlock } from './header-block.ts'

type Change = { readonly from?: string | null; readonly smtputf8?: boolean }

function optionsFor({ from = 'a@some.example', smtputf8 = false }: Change): CompleteOptions {
  const mailbox = (text: string) => parseMailbox(text) ?? assert.fail(text)
  return {
    envelope: {
      reversePath: from === null ? null : mailbox(from),
      recipients: [{ mailbox: mailbox('b@other.example') }],
      body: '7bit',
      smtputf8,
      requireTls: false,
    },
    origin: {
      door: 'smtp',
      sender: { kind: 'network', address: '127.0.0.1' },
      helloName: 'app.example',
      address: '127.0.0.1',
      protocol: 'ESMTP',
    },
    id: 4096 as MessageId,
    hostname: 'mail.posthorn.example' as Domain,
    nonce: 'n0nce',
    now: Date.UTC(2026, 10, 21, 12),
    mostReceived: 50,
  }
}

/** The header that leaves, without Received. */
function completed(text: string, change: Change = {}): string[] {
  const { fields } = readHeaderBlock(Buffer.from(text).toString('latin1'))
  const { added, kept } = complete(fields, optionsFor(change))
  return [...added, ...kept]
    .filter((field) => field.name !== 'Received')
    .map((field) => Buffer.from(field.raw, 'latin1').toString().trimEnd())
}

const DATE = 'Date: Sat, 21 Nov 2026 12:00:00 +0000'
const ID = 'Message-ID: <00000000400.n0nce@some.example>'
const GIVEN = 'Date: today\r\nMessage-ID: odd\r\n'

describe('what a header gets and loses', () => {
  const table: [string, string, string[], Change?][] = [
    ['Date and Message-ID', 'From: a@some.example\r\n\r\n', [DATE, ID, 'From: a@some.example']],
    [
      'nothing when all is there, odd or not',
      `From: a@some.example\r\n${GIVEN}\r\n`,
      ['From: a@some.example', 'Date: today', 'Message-ID: odd'],
    ],
    [
      'From out of the envelope',
      `${GIVEN}\r\n`,
      ['From: a@some.example', 'Date: today', 'Message-ID: odd'],
    ],
    ['all, when there is no header', '\r\nTest', [DATE, 'From: a@some.example', ID]],
    ['all, when text begins at once', 'Hello there\r\nBob', [DATE, 'From: a@some.example', ID]],
    [
      'a Message-ID for an empty one',
      'From: a@some.example\r\nMessage-ID:\r\n\r\n',
      [DATE, ID, 'From: a@some.example'],
    ],
    [
      'MIME-Version beside Content-Type',
      `From: a@some.example\r\n${GIVEN}Content-Type: text/html\r\n\r\n`,
      [
        'MIME-Version: 1.0',
        'From: a@some.example',
        'Date: today',
        'Message-ID: odd',
        'Content-Type: text/html',
      ],
    ],
    [
      'no blind copies and no return path',
      `Return-Path: <x@y>\r\nFrom: a@some.example\r\nBCC: c@d\r\n${GIVEN}Resent-Bcc: e@f,\r\n g@h\r\n\r\n`,
      ['From: a@some.example', 'Date: today', 'Message-ID: odd'],
    ],
    [
      'no field twice that is the same twice',
      `From: a@some.example\r\nFROM:  a@some.example\r\n${GIVEN}Subject: x\r\nSubject: x\r\nX-A: 1\r\nX-A: 1\r\n\r\n`,
      ['From: a@some.example', 'Date: today', 'Message-ID: odd', 'Subject: x', 'X-A: 1', 'X-A: 1'],
    ],
    [
      'no mailbox separator',
      `From a@some.example Sat Nov 21 12:00:00 2026\r\nFrom: a@some.example\r\n${GIVEN}\r\n`,
      ['From: a@some.example', 'Date: today', 'Message-ID: odd'],
    ],
    [
      'UTF-8 as it is, with SMTPUTF8',
      `From: Zoë <a@some.example>\r\n${GIVEN}\r\n`,
      ['From: Zoë <a@some.example>', 'Date: today', 'Message-ID: odd'],
      { smtputf8: true },
    ],
    [
      'From in UTF-8 out of the envelope',
      `${GIVEN}\r\n`,
      ['From: zoë@some.example', 'Date: today', 'Message-ID: odd'],
      { smtputf8: true, from: 'zoë@some.example' },
    ],
  ]
  for (const [what, text, expected, change] of table) {
    it(what, () => assert.deepEqual(completed(text, change), expected))
  }
})

describe('what is refused', () => {
  const table: [string, string, RegExp, Change?][] = [
    [
      'two From fields',
      'From: a@some.example\r\nFrom: b@some.example\r\n\r\n',
      /^550 5\.6\.0 Two From fields with different text\. Fix: leave one$/,
    ],
    [
      'two To fields',
      'From: a@b.example\r\nTo: b@c\r\nTo: d@e\r\n\r\n',
      /into one To field, with commas$/,
    ],
    ['two Subjects', 'From: a@b.example\r\nSubject: b\r\nSubject: c\r\n\r\n', /Two Subject fields/],
    [
      'From that cannot be read',
      'From: nobody\r\n\r\n',
      /^550 5\.6\.0 The From field cannot be read, .*: nobody\. Fix: write From: Name/,
    ],
    ['an empty From', 'From:\r\n\r\n', /^550 5\.6\.0 The From field has no address/],
    ['two authors', 'From: a@b.example, c@d.example\r\n\r\n', /has more than one address/],
    [
      'no From at all',
      'Subject: x\r\n\r\n',
      /no From field, and MAIL FROM is empty/,
      { from: null },
    ],
    [
      'UTF-8 without SMTPUTF8',
      'From: a@some.example\r\nSubject: Привет\r\n\r\n',
      /^550 5\.6\.7 8-bit characters in the Subject field\. Fix: encode them as mail libraries do/,
    ],
    [
      'a name that is no field',
      'From: a@some.example\r\nbad name: x\r\nSubject: y\r\n\r\nz',
      /^550-5\.6\.0 Line 2 of the header is .*: bad name: x/,
    ],
  ]
  for (const [what, text, expected, change] of table) {
    it(what, () => {
      assert.throws(
        () => completed(text, change),
        (error) => {
          assert.ok(error instanceof Refusal, String(error))
          assert.match(error.message, expected)
          return true
        },
      )
    })
  }

  it('octets that are no UTF-8, even with SMTPUTF8', () => {
    const { fields } = readHeaderBlock('From: a@some.example\r\nSubject: caf\xe9\r\n\r\n')
    assert.throws(() => complete(fields, optionsFor({ smtputf8: true })), /not valid UTF-8/)
  })
})

describe('where the body begins', () => {
  const table: [string, number, boolean][] = [
    ['A: b\r\n\r\n', 8, false],
    ['\r\n', 2, false],
    ['', 0, true],
    ['A: b\r\n', 6, true],
    ['A: b', 4, true],
    ['Hello there\r\n\r\n', 0, true],
    ['A: b\r\nHello there\r\n\r\n', 6, true],
    [' folded\r\nA: b\r\n\r\n', 0, true],
    ['From me Sat Nov 21\r\nA: b\r\n\r\n', 28, true],
    ['From : a@b.example\r\n\r\n', 22, false],
  ]
  for (const [text, octets, repaired] of table) {
    it(JSON.stringify(text), () => {
      const block = readHeaderBlock(text)
      assert.deepEqual([block.octets, block.repaired], [octets, repaired])
    })
  }
})
