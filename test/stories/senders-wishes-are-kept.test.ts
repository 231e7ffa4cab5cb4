// What a sender wishes beside delivery, over the whole way: held mail is seen in the queue and leaves
// at its time, also after a restart; urgency is granted to a credential; each wish travels on to a
// relay of ours that knows it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openListener } from '../support/listener.ts'
import { posthorn, startHere } from '../support/posthorn.ts'
import { temporaryFolder, until } from '../support/tools.ts'
import { converse } from '../support/transcript.ts'

const hello = 'S: 220 *\nC: EHLO client.test\nS: ...\nS: 250 FUTURERELEASE *\n'

const letter = (parameters: string, subject: string) => `
  C: MAIL FROM:<a@example.test>${parameters}
  C: RCPT TO:<b@example.org>
  C: DATA
  S: 250 *
  S: 250 *
  S: 354 *
  C: From: a@example.test
  C: Subject: ${subject}
  C:
  C: hello
  C: .
  S: 250 2.0.0 Ok: queued as *`

test('mail leaves when its sender wants, also when the server was started anew meanwhile', async () => {
  using folder = temporaryFolder()
  {
    await using us = await startHere({}, { folder: folder.path })
    await converse(us.port, `${hello}${letter(' HOLDFOR=6', 'soon')}`)
    await converse(us.port, `${hello}${letter(' HOLDFOR=86400', 'tomorrow')}`)
    await converse(us.port, `${hello}${letter('', 'now')}`)
    await us.capture('now')
    const listed = await us.command(['queue', 'list'])
    assert.match(listed.out, /ready\s+0\s+in (1d|2\dh)/)
  }
  await using us = await startHere({}, { folder: folder.path })
  await us.capture('soon')
  const [left, ...more] = await us.queue()
  assert.equal(more.length, 0)
  await us.ask(`/api/v1/queue/${left!.id}/retry`, 'POST')
  await us.capture('tomorrow')
})

test('a wish goes on to the next server that knows it', async () => {
  const next = await openListener({
    offers: { deliverBySeconds: 30, priority: true },
    tls: 'none',
  })
  try {
    await using us = await startHere({
      mode: 'live',
      hostname: 'mail.sender.example',
      domains: { 'example.test': { mode: 'live' } },
      relayhost: { host: '127.0.0.1', port: next.port, tls: 'none' },
      delivery: { allow_private_addresses: true },
    })
    const made = await us.ask<{ password: string }>('/api/v1/credentials', 'POST', {
      name: 'alarms',
      priority: 6,
    })
    const login = Buffer.from(`\0alarms\0${made.password}`).toString('base64')
    await converse(
      us.port,
      `${hello}C: AUTH PLAIN ${login}\nS: 235 *${letter(' BY=600;N MT-PRIORITY=6', 'urgent')}`,
    )
    await converse(us.port, `${hello}${letter(' BY=600;N MT-PRIORITY=-2', 'modest')}`)
    await until(() => next.received.length === 2, 'both have arrived')
    const urgent = next.received.find(({ content }) => content.includes('Subject: urgent'))!
    const modest = next.received.find(({ content }) => content.includes('Subject: modest'))!
    assert.deepEqual([urgent.envelope.priority, modest.envelope.priority], [6, -2])
    const { at, mode } = urgent.envelope.deliverBy!
    assert.equal(mode, 'notify')
    const left = (at - Date.now()) / 1000
    assert.ok(left > 500 && left <= 600, `${left} s are left`)
  } finally {
    await next.listener.drain(0)
  }
})

test('a credential is told of its urgency on the command line', async () => {
  using folder = temporaryFolder()
  await using us = await startHere({}, { folder: folder.path })
  const run = (...args: string[]) => posthorn(args, { folder: us.folder })
  assert.equal((await run('credential', 'add', 'alarms', '--priority', '4')).code, 0)
  assert.match((await run('credential', 'show', 'alarms')).out, /Most urgent\s+4/)
  assert.equal((await run('credential', 'set', 'alarms', '--priority', 'none')).code, 0)
  assert.doesNotMatch((await run('credential', 'show', 'alarms')).out, /urgent/)
  const wrong = await run('credential', 'set', 'alarms', '--priority', '12')
  assert.equal(wrong.code, 2)
  assert.match(wrong.err, /--priority is a number from 1 to 9/)
})
