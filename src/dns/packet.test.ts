import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from 'dns-packet'
import fc from 'fast-check'
import { interpret } from './interpret.ts'
import { isName, newQuery, readResponse } from './packet.ts'

const query = newQuery('www.example.com', 'MX', { edns: true })
const whole = encode({
  type: 'response',
  id: query.id,
  questions: [{ name: query.name, type: 'MX' }],
  answers: [
    { type: 'CNAME', name: 'www.example.com', data: 'mail.example.com', ttl: 60 },
    { type: 'MX', name: 'mail.example.com', data: { preference: 1, exchange: 'mx.example.com' } },
    { type: 'TXT', name: 'mail.example.com', data: ['one', 'two'] },
  ],
})

const understand = (octets: Buffer) => {
  const response = readResponse(octets, query)
  return typeof response === 'string' ? response : interpret(response, 'www.example.com', 'MX').kind
}

test('a whole response is understood', () => assert.equal(understand(whole), 'records'))

test('whatever octets follow our id, nothing is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (tail) => {
      const octets = Buffer.concat([whole.subarray(0, 2), tail])
      assert.equal(typeof understand(octets), 'string')
    }),
  )
})

test('a response that was damaged anywhere is never a crash', () => {
  const damage = fc.record({ at: fc.nat(whole.length - 1), octet: fc.nat(255) })
  fc.assert(
    fc.property(
      fc.array(damage, { minLength: 1, maxLength: 6 }),
      fc.nat(whole.length),
      (hits, to) => {
        const octets = Buffer.from(whole.subarray(0, Math.max(to, 12)))
        for (const { at, octet } of hits) if (at < octets.length) octets[at] = octet
        assert.equal(typeof understand(octets), 'string')
      },
    ),
  )
})

test('a name that points at itself is garbage', () => {
  const octets = Buffer.from(whole)
  octets.writeUInt16BE(0xc00c, 12)
  assert.equal(readResponse(octets, query), 'garbage')
})

test('a header that promises too many records is garbage', () => {
  const octets = Buffer.from(whole)
  octets.writeUInt16BE(0xffff, 6)
  assert.equal(readResponse(octets, query), 'garbage')
})

test('ids and case differ from question to question', () => {
  const name = 'a-rather-long-name.example.com'
  const queries = Array.from({ length: 50 }, () => newQuery(name, 'A', { edns: false }))
  assert.ok(new Set(queries.map((q) => q.id)).size > 40)
  assert.ok(new Set(queries.map((q) => q.name)).size > 40)
  for (const q of queries) assert.equal(q.name.toLowerCase(), name)
})

const LONG = `${'x'.repeat(60)}.`.repeat(4)
const NAMES: readonly [string, boolean][] = [
  ['example.com', true],
  ['_dmarc.example.com', true],
  ['1/25.2.0.192.in-addr.arpa', true],
  ['xn--e1afmkfd.example', true],
  ['x'.repeat(63), true],
  ['x'.repeat(64), false],
  [LONG + 'x'.repeat(9), true],
  [LONG + 'x'.repeat(10), false],
  ['', false],
  ['.', false],
  ['a..b', false],
  ['.a', false],
  ['a b', false],
  ['a\\b', false],
  ['a"b', false],
  ['a\nb', false],
  ['пример.рф', false],
]
for (const [name, good] of NAMES)
  test(`${JSON.stringify(name.slice(0, 40))} ${good ? 'can' : 'cannot'} be asked`, () =>
    assert.equal(isName(name), good))
