import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeWords, encodeWords } from './encoded-word.ts'
import { formatField, unfold } from './header.ts'

test('decoding for people (RFC 2047 §8 and the wild)', () => {
  const table: [string, string][] = [
    ['plain', 'plain'],
    ['=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>', 'Keith Moore <moore@cs.utk.edu>'],
    ['=?ISO-8859-1?Q?Andr=E9?= Pirard', 'André Pirard'],
    [
      '=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=',
      'If you can read this you understand the example.',
    ],
    ['(=?ISO-8859-1?Q?a?=)', '(a)'],
    ['(=?ISO-8859-1?Q?a?= b)', '(a b)'],
    ['(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a_b?=)', '(a b)'],
    ['(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)', '(a b)'],
    ['=?utf-8?b?0J/RgNC40LLQtdGC?=', 'Привет'],
    ['=?UTF-8*ru?Q?=D0=9F?=', 'П'], // RFC 2231 §5
    ['=?koi8-r?B?8NLJ18XU?=', 'Привет'],
    ['=?windows-1251?Q?=CF=F0?=', 'Пр'],
    ['=?utf-8?Q?=D0?= =?utf-8?Q?=9F?=', 'П'], // a character cut in two, as many mailers do
    ['=?x-unknown?Q?a?=', '=?x-unknown?Q?a?='],
    ['=?utf-8?Q?=ZZ?=', '=?utf-8?Q?=ZZ?='],
    ['=?utf-8?X?a?=', '=?utf-8?X?a?='],
    ['=?utf-8?Q?a', '=?utf-8?Q?a'],
    ['=?', '=?'],
    ['=?utf-8?Q??= x', ' x'],
  ]
  for (const [text, expected] of table) assert.equal(decodeWords(text), expected, text)
})

test('encoding only what needs it', () => {
  assert.equal(encodeWords('Plain subject, with (marks)'), 'Plain subject, with (marks)')
  assert.equal(encodeWords('Привет'), '=?utf-8?b?0J/RgNC40LLQtdGC?=')
  assert.equal(encodeWords('Andr\u00e9 Pirard'), '=?utf-8?q?Andr=C3=A9_Pirard?=')
  assert.equal(encodeWords('looks =?like?= one'), '=?utf-8?b?bG9va3MgPT9saWtlPz0gb25l?=')
  for (const bad of ['a\r\nBcc: x', 'a\n', 'a\0', 'a\ud800']) {
    assert.throws(() => encodeWords(bad), TypeError)
  }
})

test('what is encoded fits its words, folds, and decodes to itself', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 3000 }),
    fc.string({ unit: fc.constantFrom('я', 'a', ' ', '😀', '='), maxLength: 500 }),
  )
  fc.assert(
    fc.property(text, (original) => {
      if (/[\r\n\0\ufeff]/.test(original)) return // a leading BOM is not text
      const encoded = encodeWords(original)
      assert.match(encoded, /^[\t -~]*$/)
      if (encoded !== original) for (const word of encoded.split(' ')) assert.ok(word.length <= 75)
      const field = formatField('Subject', encoded)
      const value = unfold(field).slice('Subject:'.length).trim()
      assert.equal(decodeWords(value), original)
    }),
    { numRuns: 1000 },
  )
})

test('any text decodes in linear time', () => {
  const pieces = fc.constantFrom('=?', 'utf-8', '?', 'Q', 'B', '?=', '=', 'a', ' ', 'D0', '_')
  fc.assert(
    fc.property(fc.array(pieces), (list) => {
      decodeWords(list.join(''))
    }),
    { numRuns: 2000 },
  )
  for (const piece of [
    '=?',
    '=?a',
    '=?a?q',
    '=?a?q?',
    '=?a?q?b',
    '=?a?q?b?= ',
    '=?utf-8?q?b?= ',
    '=?=?',
    ' ',
  ]) {
    decodeWords(piece.repeat(200_000))
  }
})
