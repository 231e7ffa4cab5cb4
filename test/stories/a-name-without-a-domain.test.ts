// `root` alone, as programs of a machine write it: completed where the operator said what it stands
// for, refused with the reason elsewhere.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startHere } from '../support/posthorn.ts'
import { temporaryFolder } from '../support/tools.ts'
import { converse } from '../support/transcript.ts'

const HELLO = `S: 220 *
  C: EHLO client.example
  S: ...
  S: 250 *`

test('cron’s mail from root to root reaches a person', async () => {
  using folder = temporaryFolder()
  const aliases = join(folder.path, 'aliases')
  writeFileSync(aliases, 'root: admin@example.test\n')
  await using server = await startHere(
    {
      hostname: 'web1.internal',
      domains: { 'example.com': {} },
      rewrite: { local_domain: 'example.com', aliases: [aliases] },
    },
    { folder: folder.path },
  )
  await converse(
    server.port,
    `${HELLO}
    C: MAIL FROM:<root> SIZE=100
    S: 250 *
    C: RCPT TO:<root>
    S: 250 *
    C: RCPT TO:<root@>
    S: 501 *
    C: DATA
    S: 354 *
    C: From: Cron Daemon <root>
    C: To: root
    C: Subject: cron
    C:
    C: .
    S: 250 *
    C: QUIT
    S: 221 *`,
  )
  const { envelope, id, authentication } = await server.capture('cron')
  assert.deepEqual(envelope, { from: 'root@example.com', to: ['admin@example.test'] })
  assert.equal(authentication.dkim, 'pass')
  const raw = await server.raw(id)
  assert.match(raw, /^From: Cron Daemon <root@example\.com>\r$/m)
  assert.match(raw, /^X-Original-From: Cron Daemon <root>\r$/m)
  assert.match(raw, /^To: root@example\.com\r$/m)
})

test('without rewriting it is refused, and the session goes on', async () => {
  await using server = await startHere()
  await converse(
    server.port,
    `${HELLO}
    C: MAIL FROM:<root>
    S: 501 5.1.7 Bad sender address: *
    C: MAIL FROM:<a@example.test>
    S: 250 *
    C: RCPT TO:<root>
    S: 501 5.1.3 Bad recipient address: *
    C: RCPT TO:<accept@example.test>
    S: 250 *
    C: QUIT
    S: 221 *`,
  )
})
