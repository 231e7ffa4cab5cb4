import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { parseDropHead } from './drop-file.ts'

const GOOD =
  'MAIL FROM:<a@x.example> BODY=8BITMIME RET=HDRS\r\nRCPT TO:<b@y.example>\nDATA 5\nhello'

it('reads a transaction, with either line end', () => {
  const head = parseDropHead(Buffer.from(GOOD))
  assert.ok(typeof head !== 'string', String(head))
  assert.deepEqual(head.envelope, {
    reversePath: { localPart: 'a', domain: 'x.example' },
    recipients: [{ mailbox: { localPart: 'b', domain: 'y.example' } }],
    body: '8bitmime',
    smtputf8: false,
    requireTls: false,
    ret: 'headers',
  })
  assert.equal(GOOD.slice(head.start), 'hello')
  assert.equal(head.size, 5)
})

it('any octets are a transaction or a reason', () => {
  const line = fc.constantFrom(...GOOD.split('\n'), 'QUIT', 'DATA x', 'RCPT TO:<>', '')
  const text = fc.array(fc.oneof(line, fc.string()), { maxLength: 8 })
  fc.assert(
    fc.property(text, (lines) => {
      const bytes = Buffer.from(lines.join('\n'))
      const head = parseDropHead(bytes)
      if (typeof head === 'string') assert.match(head, /^[ -~\r\n]+$/)
      else assert.ok(head.start <= bytes.length && head.envelope.recipients.length > 0)
    }),
  )
})
