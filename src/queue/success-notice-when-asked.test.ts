import assert from 'node:assert/strict'
import { test } from 'node:test'
import PostalMime from 'postal-mime'
import { openQueue } from '../../test/support/queue.ts'

const ASKED = { notify: { success: true, failure: true, delay: true } }

test('NOTIFY=SUCCESS: a server without DSN took it, so we say "relayed"', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  await queue.send({ to: ['bob@example.net', 'eve@example.net'], recipient: ASKED })
  await queue.clock.advance(1_000)
  const [notice, ...more] = await queue.notices()
  assert.equal(more.length, 0, 'one report for both')
  const mail = await PostalMime.parse(notice!.content)
  const part = mail.attachments.find((one) => one.mimeType === 'message/delivery-status')
  const text = Buffer.from(part!.content as ArrayBuffer).toString()
  assert.equal(text.match(/^Action: relayed$/gm)?.length, 2)
  assert.equal(text.match(/^Status: 2.0.0$/gm)?.length, 2)
  assert.match(text, /^Diagnostic-Code: smtp; 250 2.0.0 Ok: taken$/m)
})

test('a server with DSN will report itself', async () => {
  await using queue = await openQueue()
  queue.peerReports = true
  await queue.scheduler.start()
  await queue.send({ to: 'bob@example.net', recipient: ASKED })
  await queue.clock.advance(1_000)
  assert.equal(queue.delivered().length, 1)
  assert.deepEqual(await queue.notices(), [])
})

test('success is not told unasked', async () => {
  await using queue = await openQueue()
  await queue.scheduler.start()
  await queue.send({ to: 'bob@example.net' })
  await queue.clock.advance(1_000)
  assert.deepEqual(await queue.notices(), [])
})
