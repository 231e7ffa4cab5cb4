import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bodyStart,
  fieldText,
  fieldValue,
  findField,
  findFields,
  fold,
  formatField,
  splitHeader,
  unfold,
} from './header.ts'

function fieldsOf(block: string) {
  const fields = splitHeader(block)
  assert.ok(Array.isArray(fields), JSON.stringify(fields))
  return fields
}

test('a block becomes its fields (RFC 5322 §2.2)', () => {
  const block =
    'From: John Doe <jdoe@machine.example>\r\n' +
    'Subject: This is\r\n a test\r\n' +
    'X-Empty:\r\n' +
    'received: one\r\n\t two\r\n' +
    'Received : obsolete blank before the colon\r\n' +
    '__proto__: polluted\r\n' +
    '\r\n'
  const fields = fieldsOf(block)
  assert.deepEqual(
    fields.map((field) => [field.name, fieldValue(field)]),
    [
      ['From', 'John Doe <jdoe@machine.example>'],
      ['Subject', 'This is a test'],
      ['X-Empty', ''],
      ['received', 'one\t two'],
      ['Received', 'obsolete blank before the colon'],
      ['__proto__', 'polluted'],
    ],
  )
  assert.equal(fields.map((field) => field.raw).join(''), block.slice(0, -2))
  assert.equal(findFields(fields, 'received').length, 2)
  assert.equal(findField(fields, 'subject')?.raw, 'Subject: This is\r\n a test\r\n')
  assert.equal(findField(fields, 'to'), undefined)
  assert.deepEqual(fieldsOf(''), [])
  assert.deepEqual(fieldsOf('\r\n'), [])
})

test('what is no header, and where', () => {
  const table: [string, number, RegExp][] = [
    ['From me\r\n', 0, /separator/],
    ['>From me Mon\r\n', 0, /separator/],
    ['A: b\r\nno colon\r\n', 6, /without a colon/],
    ['A: b\r\nwith space: c\r\n', 6, /forbidden/],
    ['A: b\r\nn\u00e4me: c\r\n', 6, /forbidden/],
    [': value\r\n', 0, /without a name/],
    [' : value\r\n', 0, /folded line/],
    [' folded: first\r\n', 0, /folded line/],
    ['A: b\r\n\r\nB: c\r\n', 6, /empty line/],
    ['A: b', 0, /without its end/],
    ['A: b\nB: c\r\n', 0, /bare/],
    ['A: b\r\nB: c\rD: e\r\n', 6, /bare/],
    ['A: b\r\n c\r\r\n', 6, /bare/],
    ['\r', 0, /without its end|bare/],
  ]
  for (const [block, position, fault] of table) {
    const result = splitHeader(block)
    assert.ok(!Array.isArray(result), block)
    assert.equal(result.position, position, block)
    assert.match(result.fault, fault, block)
  }
})

test('the body starts after the first empty line', () => {
  const table: [string, number][] = [
    ['', -1],
    ['\r\n', 2],
    ['\r\nbody', 2],
    ['A: b\r\n', -1],
    ['A: b\r\n\r', -1],
    ['A: b\r\n\r\n', 8],
    ['A: b\r\n\r\n\r\n\r\n', 8],
    ['A: b\n\nbody', -1],
  ]
  for (const [text, expected] of table) assert.equal(bodyStart(Buffer.from(text)), expected, text)
  assert.equal(bodyStart(Buffer.from('A: b\r\n\r\n'), 7), 8)
})

test('fields are written folded at 78, and never split inside a word', () => {
  const long = Array.from({ length: 30 }, (_, i) => `recipient${i}@example.com,`).join(' ')
  const field = formatField('To', long)
  for (const line of field.split('\r\n')) assert.ok(line.length <= 78, line)
  assert.equal(unfold(field), `To: ${long}`)
  assert.equal(formatField('Subject', 'short'), 'Subject: short\r\n')
  assert.equal(formatField('Subject', ''), 'Subject:\r\n')
  assert.equal(formatField('X', 'a'.repeat(900)), `X: ${'a'.repeat(900)}\r\n`)
  assert.equal(formatField('Subject', 'a'.repeat(997)), `Subject:\r\n ${'a'.repeat(997)}\r\n`)
  assert.throws(() => formatField('Subject', 'a'.repeat(998)), TypeError)
  const cyrillic = 'слово '.repeat(30).trim()
  for (const line of formatField('Subject', cyrillic).split('\r\n')) {
    assert.ok(Buffer.byteLength(line) <= 78, line)
  }
})

test('no value can start another field', () => {
  for (const bad of ['a\r\nBcc: x', 'a\nb', 'a\rb', 'a\0b', '\r\n b']) {
    assert.throws(() => formatField('Subject', bad), TypeError)
    assert.throws(() => formatField(`X${bad}`, 'value'), TypeError)
  }
  for (const name of ['', 'a b', 'a:b', 'имя', 'a'.repeat(77)]) {
    assert.throws(() => formatField(name, 'value'), TypeError)
  }
})

test('values beyond ASCII are UTF-8, or else Latin-1', () => {
  const latin1 = (text: string) => Buffer.from(text).toString('latin1')
  const [utf8, other, plain] = fieldsOf(`A: ${latin1('Привет')}\r\nB: caf\u00e9\r\nC: d\r\n`)
  assert.equal(fieldText(utf8!), 'Привет')
  assert.equal(fieldText(other!), 'caf\u00e9')
  assert.equal(fieldText(plain!), 'd')
})

const names = fc.stringMatching(/^[!-9;-~]{1,30}$/)
const values = fc.stringMatching(/^[\t -~а-я]{0,300}$/)

test('write, split and read are inverse', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(names, values)), (list) => {
      const block = list.map(([name, value]) => formatField(name, value)).join('')
      const octets = Buffer.from(block).toString('latin1')
      const fields = fieldsOf(`${octets}\r\n`)
      assert.equal(fields.map((field) => field.raw).join(''), octets)
      assert.deepEqual(
        fields.map((field) => [field.name, Buffer.from(fieldValue(field), 'latin1').toString()]),
        list.map(([name, value]) => [name, value.replace(/^[\t ]+|[\t ]+$/g, '')]),
      )
      for (const line of octets.split('\r\n')) {
        assert.ok(line.length <= 998)
        assert.ok(line === '' || line.trim() !== '', 'a line of white space only')
      }
    }),
  )
})

test('any octets give fields that join to the block, or a fault inside it', () => {
  const pieces = fc.constantFrom(
    '\r\n',
    '\r',
    '\n',
    ' ',
    '\t',
    'A',
    ':',
    'b',
    '\0',
    '\u00ff',
    'From ',
  )
  fc.assert(
    fc.property(fc.array(pieces), (list) => {
      const block = list.join('')
      const result = splitHeader(block)
      if (Array.isArray(result)) {
        const joined = result.map((field) => field.raw).join('')
        assert.ok(joined === block || `${joined}\r\n` === block)
      } else assert.ok(result.position >= 0 && result.position <= block.length)
    }),
    { numRuns: 5000 },
  )
})

test('the time is linear in the size', () => {
  const big = 1 << 20
  const blocks = [
    'A: b\r\n'.repeat(big / 8),
    `A: b${'\r\n '.repeat(big / 4)}\r\n`,
    `A: ${' '.repeat(big)}b\r\n`,
    ':'.repeat(big),
    'A'.repeat(big),
    `${'A'.repeat(big)}\r\n`,
    ' '.repeat(big),
  ]
  for (const block of blocks) splitHeader(block)
  assert.throws(() => fold(`A:${' '.repeat(big)}b`), TypeError)
  assert.equal(fold(`A: b${' c'.repeat(big)}`).length > big, true)
})

test('a letter whose last octet is a blank in Latin-1 stays whole', () => {
  const [field] = fieldsOf('Subject: \u00c2\u00a0 voil\u00c3\u00a0 \r\n')
  assert.equal(fieldText(field!), '\u00a0 voilà')
})
