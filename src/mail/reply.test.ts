import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  describeReply,
  formatReply,
  Refusal,
  type Reply,
  ReplyReader,
  refuse,
  reply,
} from './reply.ts'

function read(...lines: string[]): ReturnType<ReplyReader['push']> {
  const reader = new ReplyReader()
  lines.slice(0, -1).forEach((line) => {
    assert.equal(reader.push(line), undefined, line)
  })
  return reader.push(lines.at(-1)!)
}

test('replies as servers write them (RFC 5321 §4.2.1, RFC 2034)', () => {
  const table: [string[], Reply][] = [
    [['250 OK'], { code: 250, text: ['OK'] }],
    [['250'], { code: 250, text: [''] }],
    [['250 '], { code: 250, text: [''] }],
    [['250-first', '250-', '250 last'], { code: 250, text: ['first', '', 'last'] }],
    [['250-first', '250'], { code: 250, text: ['first', ''] }],
    [['354 Go'], { code: 354, text: ['Go'] }],
    [['250 2.1.5 Fine'], reply(250, '2.1.5', 'Fine')],
    [['550 5.7.26 Refused'], reply(550, '5.7.26', 'Refused')],
    [['550 5.1.1'], reply(550, '5.1.1', '')],
    [['550-5.7.1 one', '550 5.7.1 two'], reply(550, '5.7.1', 'one', 'two')],
    [['550-one', '550 5.7.1 two'], reply(550, '5.7.1', 'one', 'two')],
    [['550 4.7.1 says both'], { code: 550, text: ['4.7.1 says both'] }],
    [['354 2.0.0 Go'], { code: 354, text: ['2.0.0 Go'] }],
    [['550 5.7.1.2 no status'], { code: 550, text: ['5.7.1.2 no status'] }],
    [['550 5.1.1-glued'], { code: 550, text: ['5.1.1-glued'] }],
    [['250-2.0.0 odd', '550 end'], { code: 550, text: ['odd', 'end'] }],
    [['220 bell\u0007 tab\tesc\u001b[0m'], { code: 220, text: ['bell? tab esc?[0m'] }],
  ]
  for (const [lines, expected] of table) assert.deepEqual(read(...lines), expected, lines.join('|'))
})

test('what is no reply is a fault', () => {
  const table = [
    '',
    'hello',
    '25',
    '2500 OK',
    '150 early',
    '650 late',
    '999 x',
    '25x OK',
    ' 250 OK',
  ]
  for (const line of [...table, '250:OK', '\u0000\u0001', 'HTTP/1.1 400 Bad Request']) {
    const result = read(line)
    assert.ok(result && 'fault' in result, line)
    assert.match(result.fault, /^not an SMTP reply: [^\u0000-\u001f]*$/)
  }
})

test('replies without end are faults: 1,000 lines or 64 KiB', () => {
  const lines = new ReplyReader()
  for (let i = 0; i < 1000; i++) assert.equal(lines.push('250-'), undefined)
  assert.deepEqual(lines.push('250 end'), { fault: 'a reply without end' })
  const octets = new ReplyReader()
  for (let i = 0; i < 65; i++) assert.equal(octets.push(`250-${'x'.repeat(994)}`), undefined)
  assert.deepEqual(octets.push(`250 ${'x'.repeat(994)}`), { fault: 'a reply without end' })
})

test('one reader reads reply after reply', () => {
  const reader = new ReplyReader()
  assert.deepEqual(reader.push('550 5.1.1 no'), reply(550, '5.1.1', 'no'))
  assert.deepEqual(reader.push('250 ok'), { code: 250, text: ['ok'] })
})

test('foreign text in our replies cannot make a line', () => {
  assert.equal(formatReply(reply(550, '5.1.1', 'a\r\n250 b\u001b')), '550 5.1.1 a??250 b?\r\n')
  assert.equal(formatReply(reply(250, undefined, 'one', 'two')), '250-one\r\n250 two\r\n')
  const refusal = refuse(450, '4.7.1', 'later')
  assert.ok(refusal instanceof Refusal && !refusal.hangUp)
  assert.equal(refuse(421, '4.3.2', 'bye').hangUp, true)
})

test('a reply in a log keeps both of its codes', () => {
  assert.equal(describeReply(reply(550, '5.1.1', 'No such', 'user')), '550 5.1.1 No such user')
  assert.equal(describeReply(reply(354, undefined, 'Go on')), '354 Go on')
  assert.equal(describeReply(reply(250, undefined, '')), '250')
})

test('what one side writes, the other reads', () => {
  const texts = fc.array(fc.stringMatching(/^[ -~]{0,60}$/), { minLength: 1, maxLength: 20 })
  const code = fc.constantFrom(220, 250, 354, 421, 450, 550, 554)
  fc.assert(
    fc.property(code, fc.nat(7), fc.nat(999), texts, (code, subject, detail, text) => {
      const digit = Math.floor(code / 100)
      // A text without a status that begins like one would be read as one.
      const plain = text.map((line) => line.replace(/^\d\./, ''))
      const original: Reply =
        digit === 3
          ? { code, text: plain }
          : { code, status: { class: digit as 2 | 4 | 5, subject, detail }, text }
      const lines = formatReply(original).split('\r\n').slice(0, -1)
      assert.deepEqual(read(...lines), original)
    }),
  )
})

test('any lines give replies, faults or nothing', () => {
  const line = fc.oneof(fc.string(), fc.stringMatching(/^[2-5]\d\d[ -][ -~]*$/))
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const reader = new ReplyReader()
      for (const line of lines) reader.push(line)
    }),
    { numRuns: 2000 },
  )
})
