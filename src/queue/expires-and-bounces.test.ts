import assert from 'node:assert/strict'
import { test } from 'node:test'
import PostalMime from 'postal-mime'
import { openQueue, says } from '../../test/support/queue.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

test('after three days the sender hears once that it was late and once that it is given up', async () => {
  await using queue = await openQueue()
  queue.answer = (_, { recipient }) =>
    recipient.mailbox.domain === 'example.net'
      ? says(451, '4.3.2', 'Back soon')
      : { kind: 'delivered', reply: { code: 250, text: ['ok'] } }
  await queue.scheduler.start()
  await queue.send({
    to: 'bob@example.net',
    content: 'Subject: =?utf-8?q?caf=C3=A9?=\r\n\r\nHi.\r\n',
  })

  await queue.clock.advance(3 * HOUR + 50 * MINUTE)
  assert.equal((await queue.notices()).length, 0)
  await queue.clock.advance(2 * HOUR)
  const [delay, ...more] = await queue.notices()
  assert.equal(more.length, 0)
  assert.deepEqual(delay?.message.reversePath, null)
  const late = await PostalMime.parse(delay!.content)
  assert.match(late.subject!, /^Delayed: your message to bob@example.net$/)
  assert.match(late.text!, /"café"/)
  assert.match(late.text!, /mx.example.net: 451 4.3.2 Back soon/)
  const lateStatus = statusOf(late)
  assert.match(lateStatus, /^Action: delayed$/m)
  assert.match(lateStatus, /^Will-Retry-Until: Thu, 08 Jan 2026 12:00:00 \+0000$/m)

  await queue.clock.advance(67 * HOUR)
  assert.equal((await queue.notices()).length, 2)
  const [, end] = await queue.notices()
  const over = await PostalMime.parse(end!.content)
  assert.match(over.subject!, /^Not delivered: /)
  assert.match(over.text!, /given up/)
  const status = statusOf(over)
  assert.match(status, /^Action: failed$/m)
  assert.match(status, /^Status: 4.3.2$/m)
  assert.deepEqual(await queue.store.queueCounts(), { ready: 0, held: 0 })
  const tries = queue.batches.filter((batch) => batch.site === 'example.net').length
  assert.ok(tries > 70 && tries < 80, `${tries} tries in three days`)
})

test('in the sandbox the whole story takes ten minutes', async () => {
  await using queue = await openQueue()
  queue.answer = (batch) =>
    batch.message.reversePath
      ? says(451, '4.7.1', 'Never')
      : { kind: 'delivered', reply: { code: 250, text: ['ok'] } }
  await queue.scheduler.start()
  await queue.send({ to: 'never@example.net', world: 'sandbox' })
  await queue.clock.advance(6_000)
  assert.equal(queue.batches.length, 2)
  await queue.clock.advance(11 * MINUTE)
  assert.deepEqual(
    (await queue.notices()).map(({ message }) => message.world),
    ['sandbox', 'sandbox'],
  )
  assert.equal((await queue.store.queueCounts()).ready, 0)
})

test('mail that expired while the server was down gets its bounce, after one try if it had none', async () => {
  await using queue = await openQueue()
  queue.answer = (batch) =>
    batch.message.reversePath
      ? says(451, '4.7.1', 'Greylisted')
      : { kind: 'delivered', reply: { code: 250, text: ['ok'] } }
  await queue.keep({ to: 'never-tried@example.net' })
  queue.clock.step(100 * HOUR)
  await queue.restart()
  await queue.clock.advance(1_000)
  assert.equal(queue.batches.length, 2, 'the try and the bounce')
  assert.equal((await queue.notices()).length, 1)
})

function statusOf(mail: Awaited<ReturnType<typeof PostalMime.parse>>): string {
  const part = mail.attachments.find((one) => one.mimeType.endsWith('delivery-status'))
  assert.ok(part, 'a delivery-status part')
  return Buffer.from(part.content as ArrayBuffer).toString()
}
