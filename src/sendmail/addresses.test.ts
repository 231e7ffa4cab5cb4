import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { cutAddresses, qualifyList } from './addresses.ts'

const lists: readonly (readonly [text: string, addresses: readonly string[], whole?: string])[] = [
  ['', []],
  ['root', ['root'], 'root@web1'],
  ['root (Cron Daemon)', ['root'], 'root@web1 (Cron Daemon)'],
  ['Cron Daemon <root>', ['root'], 'Cron Daemon <root@web1>'],
  ['"Cron, Daemon" <root>', ['root'], '"Cron, Daemon" <root@web1>'],
  ['ann@example.com', ['ann@example.com']],
  ['Ann <ann@example.com>, bob', ['ann@example.com', 'bob'], 'Ann <ann@example.com>, bob@web1'],
  ['"a@b" ', ['"a@b"'], '"a@b"@web1 '],
  ['"a,b"@example.com', ['"a,b"@example.com']],
  ['a@x.example,b@y.example', ['a@x.example', 'b@y.example']],
  ['(who?) a@x.example (a, b (nested))', ['a@x.example']],
  ['undisclosed-recipients:;', []],
  ['team: a, b@x.example;, c', ['a', 'b@x.example', 'c'], 'team: a@web1, b@x.example;, c@web1'],
  ['<>', ['']],
  [' a@x.example,\r\n\tb ', ['a@x.example', 'b'], ' a@x.example,\r\n\tb@web1 '],
  ['Ann <ann@x.example> junk, b@y.example', ['ann@x.example', 'b@y.example']],
  ['"unfinished', ['"unfinished'], '"unfinished@web1'],
  ['user@[192.0.2.1]', ['user@[192.0.2.1]']],
  ['John Doe', ['JohnDoe']],
]

describe('a list of addresses', () => {
  for (const [text, addresses, whole = text] of lists)
    it(JSON.stringify(text), () => {
      assert.deepEqual(
        cutAddresses(text).map((piece) => piece.address),
        addresses,
      )
      assert.equal(qualifyList(text, 'web1'), whole)
    })
})

it('any text is cut in bounded pieces, and only domains are added', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab@<>(),:;" \\\n.') }), (text) => {
      const whole = qualifyList(text, 'web1')
      assert.equal(whole.replaceAll('@web1', ''), text.replaceAll('@web1', ''))
      let last = 0
      for (const { start, end } of cutAddresses(text)) {
        assert.ok(start >= last && end >= start && end <= text.length)
        last = end
      }
    }),
  )
})
