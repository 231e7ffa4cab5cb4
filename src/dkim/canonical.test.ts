import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LineCheck } from '../mail/lines.ts'
import { BodyHasher, type Canonicalization, hashingScratch, relaxField } from './canonical.ts'

const scratch = hashingScratch()

function bodyHash(canonicalization: Canonicalization, ...chunks: (string | Uint8Array)[]): string {
  const hasher = new BodyHasher(canonicalization, scratch)
  for (const chunk of chunks) hasher.update(Buffer.from(chunk as string, 'latin1'))
  return hasher.digest()
}

/** With what the lines of each chunk say, as mail arrives. */
function hashWithLines(canonicalization: Canonicalization, chunks: readonly string[]): string {
  const hasher = new BodyHasher(canonicalization, scratch)
  const lines = new LineCheck()
  for (const chunk of chunks) {
    const octets = Buffer.from(chunk, 'latin1')
    lines.push(octets)
    if (octets.length > 0) hasher.update(octets, lines.untidy)
  }
  return hasher.digest()
}

const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('base64')

/** RFC 6376 §3.4.3 and §3.4.4 word by word, over a whole body in one string. */
function byTheBook(canonicalization: Canonicalization, body: string): string {
  if (canonicalization === 'simple') {
    let rest = body
    while (rest.endsWith('\r\n')) rest = rest.slice(0, -2)
    return `${rest}\r\n`
  }
  const lines = body
    .split('\r\n')
    .map((line) => line.replace(/[ \t]+$/, '').replace(/[ \t]+/g, ' '))
  while (lines.at(-1) === '') lines.pop()
  return lines.map((line) => `${line}\r\n`).join('')
}

describe('body canonicalization', () => {
  const sample = ' C \r\nD \t E\r\n\r\n\r\n' // RFC 6376 §3.4.5
  const table: [Canonicalization, string, string][] = [
    ['relaxed', sample, ' C\r\nD E\r\n'],
    ['simple', sample, ' C \r\nD \t E\r\n'],
    ['relaxed', '', ''],
    ['simple', '', '\r\n'],
    ['relaxed', '\r\n', ''],
    ['simple', '\r\n', '\r\n'],
    ['relaxed', ' \t\r\n \r\n', ''],
    ['relaxed', 'no line end', 'no line end\r\n'],
    ['simple', 'no line end', 'no line end\r\n'],
    ['relaxed', 'x\r\n\r\n\r\ny', 'x\r\n\r\n\r\ny\r\n'],
    ['relaxed', 'x \r\n \r\ny\t\tz ', 'x\r\n\r\ny z\r\n'],
    ['relaxed', '\r\n\r\nx', '\r\n\r\nx\r\n'],
    ['simple', 'x\r', 'x\r\r\n'],
    ['relaxed', 'x\r', 'x\r\r\n'],
  ]
  for (const [canonicalization, body, expected] of table) {
    it(`${canonicalization} of ${JSON.stringify(body)}`, () => {
      assert.equal(bodyHash(canonicalization, body), sha256(expected))
      assert.equal(bodyHash(canonicalization, ...body.split('')), sha256(expected))
    })
  }

  it('gives the well-known hashes of the empty body (RFC 6376 §3.4.3, §3.4.4)', () => {
    assert.equal(bodyHash('simple'), 'frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=')
    assert.equal(bodyHash('relaxed'), '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
  })

  const piece = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(' ', '\t', '\r\n', '  ', ' \r\n', '\r\n\r\n') },
    { weight: 3, arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', '\xa0', '\xff', '=') }) },
    { weight: 1, arbitrary: fc.integer({ min: 200, max: 9000 }).map((n) => 'x'.repeat(n)) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 9000 }).map((n) => '\r\n'.repeat(n)) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 300 }).map((n) => 'abcdefgh\r\n'.repeat(n)) },
  )
  for (const canonicalization of ['simple', 'relaxed'] as const) {
    it(`${canonicalization}: any body, split anywhere, is the book's`, () => {
      fc.assert(
        fc.property(fc.array(piece), fc.array(fc.nat(), { maxLength: 12 }), (pieces, cuts) => {
          const body = pieces.join('')
          const at = [0, ...cuts.map((cut) => cut % (body.length + 1)), body.length]
          at.sort((a, b) => a - b)
          const chunks = at.slice(1).map((end, i) => body.slice(at[i]!, end))
          const expected = sha256(byTheBook(canonicalization, body))
          assert.equal(bodyHash(canonicalization, ...chunks), expected)
          assert.equal(hashWithLines(canonicalization, chunks), expected)
        }),
        { numRuns: 400 },
      )
    })
  }

  it('serves several bodies at once with one scratch', () => {
    const a = new BodyHasher('relaxed', scratch)
    const b = new BodyHasher('relaxed', scratch)
    for (let i = 0; i < 3; i++) {
      a.update(Buffer.from('a a\r\n'))
      b.update(Buffer.from('b b\r\n'))
    }
    assert.equal(a.digest(), sha256('a a\r\na a\r\na a\r\n'))
    assert.equal(b.digest(), sha256('b b\r\nb b\r\nb b\r\n'))
  })
})

describe('relaxField', () => {
  const table: [string, string][] = [
    ['A: X\r\n', 'a:X'], // RFC 6376 §3.4.5
    ['B : Y\t\r\n\tZ  \r\n', 'b:Y Z'],
    ['Subject:', 'subject:'],
    ['Subject: \t\r\n', 'subject:'],
    ['Subject:\r\n folded at once', 'subject:folded at once'],
    ['X-Time: 10:20', 'x-time:10:20'],
    ['Subject: \xc3\xa0', 'subject:\xc3\xa0'], // 0xA0 is half a letter, not white space
    ['SUBJECT: a  b', 'subject:a b'],
  ]
  for (const [field, expected] of table) {
    it(JSON.stringify(field), () => assert.equal(relaxField(field), expected))
  }
})
