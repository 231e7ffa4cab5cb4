// Each address that provokes something, through the whole program: what the queue does, and what the
// sender gets. All at once, since most of it is waiting.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import PostalMime from 'postal-mime'
import { type Captured, type PosthornHere, startHere } from '../support/posthorn.ts'
import { until } from '../support/tools.ts'
import { converse } from '../support/transcript.ts'

const PASS = { dkim: 'pass', spf: 'pass', dmarc: 'pass' }

let posthorn: PosthornHere
before(async () => {
  posthorn = await startHere()
})
after(() => posthorn?.[Symbol.asyncDispose]())

/** Sends to one recipient, from an address that no other test has; returns the queue id. */
async function send(to: string, from = `sender-of-${to.replace('@', '.at.')}@shop.test`) {
  const heard = await converse(
    posthorn.port,
    `S: 220 *
    C: EHLO client.test
    S: ...
    S: 250 *
    C: MAIL FROM:<${from}>
    S: 250 *
    C: RCPT TO:<${to}>
    S: 250 *
    C: DATA
    S: 354 *
    C: From: ${from}
    C: To: ${to}
    C: Subject: to ${to}
    C:
    C: text
    C: .
    S: 250 2.0.0 Ok: queued as *
    C: QUIT
    S: 221 *`,
  )
  return { id: /queued as (\w+)/.exec(heard)![1]!, from, to }
}

type Attempt = { results: { result: string; text: string }[]; tls: string | null }

/** What was tried, once the message has left the queue: capture comes a moment before that. */
function attempts(id: string): Promise<Attempt[]> {
  type Shown = { entries: unknown[]; attempts: Attempt[] }
  return until(async () => {
    const shown = await posthorn.ask<Shown>(`/api/v1/queue/${id}`)
    return shown.entries.length === 0 && shown.attempts
  }, `${id} has left the queue`)
}

const captured = (to: string) =>
  posthorn.capture(({ envelope }) => envelope.to.includes(to) && envelope.from !== '', 60)

async function notice(to: string): Promise<{ bounce: Captured; raw: string; report: string }> {
  const bounce = await posthorn.capture(
    ({ envelope }) => envelope.from === '' && envelope.to[0] === to,
  )
  const raw = await posthorn.raw(bounce.id)
  const read = await PostalMime.parse(raw)
  const part = read.attachments.find((one) => one.mimeType === 'message/delivery-status')
  return { bounce, raw, report: Buffer.from(part!.content as ArrayBuffer).toString() }
}

describe('in the sandbox', { concurrency: true }, () => {
  it('an ordinary address gets the mail at once', async () => {
    const { id, to } = await send('anybody@kunde.test')
    assert.deepEqual((await captured(to)).authentication, PASS)
    const [only, ...more] = await attempts(id)
    assert.deepEqual(more, [])
    assert.equal(only!.results[0]!.result, 'delivered')
    assert.match(only!.tls!, /^TLSv1\.3/)
  })

  const later: [string, RegExp][] = [
    ['greylisted@kunde.test', /451 4\.7\.1 Greylisted/],
    ['rate-limited@kunde.test', /421 4\.7\.0/],
    ['drops-connection@kunde.test', /closed|reset|lost/i],
    ['broken-tls@kunde.test', /TLS/],
  ]
  for (const [address, why] of later)
    it(`mail to ${address} is tried again, and then arrives once`, async () => {
      const { id, to } = await send(address)
      const entry = await until(
        async () => (await posthorn.queue()).find((one) => one.to === to && one.attempts > 0),
        'the first attempt has failed',
      )
      assert.match(entry.last_failure!, why)
      assert.deepEqual((await captured(to)).authentication, PASS)
      const tried = await attempts(id)
      assert.deepEqual(
        tried.map(({ results }) => results[0]!.result),
        ['deferred', 'delivered'],
      )
      if (address.startsWith('broken')) assert.equal(tried[1]!.tls, null)
      const all = (await posthorn.captured()).filter(({ envelope }) => envelope.to.includes(to))
      assert.equal(all.length, 1)
    })

  const never: [string, RegExp, RegExp][] = [
    ['no-such-user@kunde.test', /^Status: 5\.1\.1\r?$/m, /smtp; ?550 5\.1\.1 No such user here/],
    ['over-quota@kunde.test', /^Status: 5\.2\.2\r?$/m, /smtp; ?552 5\.2\.2 /],
    ['spam@kunde.test', /^Status: 5\.7\.1\r?$/m, /smtp; ?550 5\.7\.1 .*spam/],
    ['you@anything.invalid', /^Status: 5\.1\.2\r?$/m, /^Diagnostic-Code: X-Posthorn; ?.*invalid/m],
    ['you@null-mx.test', /^Status: 5\.1\.10\r?$/m, /^Diagnostic-Code: X-Posthorn; /m],
    ['you@no-address.test', /^Status: 5\.[14]\.[24]\r?$/m, /^Diagnostic-Code: X-Posthorn; /m],
  ]
  for (const [address, status, why] of never)
    it(`mail to ${address} comes back with the reason, signed`, async () => {
      const { id, from, to } = await send(address)
      const { bounce, raw, report } = await notice(from)
      assert.equal(bounce.authentication.dkim, 'pass')
      assert.equal(bounce.authentication.dmarc, 'pass')
      assert.match(raw, /^Auto-Submitted: auto-replied\r$/im)
      assert.match(report, new RegExp(`^Final-Recipient: rfc822; ?${to}\\r?$`, 'm'))
      assert.match(report, /^Action: failed\r?$/m)
      assert.match(report, status)
      assert.match(report.replace(/\r?\n\s+/g, ' '), why)
      assert.match(raw, new RegExp(`^Subject: to ${to}\\r$`, 'm'), 'the header goes back')
      const shown = await posthorn.ask<{ entries: unknown[] }>(`/api/v1/queue/${id}`)
      assert.deepEqual(shown.entries, [])
    })

  for (const address of ['you@unreachable.test', 'you@dns-failure.test', 'mailbox-full@kunde.test'])
    it(`mail to ${address} waits, with the reason in the queue`, async () => {
      const { id, to } = await send(address)
      const entry = await until(
        async () => (await posthorn.queue()).find((one) => one.to === to && one.attempts > 0),
        'the first attempt has failed',
      )
      assert.ok(entry.last_failure)
      const cancelled = await posthorn.ask(`/api/v1/queue/${id}/cancel`, 'POST', {})
      assert.deepEqual(cancelled, { changed: 1 })
    })

  it('mail to slow@kunde.test takes ten seconds, and arrives at the first attempt', async () => {
    const { id, to } = await send('slow@kunde.test')
    await captured(to)
    assert.equal((await attempts(id)).length, 1)
  })

  it('a bounce that cannot be delivered is not bounced', async () => {
    const { from } = await send('no-such-user+twice@kunde.test', 'nobody@shop.test')
    await until(
      () => posthorn.log('bounced').some((line) => line.from === '<>' && line.to === from),
      'the bounce was refused',
    )
    const notices = posthorn.log('notice').filter((line) => line.to === from)
    assert.equal(notices.length, 1)
  })
})
