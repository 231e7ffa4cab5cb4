import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskAddresses } from './mask.ts'

test('addresses in a line become unreadable, and nothing else', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['to=<bob@example.net>, relay=mx', 'to=<b***@e***.net>, relay=mx', 'to=<***@***>, relay=mx'],
    [
      '"to":"anna@a.example b@c.org"',
      '"to":"a***a@a***.example b***@c***.org"',
      '"to":"***@*** ***@***"',
    ],
    ['no@', 'no@', 'no@'],
    [
      'message-id=<x.y@h>, from=<x.y@h>',
      'message-id=<x.y@h>, from=<x***@h***>',
      'message-id=<x.y@h>, from=<***@***>',
    ],
    ['иван@почта.рф', 'и***н@п***.рф', '***@***'],
  ]
  for (const [line, masked, hidden] of table) {
    assert.equal(maskAddresses(line, 'masked'), masked)
    assert.equal(maskAddresses(line, 'hidden'), hidden)
  }
})
