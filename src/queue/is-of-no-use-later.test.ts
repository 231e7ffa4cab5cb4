import assert from 'node:assert/strict'
import { test } from 'node:test'
import PostalMime from 'postal-mime'
import { OK, openQueue, type QueueUnderTest, says } from '../../test/support/queue.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const busy: QueueUnderTest['answer'] = ({ message }) =>
  message.reversePath ? says(451, '4.3.2', 'Busy') : OK

const deliverBy = (
  queue: QueueUnderTest,
  ms: number,
  mode: 'return' | 'notify',
  trace = false,
) => ({
  deliverBy: { at: queue.clock.now() + ms, mode, trace },
})

async function report(queue: QueueUnderTest, n = 0) {
  const notices = await queue.notices()
  assert.equal(notices.length, n + 1)
  const parsed = await PostalMime.parse(notices[n]!.content)
  const part = parsed.attachments.find(({ mimeType }) => mimeType === 'message/delivery-status')
  const content = part!.content
  const status = typeof content === 'string' ? content : Buffer.from(content as ArrayBuffer)
  return { text: parsed.text!, status: status.toString() }
}

test('what is to be returned after ten minutes is returned after ten minutes', async () => {
  await using queue = await openQueue({ languages: ['ru'] })
  queue.answer = busy
  await queue.scheduler.start()
  await queue.send({ to: 'bob@example.net', message: deliverBy(queue, 10 * MINUTE, 'return') })
  await queue.clock.advance(9 * MINUTE + 30 * SECOND)
  assert.equal((await queue.notices()).length, 0)
  await queue.clock.advance(MINUTE)
  const { text, status } = await report(queue)
  assert.match(status, /^Action: failed$/m)
  assert.match(status, /^Status: 5\.4\.7$/m)
  assert.match(status, /Busy/)
  assert.match(text, /delivered by .* or not at all/)
  assert.match(text, /не позже/)
  assert.deepEqual(await queue.store.queueCounts(), { ready: 0, held: 0 })
})

test('also when it has never been tried', async () => {
  await using queue = await openQueue()
  await queue.keep({ to: 'bob@example.net', message: deliverBy(queue, MINUTE, 'return') })
  await queue.clock.advance(2 * MINUTE)
  await queue.scheduler.start()
  await queue.clock.advance(SECOND)
  assert.match((await report(queue)).status, /^Status: 5\.4\.7$/m)
  assert.deepEqual(
    queue.batches.map(({ message }) => message.reversePath),
    [null],
  )
})

test('who wants to be told is told when the time has passed, and it is tried on', async () => {
  await using queue = await openQueue()
  queue.answer = busy
  await queue.scheduler.start()
  const notify = { success: false, failure: true, delay: false }
  await queue.send({
    to: 'bob@example.net',
    message: deliverBy(queue, 10 * MINUTE, 'notify'),
    recipient: { notify },
  })
  await queue.clock.advance(11 * MINUTE)
  const { status } = await report(queue)
  assert.match(status, /^Action: delayed$/m)
  queue.answer = () => OK
  await queue.clock.advance(2 * HOUR)
  assert.ok(queue.delivered().includes('bob@example.net'))
  assert.equal((await queue.notices()).length, 1)
})

test('each relay tells where a trace is wanted, and where the time is out of our reach', async () => {
  await using queue = await openQueue()
  queue.peerReports = true
  await queue.scheduler.start()
  await queue.send({ to: 'a@example.net', message: deliverBy(queue, HOUR, 'notify') })
  await queue.send({ to: 'b@example.net', message: deliverBy(queue, HOUR, 'notify', true) })
  await queue.send({ to: 'c@example.net', message: deliverBy(queue, HOUR, 'return') })
  await queue.send({
    to: 'd@example.net',
    message: deliverBy(queue, HOUR, 'return', true),
    recipient: { notify: 'never' },
  })
  await queue.clock.advance(MINUTE)
  const told = (await queue.notices()).map(
    ({ content }) => /Final-Recipient: rfc822; ?(\S+)/i.exec(content.toString())?.[1],
  )
  assert.deepEqual(told.toSorted(), ['b@example.net', 'c@example.net'])
})

test('what is told of a message that would rather not wait for TLS does not wait for it either', async () => {
  await using queue = await openQueue()
  queue.answer = ({ message }) => (message.reversePath ? says(550, '5.1.1', 'No such user') : OK)
  await queue.scheduler.start()
  await queue.send({ to: 'bob@example.net', message: { tlsOptional: true } })
  await queue.clock.advance(SECOND)
  const [notice] = await queue.notices()
  assert.match(notice!.content.toString(), /^TLS-Required: No\r$/m)
})
