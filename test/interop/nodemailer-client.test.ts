// nodemailer as Node applications use it: one message, a pool, TLS in each way, DSN, attachments and
// addresses beyond ASCII.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import nodemailer, { type SendMailOptions, type Transporter } from 'nodemailer'
import type SMTPPool from 'nodemailer/lib/smtp-pool/index.js'
import type SMTPTransport from 'nodemailer/lib/smtp-transport/index.js'
import PostalMime from 'postal-mime'
import { type PosthornHere, startHere, TLS_LISTENERS } from '../support/posthorn.ts'

const PASS = { dkim: 'pass', spf: 'pass', dmarc: 'pass' }
const MAIL = { from: 'Shop <shop@shop.test>', to: 'a@kunde.test', text: 'Hello\n.\n' }

let posthorn: PosthornHere
let password: string
let ca: string
before(async () => {
  posthorn = await startHere(TLS_LISTENERS)
  const body = { name: 'shop' }
  password = (await posthorn.ask<{ password: string }>('/api/v1/credentials', 'POST', body))
    .password
  ca = readFileSync(join(posthorn.folder, 'authority.pem'), 'utf8')
})
after(() => posthorn?.[Symbol.asyncDispose]())

async function send(options: SMTPTransport.Options, mail: SendMailOptions) {
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port: posthorn.port,
    ...options,
  })
  try {
    return await transport.sendMail({ ...MAIL, ...mail })
  } finally {
    transport.close()
  }
}

/** The message as the receiver got it. */
async function arrived(subject: string, how: string): Promise<Buffer> {
  const one = await posthorn.capture(subject)
  assert.deepEqual(one.authentication, PASS, subject)
  const raw = await posthorn.raw(one.id)
  assert.equal(/by mail\.sender\.example with (\S+)/.exec(raw)?.[1], how, subject)
  return Buffer.from(raw, 'latin1')
}

it('sends with its defaults, and reads our queue id', async () => {
  const sent = await send({}, { subject: 'defaults' })
  const [, id] = /^250 2\.0\.0 Ok: queued as (\w+)$/.exec(sent.response) ?? []
  assert.ok(id, sent.response)
  assert.match(
    (await arrived('defaults', 'ESMTP')).toString(),
    new RegExp(` id ${id}\\s+for <a@kunde`),
  )
})

it('sends over STARTTLS and implicit TLS with a verified certificate and a password', async () => {
  const auth = { user: 'shop', pass: password }
  const { submission, submissions } = posthorn.ports
  const ways: [string, SMTPTransport.Options][] = [
    ['starttls', { port: submission!, requireTLS: true }],
    ['tls', { port: submissions!, secure: true }],
    ['LOGIN', { port: submission!, requireTLS: true, authMethod: 'LOGIN' }],
  ]
  for (const [name, options] of ways) {
    const subject = `secured ${name}`
    const secured = { host: 'localhost', tls: { ca }, auth, ...options }
    await send(secured, { subject })
    await arrived(subject, 'ESMTPSA')
  }
})

it('upgrades by itself where STARTTLS is offered, and needs no switch where it is not', async () => {
  await assert.rejects(send({ port: posthorn.ports.submission! }, {}), /unable to (get|verify)/)
  await send({ port: posthorn.ports.submission!, ignoreTLS: true }, { subject: 'in the clear' })
  await arrived('in the clear', 'ESMTP')
})

it('is told why a password is wrong', async () => {
  const auth = { user: 'shop', pass: 'wrong' }
  await assert.rejects(send({ auth }, {}), /535 5\.7\.8 /)
})

it('sends a hundred messages through a pool', async () => {
  const options: SMTPPool.Options = {
    pool: true,
    host: '127.0.0.1',
    port: posthorn.port,
    maxConnections: 5,
    maxMessages: 10,
  }
  const pool: Transporter = nodemailer.createTransport(options)
  const all = Array.from({ length: 100 }, (_, n) =>
    pool.sendMail({ ...MAIL, subject: `pooled ${n}`, to: `user${n}@kunde.test` }),
  )
  await Promise.all(all)
  pool.close()
  await posthorn.emptyQueue()
  const pooled = (await posthorn.captured()).filter(({ subject }) => subject.startsWith('pooled '))
  assert.equal(new Set(pooled.map(({ subject }) => subject)).size, 100)
  assert.equal(pooled.length, 100)
  for (const { authentication } of pooled) assert.deepEqual(authentication, PASS)
})

it('asks for notifications, and gets the one that it asked for', async () => {
  const dsn = {
    id: 'envelope-17',
    return: 'headers',
    notify: ['success'],
    recipient: 'a@shop.test',
  }
  const sent = await send({}, { subject: 'notify me', dsn } as SendMailOptions)
  assert.deepEqual(sent.accepted, ['a@kunde.test'])
  await arrived('notify me', 'ESMTP')
  const notice = await posthorn.capture(({ envelope }) => envelope.to[0] === 'shop@shop.test')
  assert.equal(notice.envelope.from, '')
  assert.equal(notice.authentication.dkim, 'pass')
  const raw = await posthorn.raw(notice.id)
  assert.match(raw, /^Original-Envelope-Id: envelope-17\r$/m)
  assert.match(raw, /^Action: relayed\r$/m)
  assert.match(raw, /^Original-Recipient: rfc822; ?a@shop\.test\r$/m)
})

it('sends addresses and subjects beyond ASCII', async () => {
  await send({}, { to: 'дядя@деревня.test', subject: 'Ёлка', text: 'снег' })
  const one = await posthorn.capture('Ёлка')
  assert.deepEqual(one.authentication, PASS)
  assert.match(one.envelope.to[0]!, /^дядя@/)
})

it('sends attachments whole, and blind copies blind', async () => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256))
  await send(
    {},
    {
      subject: 'attached',
      bcc: 'hidden@other.test',
      html: '<b>bold</b>',
      attachments: [{ filename: 'отчёт.bin', content }],
    },
  )
  for (const to of ['a@kunde.test', 'hidden@other.test']) {
    const one = await posthorn.capture(
      ({ subject, envelope }) => subject === 'attached' && envelope.to[0] === to,
    )
    assert.deepEqual(one.authentication, PASS)
    const raw = await posthorn.raw(one.id)
    assert.equal(/hidden/.test(raw), to === 'hidden@other.test')
    const read = await PostalMime.parse(Buffer.from(raw, 'latin1'))
    assert.equal(read.attachments[0]?.filename, 'отчёт.bin')
    assert.ok(content.equals(Buffer.from(read.attachments[0]!.content as ArrayBuffer)))
  }
})
