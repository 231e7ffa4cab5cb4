// The grammars of src/mail that read lines: addresses, commands, replies, what stands in them.

import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { canonicalAddress, isPublicAddress } from '../../src/dns/address.ts'
import { formatAddress, parseAddressList } from '../../src/mail/address-list.ts'
import { formatCapabilities, parseCapabilities } from '../../src/mail/capabilities.ts'
import { formatMail, formatRcpt, parseCommand } from '../../src/mail/command.ts'
import {
  displayDomain,
  literalAddress,
  parentDomain,
  parseAddressLiteral,
  parseDomain,
} from '../../src/mail/domain.ts'
import {
  describeBadMailbox,
  formatMailbox,
  parseMailbox,
  parsePath,
  sameMailbox,
} from '../../src/mail/mailbox.ts'
import { formatMessageId, parseMessageId } from '../../src/mail/message.ts'
import {
  formatMailParameters,
  formatRcptParameters,
  parseMailParameters,
  parseRcptParameters,
} from '../../src/mail/parameters.ts'
import { formatReply, type Reply, ReplyReader, reply } from '../../src/mail/reply.ts'
import { formatStatus, parseStatus } from '../../src/mail/status.ts'
import {
  decodeUtf8Address,
  decodeXtext,
  encodeUtf8Address,
  encodeXtext,
} from '../../src/mail/xtext.ts'
import { assertOneLine, type Target, textOf } from './target.ts'

const DOMAINS = [
  'example.com',
  'MAIL.Example.COM.',
  'почта.рф',
  'xn--e1afmkfd.xn--p1ai',
  'bücher.example',
  '_dmarc.a-b.example',
  '192.0.2.1',
  '。.example',
  'faß.de',
  'a\u200db.example',
  `${'a'.repeat(63)}.${'b'.repeat(63)}.example`,
]
const LITERALS = ['[192.0.2.1]', '[IPv6:2001:db8::1]', '[IPv6:::ffff:192.0.2.1]', '[ipv6:FE80::1]']
const MAILBOXES = [
  'user@example.com',
  '"quoted \\" local"@example.com',
  'почта@пример.рф',
  'a.b+c@[192.0.2.1]',
  '"a@evil.example x"@good.example',
  `${'x'.repeat(64)}@example.com`,
]
const ADDRESS_TOKENS = [
  ...'@.<>"\\:,;()[] ',
  '\r\n ',
  'a',
  'я',
  '\ufeff',
  'xn--',
  '[IPv6:',
  '\u0301',
]
const MAIL_TAIL = [
  'SIZE=1000',
  'BODY=8BITMIME',
  'SMTPUTF8',
  'REQUIRETLS',
  'RET=HDRS',
  'ENVID=x+2By',
]
const RCPT_TAIL = [
  'NOTIFY=SUCCESS,FAILURE',
  'NOTIFY=NEVER',
  'ORCPT=rfc822;a+40b',
  'ORCPT=utf-8;\\x{E4}@b',
]
const VERBS = 'EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT STARTTLS AUTH EXPN GET'.split(
  ' ',
)

const domain: Target = {
  name: 'domain',
  samples: DOMAINS,
  tokens: [...'.-_xX9', 'xn--', '。', 'я', 'ß', '\u00ad', '\u200d', '\u0660', 'a'.repeat(63)],
  check(octets, dice) {
    const parsed = parseDomain(textOf(octets, dice))
    if (parsed === undefined) return
    assert.match(parsed, /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/)
    assert.ok(parsed.length <= 253)
    assert.equal(parseDomain(parsed), parsed)
    const parent = parentDomain(parsed)
    if (parent !== undefined) assert.equal(parseDomain(parent), parent)
    const shown = displayDomain(parsed)
    assertOneLine(shown)
    assert.equal(parseDomain(shown), parsed)
  },
}

const addressLiteral: Target = {
  name: 'address literal',
  samples: [...LITERALS, '2001:db8::1', 'fe80::1%eth0', '::ffff:10.0.0.1', '64:ff9b::1.2.3.4'],
  tokens: [...'[]:.%0123456789abcdef', 'IPv6:', '::', '255', '%eth0', '::ffff:'],
  check(octets, dice) {
    const text = textOf(octets, dice)
    isPublicAddress(text)
    const canonical = canonicalAddress(text)
    if (canonical !== undefined) {
      assert.ok(isIP(canonical))
      assert.equal(canonicalAddress(canonical), canonical)
      assert.equal(isPublicAddress(canonical), isPublicAddress(text))
    }
    const literal = parseAddressLiteral(text)
    if (literal === undefined) return
    assert.ok(isIP(literalAddress(literal)))
    assert.equal(parseAddressLiteral(literal), literal)
  },
}

const mailbox: Target = {
  name: 'mailbox',
  samples: MAILBOXES,
  tokens: ADDRESS_TOKENS,
  check(octets, dice) {
    const text = textOf(octets, dice)
    const parsed = parseMailbox(text)
    if (!parsed) {
      assertOneLine(describeBadMailbox(text))
      return
    }
    const formatted = formatMailbox(parsed)
    assertOneLine(formatted)
    assert.deepEqual(parseMailbox(formatted), parsed)
    assert.ok(sameMailbox(parsed, parsed))
    assert.deepEqual(parsePath(`<${formatted}>`), { kind: 'mailbox', mailbox: parsed })
  },
}

const path: Target = {
  name: 'path',
  samples: [
    ...MAILBOXES.map((one) => `<${one}>`),
    '<>',
    '<Postmaster>',
    '<@a.example,@b:c@d.example>',
  ],
  tokens: ADDRESS_TOKENS,
  check(octets, dice) {
    const text = textOf(octets, dice)
    const parsed = parsePath(text)
    if (parsed?.kind !== 'mailbox') return
    assert.deepEqual(parsePath(`<${formatMailbox(parsed.mailbox)}>`), parsed)
  },
}

const command: Target = {
  name: 'command',
  samples: [
    ...MAILBOXES.flatMap((one) => [
      `MAIL FROM:<${one}> ${MAIL_TAIL.join(' ')}`,
      `RCPT TO:<${one}>`,
    ]),
    `rcpt to: <a@b.example> ${RCPT_TAIL[0]} ${RCPT_TAIL[2]}`,
    'EHLO client.example.org',
    'BDAT 1000 LAST',
    'AUTH PLAIN AGFwcABwYXNz',
    'GET / HTTP/1.1',
  ],
  tokens: [
    ...VERBS,
    ' ',
    'FROM:',
    'TO:',
    '<',
    '>',
    '"',
    '=',
    ...MAIL_TAIL,
    ...RCPT_TAIL,
    ...MAILBOXES,
  ],
  check(octets, dice) {
    const parsed = parseCommand(textOf(octets, dice))
    if (parsed.verb === 'FAULT') {
      assert.match(formatReply(parsed.reply), /^5\d\d [ -\ufffd]*\r\n$/)
      assert.ok(Buffer.byteLength(formatReply(parsed.reply)) <= 512)
    } else if (parsed.verb === 'MAIL') {
      const line = formatMail(parsed.reversePath, parsed.parameters)
      assertOneLine(line)
      assert.deepEqual(parseCommand(line), rounded(parsed))
    } else if (parsed.verb === 'RCPT' && parsed.mailbox !== 'postmaster') {
      const line = formatRcpt({ mailbox: parsed.mailbox, ...parsed.parameters })
      assertOneLine(line)
      assert.deepEqual(parseCommand(line), parsed)
    } else if (parsed.verb === 'BDAT') assert.ok(Number.isSafeInteger(parsed.size))
    else if (parsed.verb === 'EHLO' || parsed.verb === 'HELO') assertOneLine(parsed.name)
  },
}

/** A size of 20 digits is written as a number that does not read back; what is meant is only "too big". */
function rounded<T extends { parameters: { declaredSize?: number } }>(parsed: T): unknown {
  const { declaredSize } = parsed.parameters
  if (declaredSize === undefined || Number.isSafeInteger(declaredSize)) return parsed
  const line = parseCommand(formatMail(null, { ...PLAIN, declaredSize }))
  if (line.verb !== 'MAIL' || line.parameters.declaredSize === undefined) return parsed
  const { declaredSize: read } = line.parameters
  return { ...parsed, parameters: { ...parsed.parameters, declaredSize: read } }
}

const PLAIN = { body: '7bit', smtputf8: false, requireTls: false } as const

const WISHES = [
  'HOLDFOR=60',
  'HOLDUNTIL=2026-11-22T08:00:00.5+02:00',
  'BY=120;RT',
  'BY=-999999999;N',
  'MT-PRIORITY=-9',
]

const mailParameters: Target = {
  name: 'MAIL parameters',
  samples: [
    MAIL_TAIL.join(' '),
    'AUTH=<> SIZE=0',
    'body=7bit ret=full',
    'ENVID=a+2Bb+3Dc',
    ...WISHES,
  ],
  tokens: [
    ...MAIL_TAIL,
    ...WISHES,
    '-',
    ';',
    'T',
    ':60',
    ' ',
    '=',
    '+',
    'AUTH=',
    '+41',
    'SIZE',
    '99999999999999999999',
  ],
  check(octets, dice) {
    const parsed = parseMailParameters(textOf(octets, dice))
    if ('fault' in parsed) {
      assert.ok(Buffer.byteLength(formatReply(parsed.fault)) <= 512)
      return
    }
    const line = formatMailParameters(parsed)
    assertOneLine(line)
    if (parsed.declaredSize === undefined || Number.isSafeInteger(parsed.declaredSize))
      assert.deepEqual(parseMailParameters(line.slice(1)), parsed)
  },
}

const rcptParameters: Target = {
  name: 'RCPT parameters',
  samples: RCPT_TAIL,
  tokens: [...RCPT_TAIL, ' ', '=', ';', ',', 'DELAY', '\\x{10FFFF}', '\\x{D800}', '+0D', 'ä'],
  check(octets, dice) {
    const parsed = parseRcptParameters(textOf(octets, dice))
    if ('fault' in parsed) return
    const line = formatRcptParameters(parsed)
    assertOneLine(line)
    assert.deepEqual(parseRcptParameters(line.slice(1)), parsed)
  },
}

const xtext: Target = {
  name: 'xtext',
  samples: ['user+2Bdetail@example.com', 'a+0D+0Ab', '\\x{430}@\\x{E4}.example', 'äöü@b'],
  tokens: [...'+=\\x{}09AF', '+2B', '+00', '\\x{1F600}', '\\x{D800}', '\\x{110000}', 'я', ' '],
  check(octets, dice) {
    const text = textOf(octets, dice)
    const plain = decodeXtext(text)
    if (plain !== undefined) assert.equal(decodeXtext(encodeXtext(plain)), plain)
    const address = decodeUtf8Address(text)
    if (address !== undefined) assert.equal(decodeUtf8Address(encodeUtf8Address(address)), address)
    const encoded = encodeUtf8Address(text.toWellFormed())
    assert.match(encoded, /^[!-~]*$/)
  },
}

/** The lines of a text without their ends, as a wire gives them. */
const linesOf = (text: string): string[] => text.split('\n').map((line) => line.replace(/\r$/, ''))

const replies: Target = {
  name: 'replies',
  samples: [
    '250-mx.example.com\r\n250-SIZE 1000\r\n250 OK\r\n',
    '550 5.1.1 No such user\r\n',
    '421-4.7.0 one\r\n421 4.7.0 two\r\n354\r\n250-\r\n250 ',
  ],
  tokens: ['250', '-', ' ', '\r\n', '5.1.1', '2.0.0 ', '\t', '\x1b[0m', '\x85', '999', '000', '25'],
  check(octets, dice) {
    const reader = new ReplyReader()
    let lines = 0
    for (const line of linesOf(textOf(octets, dice))) {
      lines++
      const said = reader.push(line)
      if (said === undefined) continue
      if ('fault' in said) assert.doesNotMatch(said.fault, /[\x00-\x1f\x7f-\x9f]/)
      else assertReply(said, lines)
      lines = 0
    }
  },
}

function assertReply(said: Reply, lines: number): void {
  assert.ok(said.code >= 200 && said.code <= 599)
  assert.equal(said.text.length, lines)
  for (const text of said.text) assert.doesNotMatch(text, /[\x00-\x1f\x7f-\x9f]/)
  if (said.status) assert.equal(said.status.class, Math.floor(said.code / 100))
  const written = formatReply(said)
  assert.match(written, /^([2-5]\d\d[- ][^\r\n]*\r\n)+$/)
  const again = new ReplyReader()
  let read: unknown
  for (const line of written.split('\r\n').slice(0, -1)) read = again.push(line)
  if (written.length < 60_000 && said.status) assert.deepEqual(read, said)
}

const ownReplies: Target = {
  name: 'our replies',
  samples: ['Ok: queued as 1', 'a\r\n250 b', '\u0000\u001b]0;x\u0007', 'почта@пример.рф'],
  tokens: ['\r', '\n', '\r\n', '250 ', '\x00', '\x7f', '\u0085', '\u2028', 'x'],
  check(octets, dice) {
    const text = textOf(octets, dice)
    const written = formatReply(reply(550, '5.7.1', text, text))
    assert.match(written, /^550-5\.7\.1 [^\r\n\0]*\r\n550 5\.7\.1 [^\r\n\0]*\r\n$/)
    assert.equal(Buffer.from(written).filter((octet) => octet === 10 || octet === 13).length, 4)
  },
}

const capabilities: Target = {
  name: 'capabilities',
  samples: [
    'mx.example.com\r\nPIPELINING\r\nSIZE 26214400\r\nAUTH PLAIN LOGIN\r\nLIMITS RCPTMAX=100 MAILMAX=5',
    'x\r\nAUTH=LOGIN\r\nSTARTTLS\r\n8BITMIME\r\nSMTPUTF8\r\nDSN\r\nCHUNKING\r\nREQUIRETLS',
    'x\r\nLIMITS RCPTDOMAINMAX=1\r\nENHANCEDSTATUSCODES\r\nSIZE',
    'x\r\nDELIVERBY 60\r\nMT-PRIORITY MIXER\r\nFUTURERELEASE 60 2026-11-22T08:00:00Z',
  ],
  tokens: ['\r\n', ' ', 'SIZE', 'AUTH', '=', 'LIMITS', 'RCPTMAX=', '1', '-', '__proto__', '\t'],
  check(octets, dice) {
    const read = parseCapabilities({ code: 250, text: linesOf(textOf(octets, dice)) })
    const lines = formatCapabilities(read)
    for (const line of lines) assertOneLine(line)
    assert.deepEqual(parseCapabilities({ code: 250, text: ['x', ...lines] }), read)
  },
}

const statuses: Target = {
  name: 'statuses and ids',
  samples: ['5.1.1', '2.0.0 Ok', '4.999.999', '000001ABCDZ', 'ZZZZZZZZZZZ'],
  tokens: [...'0123456789.ABCXYZ ilo', '٣', '-'],
  check(octets, dice) {
    const text = textOf(octets, dice)
    const status = parseStatus(text)
    if (status) assert.deepEqual(parseStatus(formatStatus(status)), status)
    const id = parseMessageId(text)
    if (id === undefined) return
    assert.ok(Number.isSafeInteger(id) && id >= 0)
    assert.equal(formatMessageId(id), text.toUpperCase())
  },
}

const addressList: Target = {
  name: 'address list',
  samples: [
    'a@b.example, "Doe, John" <c@d.example>',
    'A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;',
    'Name (c (nested \\) c)) <a@b.example> (end)',
    'Почта <почта@пример.рф>, <@x.test,@y.test:z@w.test>',
    '=?utf-8?b?0J8=?= <a@[192.0.2.1]>',
  ],
  tokens: ADDRESS_TOKENS,
  check(octets, dice) {
    const text = textOf(octets, dice)
    const list = parseAddressList(text)
    if (!Array.isArray(list)) {
      assert.ok(list.position >= 0 && list.position <= text.length)
      return
    }
    assert.deepEqual(parseAddressList(`(c)${text}`), list)
    for (const address of list) {
      assert.deepEqual(parseMailbox(formatMailbox(address.mailbox)), address.mailbox)
      if (address.displayName?.isWellFormed() === false) continue
      const written = formatAddress(address)
      assertOneLine(written)
      const again = parseAddressList(written)
      assert.ok(Array.isArray(again) && again.length === 1, written)
      assert.deepEqual(again[0]!.mailbox, address.mailbox)
    }
  },
}

export const mailParsers: readonly Target[] = [
  domain,
  addressLiteral,
  mailbox,
  path,
  command,
  mailParameters,
  rcptParameters,
  xtext,
  replies,
  ownReplies,
  capabilities,
  statuses,
  addressList,
]
