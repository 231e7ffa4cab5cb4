import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DotReader, DotStuffer, UnsafeContent } from './dot.ts'

/** Reads a message octet by octet, as plainly as the standard says it: what DotReader is held against. */
function readPlainly(octets: string): { content: string; end: number | undefined } {
  let content = ''
  let line = ''
  let end: number | undefined
  for (let i = 0; i < octets.length && end === undefined; i++) {
    line += octets[i]
    if (!line.endsWith('\r\n')) continue
    if (line === '.\r\n') end = i + 1
    else content += line.replace(/^\./, '')
    line = ''
  }
  return { content: end === undefined ? content + line.replace(/^\./, '') : content, end }
}

function read(chunks: readonly string[]): { content: string; end: number | undefined } {
  const reader = new DotReader()
  let content = ''
  let offset = 0
  for (const chunk of chunks) {
    const { pieces, end } = reader.push(Buffer.from(chunk, 'latin1'))
    content += Buffer.concat(pieces).toString('latin1')
    if (end !== undefined) return { content, end: offset + end }
    offset += chunk.length
  }
  return { content, end: undefined }
}

test('content ends at CRLF . CRLF and nowhere else (RFC 5321 §4.5.2)', () => {
  const table: [string, string, string | undefined][] = [
    ['hello\r\n.\r\n', 'hello\r\n', ''],
    ['.\r\n', '', ''],
    ['hello\r\n.\r\nQUIT\r\n', 'hello\r\n', 'QUIT\r\n'],
    ['..\r\n.\r\n', '.\r\n', ''],
    ['a\r\n..b\r\n.\r\n', 'a\r\n.b\r\n', ''],
    ['a\r\n.b\r\n.\r\n', 'a\r\nb\r\n', ''],
    ['a\r\n...\r\n.\r\n', 'a\r\n..\r\n', ''],
    ['\r\n\r\n.\r\n', '\r\n\r\n', ''],
    ['a\n.\n', 'a\n.\n', undefined],
    ['a\n.\r\n', 'a\n.\r\n', undefined],
    ['a\r.\r', 'a\r.\r', undefined],
    ['a\r\n.\n', 'a\r\n\n', undefined],
    ['a\r\n.\r\r\n', 'a\r\n\r\r\n', undefined],
    ['a\r\r\n.\r\n', 'a\r\r\n', ''],
    ['a\r\n\0.\r\n', 'a\r\n\0.\r\n', undefined],
    ['a\r\n.\0\r\n', 'a\r\n\0\r\n', undefined],
  ]
  for (const [octets, content, rest] of table) {
    const end = rest === undefined ? undefined : octets.length - rest.length
    const name = JSON.stringify(octets)
    assert.deepEqual(read([octets]), { content, end }, name)
    // A CR that waits for its LF is the only octet that may be kept back.
    assert.deepEqual(read(octets.split('')), { content, end }, `${name} octet by octet`)
  }
})

test('nothing is copied', () => {
  const chunk = Buffer.from('hello\r\nworld\r\n')
  const { pieces } = new DotReader().push(chunk)
  assert.deepEqual(
    pieces.map((piece) => piece.buffer === chunk.buffer),
    [true],
  )
})

const octets = fc
  .array(
    fc.constantFrom('\r\n', '\r\n.', '\r', '\n', '.', 'a', '\0', '\u00ff', '.\r\n', 'line\r\n'),
  )
  .map((list) => list.join(''))

/** The text, cut at the given places. */
function cut(text: string, places: readonly number[]): string[] {
  const chunks: string[] = []
  let from = 0
  for (const place of places.map((n) => n % (text.length + 1)).sort((a, b) => a - b)) {
    chunks.push(text.slice(from, place))
    from = place
  }
  return [...chunks, text.slice(from)]
}

test('any octets, split anywhere, read as if read plainly', () => {
  fc.assert(
    fc.property(octets, fc.array(fc.nat()), (text, places) => {
      const expected = readPlainly(text)
      const { content, end } = read(cut(text, places))
      assert.equal(end, expected.end)
      // At the end of input a CR after a lone dot is still kept back.
      const keptBack = end === undefined && /(?:^|\r\n)\.\r$/.test(text) ? '\r' : ''
      assert.equal(content + keptBack, expected.content)
    }),
    { numRuns: 10_000 },
  )
})

function write(chunks: readonly string[]): string {
  const writer = new DotStuffer()
  const pieces = chunks.flatMap((chunk) => writer.push(Buffer.from(chunk, 'latin1')))
  return Buffer.concat([...pieces, writer.end()]).toString('latin1')
}

test('dots are stuffed and the end is made', () => {
  const table: [string, string][] = [
    ['', '.\r\n'],
    ['a\r\n', 'a\r\n.\r\n'],
    ['a', 'a\r\n.\r\n'],
    ['.', '..\r\n.\r\n'],
    ['.\r\n.\r\n', '..\r\n..\r\n.\r\n'],
    ['a\r\n..b\r\nc.\r\n', 'a\r\n...b\r\nc.\r\n.\r\n'],
    ['\r\n', '\r\n.\r\n'],
  ]
  for (const [content, expected] of table) {
    assert.equal(write([content]), expected, JSON.stringify(content))
    assert.equal(write(content.split('')), expected, JSON.stringify(content))
  }
})

test('bare CR, bare LF and NUL never leave', () => {
  const table = [
    'a\nb',
    'a\rb',
    'a\r',
    '\n',
    '\r\r\n',
    '\n\r',
    'a\0b',
    'a\r\n\n',
    '\r\0\n',
    'a\n.\nb',
  ]
  for (const content of table) {
    assert.throws(() => write([content]), UnsafeContent, JSON.stringify(content))
    assert.throws(() => write(content.split('')), UnsafeContent, JSON.stringify(content))
  }
})

test('what is written is read back, or refused', () => {
  fc.assert(
    fc.property(octets, fc.array(fc.nat()), fc.array(fc.nat()), (text, places, others) => {
      const unsafe = /\0|\r(?!\n)|(?<!\r)\n/.test(text)
      if (unsafe) {
        assert.throws(() => write(cut(text, places)), UnsafeContent)
        return
      }
      const wire = write(cut(text, places))
      const expected = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`
      assert.deepEqual(read(cut(`${wire}RSET\r\n`, others)), {
        content: expected,
        end: wire.length,
      })
    }),
    { numRuns: 5000 },
  )
})
