import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
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
  ]
  for (const [content, expected] of table) {
    for (const report of [check([content]), check(content.split(''))]) {
      assert.deepEqual({ ...report, ...expected }, report, JSON.stringify(content))
    }
  }
})

test('any octets, split anywhere, give the same report as searching the whole', () => {
  const octets = fc.array(fc.constantFrom('\r\n', '\r', '\n', 'a', '\0', '\u00ff', 'abc'))
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
      })
    }),
    { numRuns: 5000 },
  )
})
