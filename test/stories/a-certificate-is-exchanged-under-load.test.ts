// Sessions are open, mail flows over both TLS doors, and certificates are exchanged again and again,
// a faulty one among them: no session breaks, no message is lost, and who connects sees the new one.

import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createTransport } from 'nodemailer'
import { issueCertificate, makeAuthority } from '../../src/std/certificate.ts'
import { systemClock } from '../../src/std/clock.ts'
import { startHere } from '../support/posthorn.ts'
import { getPeer } from '../support/tls-peer.ts'
import { until } from '../support/tools.ts'
import { Peer } from '../support/transcript.ts'

const root = makeAuthority('Root', systemClock, { days: 30 })
const EXCHANGES = 4
const CLIENTS = 6

test('a certificate is exchanged while sessions are open and mail flows', async () => {
  await using server = await startHere({
    tls: { certificate: 'certificate.pem', key: 'key.pem' },
    listeners: {
      submission: { port: 0, tls: 'starttls', auth: 'optional' },
      submissions: { port: 0, tls: 'implicit', auth: 'optional' },
    },
  })
  const { submissions = 0, submission = 0 } = server.ports
  const put = (name: string, text: string) => {
    writeFileSync(join(server.folder, `${name}.new`), text, { mode: 0o600 })
    renameSync(join(server.folder, `${name}.new`), join(server.folder, name))
  }
  const serial = async () => (await getPeer(submissions, 'localhost')).serialNumber
  const open = [await halfway(submissions, 'implicit'), await halfway(submission, 'starttls')]
  let stopped = false
  const sent: string[] = []
  const clients = Array.from({ length: CLIENTS }, (_, i) => {
    const secure = i % 2 === 0
    return createTransport({
      ...{ host: '127.0.0.1', port: secure ? submissions : submission, secure, requireTLS: true },
      // One connection for all of a client's mail: it lives through every exchange.
      ...{ pool: true, maxConnections: 1, maxMessages: Number.POSITIVE_INFINITY },
      tls: { rejectUnauthorized: false },
    })
  })
  const flows = clients.map(async (client, i) => {
    for (let n = 0; !stopped; n++) {
      const subject = `${i}-${n}`
      await client.sendMail({ from: 'a@example.com', to: 'b@example.org', subject, text: 'hello' })
      sent.push(subject)
    }
  })
  for (let turn = 0; turn < EXCHANGES; turn++) {
    const before = await serial()
    if (turn === 2) {
      put('key.pem', 'no key at all')
      await until(() => server.log().some(({ fault }) => fault === 'WRONG_TYPE'), 'it is told', 10)
      assert.equal(await serial(), before)
    }
    const { cert, key } = issueCertificate(root, ['localhost'], { clock: systemClock, days: 20 })
    put('key.pem', key)
    put('certificate.pem', cert)
    await until(async () => (await serial()) !== before, 'new connections see it', 10)
  }
  for (const finish of open) sent.push(await finish())
  stopped = true
  await Promise.all(flows)
  for (const client of clients) client.close()
  await server.emptyQueue()
  assert.ok(sent.length >= EXCHANGES * CLIENTS, `${sent.length} messages`)
  const metrics = await (await fetch(`${server.http}/metrics`)).text()
  const accepted = [...metrics.matchAll(/^posthorn_accepted_total\{.*\} (\d+)$/gm)]
  assert.equal(
    accepted.reduce((sum, [, count]) => sum + Number(count), 0),
    sent.length,
  )
})

/** A session in the middle of a transaction; the rest of it when the returned function is called. */
async function halfway(port: number, tls: 'implicit' | 'starttls'): Promise<() => Promise<string>> {
  const peer = new Peer(port, { implicitTls: tls === 'implicit' })
  const say = async (line: string, reply: RegExp) => {
    await peer.say(`${line}\r\n`)
    for (;;) {
      const heard = await peer.line()
      if (/^\d{3}-/.test(heard)) continue
      assert.match(heard, reply)
      return
    }
  }
  assert.match(await peer.line(), /^220 /)
  await say('EHLO client.test', /^250 /)
  if (tls === 'starttls') {
    await say('STARTTLS', /^220 /)
    await peer.upgrade()
    await say('EHLO client.test', /^250 /)
  }
  await say('MAIL FROM:<a@example.com>', /^250 /)
  return async () => {
    await say('RCPT TO:<b@example.org>', /^250 /)
    await say('DATA', /^354 /)
    await say('From: a@example.com\r\nSubject: halfway\r\n\r\nhello\r\n.', /^250 2\.0\.0 Ok/)
    await say('QUIT', /^221 /)
    return tls
  }
}
