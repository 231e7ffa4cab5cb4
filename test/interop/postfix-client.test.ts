// An application sends to its Postfix, as on most servers; Postfix has us as its relayhost.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import nodemailer from 'nodemailer'
import { logged, noPostfix, type Postfix, startPostfix } from '../support/postfix.ts'
import { type PosthornHere, startHere, TLS_LISTENERS } from '../support/posthorn.ts'
import { freePort } from '../support/tools.ts'

const PASS = { dkim: 'pass', spf: 'pass', dmarc: 'pass' }

let posthorn: PosthornHere
const relays: Postfix[] = []
after(async () => {
  for (const relay of relays) await relay[Symbol.asyncDispose]()
  await posthorn?.[Symbol.asyncDispose]()
})
before(async () => {
  if (!noPostfix) posthorn = await startHere(TLS_LISTENERS)
})

async function relay(settings: Readonly<Record<string, string>>): Promise<Postfix> {
  const postfix = await startPostfix({ port: await freePort(), settings })
  relays.push(postfix)
  return postfix
}

async function hand(postfix: Postfix, to: readonly string[], raw: string): Promise<void> {
  const transport = nodemailer.createTransport({ port: postfix.port, ignoreTLS: true })
  await transport.sendMail({ envelope: { from: 'shop@shop.test', to: [...to] }, raw })
  transport.close()
}

const to = ['a@kunde.test', 'b@kunde.test', 'c@other.test']
const message = (subject: string) =>
  `From: =?utf-8?B?0JzQsNCz0LDQt9C40L0=?= <shop@shop.test>\r\nTo: ${to.join(', ')}\r\n` +
  `Subject: ${subject}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n` +
  'Content-Transfer-Encoding: 8bit\r\n\r\nПривет\r\n.\r\nпока\r\n'

async function arrived(subject: string, how: RegExp): Promise<void> {
  const recipients: string[] = []
  while (recipients.length < to.length) {
    const one = await posthorn.capture(
      (found) => found.subject === subject && !recipients.includes(found.envelope.to[0]!),
    )
    recipients.push(...one.envelope.to)
    assert.deepEqual(one.authentication, PASS)
    const raw = Buffer.from(await posthorn.raw(one.id), 'latin1').toString('utf8')
    assert.match(raw, how)
    assert.ok(raw.endsWith('\r\n\r\nПривет\r\n.\r\nпока\r\n'), raw)
  }
  assert.deepEqual(recipients.sort(), to)
}

it('Postfix relays through us with its defaults: many recipients, 8-bit text', {
  skip: noPostfix,
}, async () => {
  const postfix = await relay({ relayhost: `[127.0.0.1]:${posthorn.port}` })
  await hand(postfix, to, message('relayed'))
  await arrived('relayed', /by mail\.sender\.example with ESMTP id/)
  await logged(postfix, /to=<c@other\.test>.* status=sent \(250 2\.0\.0 Ok: queued as \w+\)/)
  // One transaction for all of them.
  const accepted = posthorn.log('accepted').filter(({ from }) => from === 'shop@shop.test')
  assert.deepEqual(
    accepted.map(({ to: named }) => named),
    [to.join(' ')],
  )
})

it('Postfix relays through us with a password over verified TLS', { skip: noPostfix }, async () => {
  const body = { name: 'postfix' }
  type Made = { password: string }
  const { password } = await posthorn.ask<Made>('/api/v1/credentials', 'POST', body)
  const place = `[localhost]:${posthorn.ports.submission}`
  const table = join(posthorn.folder, 'passwords')
  writeFileSync(table, `${place} postfix:${password}\n`)
  const postfix = await relay({
    relayhost: place,
    smtp_host_lookup: 'native',
    smtp_tls_security_level: 'secure',
    smtp_tls_secure_cert_match: 'hostname',
    smtp_tls_CAfile: join(posthorn.folder, 'authority.pem'),
    smtp_sasl_auth_enable: 'yes',
    smtp_sasl_password_maps: `texthash:${table}`,
    smtp_sasl_security_options: 'noanonymous',
    smtp_sasl_mechanism_filter: 'plain, login',
  })
  await hand(postfix, to, message('relayed, secured'))
  await arrived('relayed, secured', /by mail\.sender\.example with ESMTPSA/)
  assert.match(postfix.log(), /Verified TLS connection established to localhost/)
})

it('what we refuse, Postfix bounces with our reason', { skip: noPostfix }, async () => {
  const [postfix] = relays
  assert.ok(postfix)
  await hand(postfix, to, message('refused').replace('Subject', 'From: b@shop.test\r\nSubject'))
  await logged(postfix, /status=bounced .*550 5\.6\.0 Two From fields/)
})
