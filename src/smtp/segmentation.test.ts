// The same octets must get the same replies however they are cut, and no octets at all may break
// the server.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { openListener, PASSWORD, type TestListener } from '../../test/support/listener.ts'
import { Peer } from '../../test/support/transcript.ts'

let open: TestListener
before(async () => {
  open = await openListener({
    limits: { messageOctets: 2_000 },
    service: { authenticate: async () => true }, // so that the throttle remembers nothing
  })
})
after(() => open.listener.drain(0))

const credentials = Buffer.from(`\0app\0${PASSWORD}`).toString('base64')
const word = fc.constantFrom(
  'EHLO a.example\r\n',
  'HELO b\r\n',
  'MAIL FROM:<a@example.com>\r\n',
  'MAIL FROM:<a@example.com> SIZE=5000\r\n',
  'MAIL FROM:<\r\n',
  'RCPT TO:<b@example.org>\r\n',
  'RCPT TO:<nobody@example.org>\r\n',
  'DATA\r\n',
  'Subject: x\r\n\r\ntext\r\n.\r\n',
  '..\r\n',
  '.\r\n',
  `${'long '.repeat(500)}\r\n`,
  `${'y'.repeat(90)}\r\n`.repeat(30),
  'BDAT 5\r\nabc\r\n',
  'BDAT 3 LAST\r\nx\r\n',
  'BDAT 0 LAST\r\n',
  'BDAT x\r\n',
  'RSET\r\n',
  'NOOP\r\n',
  'VRFY a\r\n',
  'HELP\r\n',
  'EXPN\r\n',
  'STARTTLS\r\n',
  `AUTH PLAIN ${credentials}\r\n`,
  'AUTH LOGIN\r\n',
  '*\r\n',
  'AUTH NTLM\r\n',
  'QUIT\r\n',
  'a\nb\r\n',
  '\xff\r\n',
  '\0\r\n',
  'GET / HTTP/1.1\r\n',
)
const conversation = fc
  .array(word, { maxLength: 40 })
  .map((words) => `EHLO a\r\nMAIL FROM:<>\r\n${words.join('')}`)

/** All replies to these octets, with the client's side closed after them. */
async function replies(octets: string, segment: number): Promise<string> {
  const peer = new Peer(open.port)
  await peer.say(octets, segment)
  peer.socket.end()
  while ((await peer.line()) !== '(closed)');
  return peer.heard.replace(/queued as \d+/g, 'queued')
}

test('replies do not depend on segmentation', async () => {
  const property = fc.asyncProperty(
    conversation,
    fc.integer({ min: 1, max: 60 }),
    async (octets, segment) => {
      const whole = await replies(octets, Number.POSITIVE_INFINITY)
      assert.match(whole, /^(\d{3}[- ][^\r\n]*\r\n)+$/)
      assert.equal(await replies(octets, segment), whole)
    },
  )
  await fc.assert(property, { numRuns: 60 })
})

test('any octets at all get replies or a closed connection', async () => {
  const start = fc.constantFrom(
    '',
    'EHLO a\r\n',
    'EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n',
  )
  const any = fc
    .uint8Array({ maxLength: 3_000 })
    .map((octets) => Buffer.from(octets).toString('latin1'))
  const property = fc.asyncProperty(
    start,
    any,
    fc.integer({ min: 1, max: 500 }),
    async (begin, octets, segment) => {
      assert.match(await replies(begin + octets, segment), /^(\d{3}[- ][^\r\n]*\r\n)+$/)
    },
  )
  await fc.assert(property, { numRuns: 150 })
  assert.equal(
    open.log.some(({ fault }) => `${fault}`.includes('internal')),
    false,
  )
})
