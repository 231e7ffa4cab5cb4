// What reads octets in chunks or in blocks: lines, the end of data, header fields, DKIM, DNS, damaged
// pages. Each is held against a slow and plain version of itself, and against other ways to cut the
// same octets.

import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { encode, RECURSION_DESIRED } from 'dns-packet'
import { BodyHasher, hashingScratch, relaxField } from '../../src/dkim/canonical.ts'
import { fingerprintOf, publicText, readKey, txtStrings } from '../../src/dkim/keys.ts'
import { parseSignature, parseTags } from '../../src/dkim/signature.ts'
import { verifySignature } from '../../src/dkim/verify.ts'
import { interpret, type Meaning } from '../../src/dns/interpret.ts'
import { isName, newQuery, type Query, readResponse } from '../../src/dns/packet.ts'
import type { RecordType } from '../../src/dns/resolver.ts'
import { DotReader, DotStuffer, UnsafeContent } from '../../src/mail/dot.ts'
import {
  bodyStart,
  fieldText,
  fieldValue,
  formatField,
  splitHeader,
  unfold,
} from '../../src/mail/header.ts'
import { createLineScan } from '../../src/mail/line-scan.ts'
import { LineCheck } from '../../src/mail/lines.ts'
import { Input, type LineEnding } from '../../src/smtp/input.ts'
import { parseRecord } from '../../src/store/sqlite/pages.ts'
import { chunksOf } from './octets.ts'
import { assertLines, type Target, textOf, throwsOnly } from './target.ts'

const CONTENT = [
  'Subject: x\r\n\r\nHello\r\n.\r\nRSET\r\n',
  '..stuffed\r\n...\r\n.\r\n',
  'bare\nline\rends\r\n.\n.\r\r\n.\r\n',
  '\r\n.\r\n.\r\n',
  'no end\r\n.\r',
  `${'long '.repeat(250)}\r\n.\r\n`,
]
const CONTENT_TOKENS = [
  '\r',
  '\n',
  '\r\n',
  '.',
  '..',
  '\r\n.',
  '\r\n.\r\n',
  '\0',
  'a',
  'xx ',
  '\x80',
]

const dotReader: Target = {
  name: 'end of data',
  samples: CONTENT,
  tokens: CONTENT_TOKENS,
  check(octets, dice) {
    const expected = plainEndOfData(octets.toString('latin1'))
    const reader = new DotReader()
    let content = ''
    let at = 0
    let end: number | undefined
    for (const chunk of chunksOf(octets, dice)) {
      const result = reader.push(chunk)
      for (const piece of result.pieces) content += Buffer.from(piece).toString('latin1')
      if (result.end !== undefined) end = at + result.end
      if (end !== undefined) break
      at += chunk.length
    }
    assert.equal(end, expected.end)
    if (end === undefined) assert.ok(expected.content.startsWith(content))
    else assert.equal(content, expected.content)
  },
}

/** RFC 5321 §4.5.2 in one look: lines end with CRLF alone. */
function plainEndOfData(text: string): { content: string; end: number | undefined } {
  let content = ''
  for (let at = 0; ; ) {
    const crlf = text.indexOf('\r\n', at)
    const line = text.slice(at, crlf < 0 ? undefined : crlf)
    if (crlf >= 0 && line === '.') return { content, end: crlf + 2 }
    content += line.startsWith('.') ? line.slice(1) : line
    if (crlf < 0) return { content, end: undefined }
    content += '\r\n'
    at = crlf + 2
  }
}

const dotStuffer: Target = {
  name: 'dot stuffing',
  samples: CONTENT,
  tokens: CONTENT_TOKENS,
  check(octets, dice) {
    const stuffer = new DotStuffer()
    const wire: Uint8Array[] = []
    const refused = throwsOnly(UnsafeContent, () => {
      for (const chunk of chunksOf(octets, dice)) wire.push(...stuffer.push(chunk))
      wire.push(stuffer.end())
    })
    const text = octets.toString('latin1')
    assert.equal(refused, /\0|\r(?!\n)|(?<!\r)\n/.test(text))
    if (refused) return
    const sent = Buffer.concat(wire)
    const { content, end } = plainEndOfData(sent.toString('latin1'))
    assert.equal(end, sent.length, 'ends once, at the end')
    assert.equal(content, text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`)
  },
}

const scan = createLineScan()

const lineCheck: Target = {
  name: 'line check',
  samples: CONTENT,
  tokens: CONTENT_TOKENS,
  check(octets, dice) {
    const check = new LineCheck()
    const vectors = new LineCheck(scan)
    for (const chunk of chunksOf(octets, dice)) {
      check.push(chunk)
      vectors.push(chunk)
    }
    const text = octets.toString('latin1')
    assert.deepEqual(vectors.report(), check.report())
    assert.deepEqual(check.report(), {
      octets: octets.length,
      longestLine: text.split('\r\n').reduce((most, line) => Math.max(most, line.length), 0),
      bareCr: /\r(?!\n)/.test(text),
      bareLf: /(?<!\r)\n/.test(text),
      nul: text.includes('\0'),
      eightBit: /[\x80-\xff]/.test(text),
      dotted: /(?:^|\r\n)\./.test(text),
      closed: text.endsWith('\r\n'),
    })
  },
}

const LINE_ENDINGS: readonly LineEnding[] = ['crlf', 'first-decides', 'either']

const inputLines: Target = {
  name: 'lines from a wire',
  samples: [
    'EHLO a\r\nMAIL FROM:<>\r\nQUIT\r\n',
    'a\nb\nc\r\n',
    'почта\r\n\xff\r\n',
    '\ufeffQUIT\r\n',
  ],
  tokens: [
    '\r\n',
    '\n',
    '\r',
    'NOOP',
    'я',
    Buffer.from([0xff]),
    Buffer.from([0xc3]),
    'x'.repeat(60),
  ],
  check(all, dice) {
    // Each line is a call of its own: what is slow here is the number of them.
    const octets = all.subarray(0, 8_192)
    const lineEnding = dice.pick(LINE_ENDINGS)
    const maxBytes = dice.pick([64, 2_048])
    const whole = linesRead([octets], lineEnding, maxBytes)
    assert.deepEqual(linesRead(chunksOf(octets, dice), lineEnding, maxBytes), whole)
    for (const line of whole) assert.ok(line.length <= maxBytes)
    const parts = octets.toString('latin1').split('\n')
    assert.equal(whole.length, parts.length - 1, 'one line or fault for each line feed')
  },
}

function linesRead(chunks: readonly Buffer[], lineEnding: LineEnding, maxBytes: number): string[] {
  const input = new Input(lineEnding)
  const lines: string[] = []
  for (const chunk of chunks) {
    if (chunk.length > 0) input.push(Buffer.from(chunk)) // it is the input's from now on
    for (;;) {
      const line = input.takeLine(maxBytes)
      if (line === undefined && input.fault === undefined) break
      lines.push(line ?? `(${input.fault})`)
    }
  }
  return lines
}

const HEADER =
  'From: John Doe <jdoe@machine.example>\r\nSubject: This is\r\n a test\r\nX-Empty:\r\n' +
  'received: one\r\n\t two\r\nReceived : blank\r\n__proto__: x\r\nSubject: \xd0\xbf\r\n\r\n'
const HEADER_TOKENS = [
  '\r\n',
  ' ',
  '\t',
  ':',
  'From',
  'Subject: x\r\n',
  '\r',
  '\n',
  '\0',
  '\xa0',
  'From ',
]

/** RFC 5322 §2.2, with the blank before a colon of §4.5.3. */
const HEADER_BLOCK = /^(?:[!-9;-~]+[ \t]*:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*(?:\r\n)?$/

const header: Target = {
  name: 'header',
  samples: [HEADER, 'a:b\r\n', 'X: y\r\n\r\nbody\r\n\r\n', 'From x\r\nA: b\r\n'],
  tokens: HEADER_TOKENS,
  check(octets, dice) {
    const block = octets.toString('latin1')
    const fields = splitHeader(block)
    assert.equal(Array.isArray(fields), HEADER_BLOCK.test(block))
    if (Array.isArray(fields)) {
      const joined = fields.map((field) => field.raw).join('')
      assert.ok(block === joined || block === `${joined}\r\n`)
      for (const field of fields) {
        assert.match(field.name, /^[!-9;-~]+$/)
        assert.doesNotMatch(fieldValue(field), /[\r\n]/)
        const text = fieldText(field)
        const value = Buffer.from(field.raw.slice(field.raw.indexOf(':') + 1), 'latin1')
        if (isUtf8(value)) assert.equal(text, trimmed(unfold(value.toString('utf8'))))
      }
    } else {
      assert.ok(fields.position >= 0 && fields.position < block.length)
    }
    let searched = 0
    let found = -1
    for (const chunk of chunksOf(octets, dice)) {
      found = bodyStart(octets.subarray(0, searched + chunk.length), searched)
      searched += chunk.length
      if (found >= 0) break
    }
    assert.equal(found, bodyStart(octets))
  },
}

/** Without the white space of RFC 5322 §2.2.2 at its ends, and with all other. */
const trimmed = (text: string) => text.replace(/^[ \t]+|(?<![ \t])[ \t]+$/g, '')

const ownField: Target = {
  name: 'our fields',
  samples: ['Subject|a text of words', 'To|x'.repeat(40), `X|${'word '.repeat(60)}`, 'Я|  y '],
  tokens: ['|', ' ', '\t', '\r\n', '\0', ':', 'слово', 'w'.repeat(200), '\u0301'],
  check(octets, dice) {
    const text = textOf(octets, dice)
    const bar = text.indexOf('|')
    const name = text.slice(0, Math.max(bar, 0))
    const value = text.slice(bar + 1).toWellFormed()
    let field = ''
    const refused = throwsOnly(TypeError, () => {
      field = formatField(name, value)
    })
    const longWord = value.split(/[ \t]+/).some((word) => Buffer.byteLength(word) > 900)
    const longBlank = /[ \t]{800}/.test(value)
    const good = /^[!-9;-~]{1,76}$/.test(name) && !/[\r\n\0]/.test(value)
    if (!longWord && !longBlank) assert.equal(refused, !good)
    if (refused) return
    assertLines(Buffer.from(field))
    assert.equal(unfold(field), value === '' ? `${name}:` : `${name}: ${value}`)
    const fields = splitHeader(Buffer.from(field).toString('latin1'))
    assert.ok(Array.isArray(fields) && fields.length === 1 && fields[0]!.name === name)
  },
}

const scratch = hashingScratch()
const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('base64')

const dkimBody: Target = {
  name: 'DKIM body',
  samples: [' C \r\nD \t E\r\n\r\n\r\n', `${'QUJD'.repeat(120)}\r\n`.repeat(3), 'x\r', '\r\n \r\n'],
  tokens: ['\r\n', '\r', '\n', ' ', '\t', 'word', '\xa0', '\r\n'.repeat(300), ' '.repeat(60)],
  check(octets, dice) {
    const body = octets.toString('latin1')
    for (const kind of ['simple', 'relaxed'] as const) {
      const hasher = new BodyHasher(kind, scratch)
      for (const chunk of chunksOf(octets, dice)) hasher.update(chunk)
      assert.equal(
        hasher.digest(),
        sha256(kind === 'simple' ? simpleBody(body) : relaxedBody(body)),
      )
    }
  },
}

/** RFC 6376 §3.4.3 */
function simpleBody(body: string): string {
  let end = body.length
  while (end >= 2 && body.charCodeAt(end - 1) === 10 && body.charCodeAt(end - 2) === 13) end -= 2
  return `${body.slice(0, end)}\r\n`
}

/** RFC 6376 §3.4.4 */
function relaxedBody(body: string): string {
  const lines = body.split('\r\n').map((line) => {
    const reduced = line.replace(/[ \t]+/g, ' ')
    return reduced.endsWith(' ') ? reduced.slice(0, -1) : reduced
  })
  while (lines.at(-1) === '') lines.pop()
  return lines.map((line) => `${line}\r\n`).join('')
}

const SIGNATURE =
  ' v=1; a=rsa-sha256; c=relaxed/simple; d=example.com; s=p2611; t=1; x=2;\r\n' +
  ' h=From:To:\r\n Subject; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AA\r\n AA=='

const keys = generateKeyPairSync('ed25519')

const dkimSignature: Target = {
  name: 'DKIM signature',
  samples: [SIGNATURE, SIGNATURE.replace('rsa-', 'ed25519-'), ' v=1;a=b;__proto__=c;', 'b=; b=x'],
  tokens: [';', '=', ':', '\r\n ', ' ', 'b=', 'bh=', 'l=1', 'h=', 'd=', '__proto__=', 'c=simple'],
  check(octets) {
    const value = octets.toString('latin1')
    const tags = parseTags(value)
    if (tags) assert.ok([...tags.keys()].every((name) => /^[a-zA-Z]\w*$/.test(name)))
    const signature = parseSignature(value)
    const raw = `DKIM-Signature:${value}\r\n`
    const field = { name: 'DKIM-Signature', lowerName: 'dkim-signature', raw }
    assert.doesNotMatch(relaxField(raw), /[\r\n\t]| {2}| $/)
    const bodyHash = signature?.bodyHash ?? ''
    const verdict = verifySignature([field], field, { bodyHash, publicKey: keys.publicKey })
    assert.equal(verdict.kind, 'fail')
  },
}

const PEM = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const RSA = generateKeyPairSync('rsa', { modulusLength: 1024 })

const dkimKey: Target = {
  name: 'DKIM key',
  samples: [
    PEM,
    RSA.privateKey.export({ type: 'pkcs1', format: 'pem' }),
    RSA.publicKey.export({ type: 'spki', format: 'pem' }),
    publicText(keys.publicKey),
    'v=DKIM1; k=rsa; p=',
  ],
  tokens: [
    '-----BEGIN ',
    '-----END ',
    'PRIVATE KEY-----',
    '\n',
    'ENCRYPTED',
    'p=',
    ';',
    'AAAA',
    '=',
  ],
  share: 0.2,
  check(octets, dice) {
    const text = textOf(octets, dice)
    const reading = readKey(text)
    if (reading.kind === 'fault') assert.ok(reading.fault.length < 200)
    else assert.equal(reading.privateKey.type, 'private')
    const print = fingerprintOf(text)
    if (print !== undefined) assert.match(print, /^[0-9a-f]{16}$/)
    assert.equal(txtStrings(text).join(''), text)
  },
}

const TYPES: readonly RecordType[] = ['A', 'AAAA', 'MX', 'TXT', 'CNAME', 'PTR', 'NS', 'TLSA']
const QUERY: Query = { ...newQuery('mail.example.com', 'MX', { edns: true }), id: 0x1234 }

function dnsSample(answers: object[], rcode = 0): Buffer {
  return encode({
    type: 'response',
    id: QUERY.id,
    flags: RECURSION_DESIRED | rcode,
    questions: [{ name: QUERY.name, type: QUERY.type, class: 'IN' }],
    answers: answers as never[],
    authorities: [
      {
        type: 'SOA',
        name: 'example.com',
        ttl: 60,
        data: { mname: 'a.b', rname: 'c.d', minimum: 5 },
      },
    ] as never[],
  })
}

const MX = { type: 'MX', name: 'mail.example.com', class: 'IN', ttl: 60 }
const dns: Target = {
  name: 'DNS response',
  samples: [
    dnsSample([{ ...MX, data: { preference: 10, exchange: 'a.example' } }]),
    dnsSample([
      { ...MX, type: 'CNAME', data: 'x.example' },
      { ...MX, name: 'x.example', type: 'CNAME', data: 'mail.example.com' },
    ]),
    dnsSample([{ ...MX, type: 'TXT', data: ['v=spf1', ' -all'] }], 3),
    dnsSample([
      {
        ...MX,
        type: 'TLSA',
        data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32) },
      },
      { ...MX, type: 'AAAA', data: '2001:db8::1' },
    ]),
  ],
  tokens: [
    Buffer.from([0x12, 0x34, 0x81, 0x80]),
    Buffer.from([0xc0, 0x0c]),
    Buffer.from([0xc0, 0x00]),
    Buffer.from([0, 15, 0, 1]),
    Buffer.from([0, 0, 41]),
    Buffer.from([0xff, 0xff]),
    Buffer.from([3, 0x61, 0x2e, 0x62, 0]),
  ],
  check(octets, dice) {
    isName(octets.toString('latin1'))
    const response = readResponse(octets, QUERY)
    if (typeof response === 'string') return
    for (const type of TYPES) {
      const meaning: Meaning<RecordType> = interpret(response, QUERY.name.toLowerCase(), type)
      if (meaning.kind === 'records')
        assert.ok(meaning.records.length > 0 && meaning.ttlSeconds >= 0)
      if (meaning.kind === 'refused') assert.equal(typeof meaning.why, 'string')
    }
    const name = response.answers[dice.below(response.answers.length)]?.name
    if (name !== undefined) interpret(response, name, dice.pick(TYPES))
  },
}

const record: Target = {
  name: 'database record',
  samples: [
    Buffer.from([4, 1, 0x17, 0x10, 7, 0x61, 0x62, 0x63, 0x64, 0x65, 1, 2]),
    Buffer.from([3, 6, 7, ...Buffer.alloc(16, 0x7f)]),
    Buffer.from([2, 0x81, 0x00, ...Buffer.alloc(70, 0x61)]),
  ],
  tokens: [Buffer.from([0xff]), Buffer.from([0x80]), Buffer.from([0]), Buffer.from([13])],
  check(octets) {
    const values = parseRecord(octets)
    assert.ok(values === undefined || values.length <= 16)
  },
}

export const octetParsers: readonly Target[] = [
  dotReader,
  dotStuffer,
  lineCheck,
  inputLines,
  header,
  ownField,
  dkimBody,
  dkimSignature,
  dkimKey,
  dns,
  record,
]
