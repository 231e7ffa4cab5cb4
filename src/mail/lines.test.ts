import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLineScan } from './line-scan.ts'
import { LineCheck, type LineReport } from './lines.ts'

function check(chunks: readonly string[]): LineReport {
  const lines = new LineCheck()
  for (const chunk of chunks) lines.push(Buffer.from(chunk, 'latin1'))
  return lines.report()
}

const clean = { bareCr: false, bareLf: false, nul: false, eightBit: false }

test('what is seen in content', () => {
  const table: [string, Partial<LineReport>][] = [
    ['', { ...clean, octets: 0, longestLine: 0 }],
    ['abc\r\n', { ...clean, octets: 5, longestLine: 3 }],
    ['abc\r\nabcde', { ...clean, longestLine: 5 }],
    ['\r\n\r\n', { ...clean, longestLine: 0 }],
    [`${'a'.repeat(998)}\r\nb\r\n`, { ...clean, longestLine: 998 }],
    ['a\nb', { ...clean, bareLf: true, longestLine: 3 }],
    ['a\rb', { ...clean, bareCr: true, longestLine: 3 }],
    ['a\r', { ...clean, bareCr: true, longestLine: 2 }],
    ['a\r\r\nb', { ...clean, bareCr: true, longestLine: 2 }],
    ['a\0', { ...clean, nul: true }],
    ['\u00e9\r\n', { ...clean, eightBit: true }],
    ['\u0080', { ...clean, eightBit: true }],
    ['\u007f', clean],
    ['.\r\n', { ...clean, dotted: true, closed: true }],
    ['a\r\n.b', { ...clean, dotted: true, closed: false }],
    [`${'a'.repeat(70)}.\r\n${'b'.repeat(70)}\r\n`, { ...clean, dotted: false, closed: true }],
    ['a\r', { closed: false }],
    ['\r.', { bareCr: true, dotted: false }],
  ]
  for (const [content, expected] of table) {
    for (const report of [check([content]), check(content.split(''))]) {
      assert.deepEqual({ ...report, ...expected }, report, JSON.stringify(content))
    }
  }
})

test('any octets, split anywhere, give the same report as searching the whole', () => {
  const octets = fc.array(fc.constantFrom('\r\n', '\r', '\n', 'a', '\0', '\u00ff', 'abc', '.', ' '))
  fc.assert(
    fc.property(octets, fc.array(fc.nat()), (list, places) => {
      const text = list.join('')
      const chunks: string[] = []
      let from = 0
      for (const place of places.map((n) => n % (text.length + 1)).sort((a, b) => a - b)) {
        chunks.push(text.slice(from, place))
        from = place
      }
      assert.deepEqual(check([...chunks, text.slice(from)]), {
        octets: text.length,
        longestLine: Math.max(...text.split('\r\n').map((line) => line.length)),
        bareCr: /\r(?!\n)/.test(text),
        bareLf: /(?<!\r)\n/.test(text),
        nul: text.includes('\0'),
        eightBit: text.includes('\u00ff'),
        dotted: /(^|\r\n)\./.test(text),
        closed: text.endsWith('\r\n'),
      })
    }),
    { numRuns: 5000 },
  )
})

test('what is wrong whatever follows is known at once; a last CR may still get its LF', () => {
  const fits = ['', 'a\r\n', 'a\r', 'a']
  const faulty = ['a\n', '\ra', 'a\r\r', '\0', '\r\r\n']
  for (const [content, wanted] of [
    ...fits.map((one) => [one, false] as const),
    ...faulty.map((one) => [one, true] as const),
  ])
    for (const chunks of [[content], content.split('')]) {
      const lines = new LineCheck()
      for (const chunk of chunks) lines.push(Buffer.from(chunk))
      assert.equal(lines.faulty, wanted, JSON.stringify(chunks))
    }
})

test('outside of what is untidy stands no white space that relaxed canonicalization changes', () => {
  const words = fc.constantFrom(
    'a',
    'bc',
    ' ',
    ' ',
    '\t',
    '\r\n',
    'longer',
    '\u00e9',
    '=',
    'x y z ',
  )
  fc.assert(
    fc.property(fc.array(words, { maxLength: 120 }), (list) => {
      const text = list.join('')
      const lines = new LineCheck()
      lines.push(Buffer.from(text, 'latin1'))
      const { from, to } = lines.untidy
      for (const { index } of text.matchAll(/\t| (?=[ \t\r]|$)/g)) {
        assert.ok(from <= index && index < to, `${JSON.stringify(text)} at ${index}`)
      }
    }),
    { numRuns: 5000 },
  )
  const tidy = new LineCheck()
  tidy.push(Buffer.from('one space between words\r\n and before them\r\n'.repeat(9)))
  assert.deepEqual(tidy.untidy, { from: 0, to: 0 })
})

test('sixteen octets at a time say the same as one by one', () => {
  const scan = createLineScan()
  assert.ok(scan)
  const rare = {
    weight: 1,
    arbitrary: fc.constantFrom('\r', '\n', '\0', '\t', '  ', ' \r\n', '\u00e9', '\f'),
  }
  const usual = {
    weight: 30,
    arbitrary: fc.constantFrom('word', ' x', ' letters', '\r\n', '.', '\r\n.', 'long'.repeat(9)),
  }
  let scanned = 0
  fc.assert(
    fc.property(
      fc.array(fc.oneof(usual, rare), { minLength: 20, maxLength: 90 }),
      fc.array(fc.nat(), { maxLength: 3 }),
      (list, cuts) => {
        const text = Buffer.from(list.join(''), 'latin1')
        const at = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort(
          (a, b) => a - b,
        )
        const fast = new LineCheck((chunk, open) => {
          const seen = scan(chunk, open)
          if (seen) scanned++
          return seen
        })
        const slow = new LineCheck()
        for (const [i, end] of at.slice(1).entries()) {
          const chunk = text.subarray(at[i], end)
          fast.push(chunk)
          slow.push(chunk)
          assert.deepEqual(fast.report(), slow.report())
          for (const { index } of chunk.toString('latin1').matchAll(/\t| (?=[ \t\r]|$)/g)) {
            assert.ok(
              fast.untidy.from <= index && index < fast.untidy.to,
              `${JSON.stringify(chunk)} at ${index}`,
            )
          }
          assert.ok(fast.untidy.to <= chunk.length)
          if (slow.untidy.to === 0) assert.equal(fast.untidy.to, 0)
        }
      },
    ),
    { numRuns: 2000 },
  )
  assert.ok(scanned > 500, `only ${scanned} chunks were scanned`)
})

test('a chunk that is too long for the scan is looked at all the same', () => {
  const scan = createLineScan()
  assert.equal(scan?.(Buffer.alloc(131_072, 'a'), 0), undefined)
  const lines = new LineCheck(scan)
  lines.push(Buffer.from('some words\r\n'.repeat(20_000)))
  assert.deepEqual(lines.report(), {
    ...clean,
    octets: 240_000,
    longestLine: 10,
    dotted: false,
    closed: true,
  })
})
