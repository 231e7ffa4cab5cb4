// A Postfix with mail that waits is stopped; its queue is brought over and sent from here.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import nodemailer from 'nodemailer'
import { logged, mailboxes, noPostfix, type Postfix, startPostfix } from '../support/postfix.ts'
import { type PosthornHere, posthorn, startHere, writeSettings } from '../support/posthorn.ts'
import { freePort, temporaryFolder, until } from '../support/tools.ts'

const LONG = 'x'.repeat(990)
const text = (subject: string, body: string) =>
  `From: Shop <shop@shop.test>\r\nTo: a@kunde.test\r\nSubject: ${subject}\r\n\r\n${body}`
const messages: Readonly<Record<string, { to: string[]; body: string }>> = {
  plain: { to: ['a@kunde.test'], body: 'Hello\r\n.\r\n..\r\n' },
  several: { to: ['a@kunde.test', 'b@kunde.test', 'c@other.test'], body: 'To many\r\n' },
  partly: { to: ['there@box.test', 'a@kunde.test'], body: 'One has it\r\n' },
  long: { to: ['a@kunde.test'], body: `${LONG}\r\n`.repeat(600) },
  'kept back': { to: ['a@kunde.test'], body: 'Wait\r\n' },
}

describe('the queue of a stopped Postfix', { skip: noPostfix }, () => {
  let postfix: Postfix
  let here: PosthornHere | undefined
  const folder = temporaryFolder()
  const spool = () => join(postfix.folder, 'spool')
  const command = (...args: string[]) =>
    posthorn(['import', 'spool', spool(), '--json', ...args], { folder: folder.path })

  before(async () => {
    const settings = { ...mailboxes('there@box.test'), relayhost: '[127.0.0.1]:1' }
    postfix = await startPostfix({ port: await freePort(), settings })
    writeSettings(folder.path, { domains: { 'shop.test': {} } })
    const transport = nodemailer.createTransport({ port: postfix.port, ignoreTLS: true })
    for (const [subject, { to, body }] of Object.entries(messages)) {
      const dsn =
        subject === 'plain'
          ? { id: 'env+1', return: 'headers' as const, notify: 'never' as const }
          : undefined
      const envelope = { from: 'shop@shop.test', to, ...(dsn && { dsn }) }
      await transport.sendMail({ envelope, raw: text(subject, body), ...(dsn && { dsn }) })
    }
    transport.close()
    await logged(postfix, /to=<there@box\.test>.*status=sent/)
    await until(
      () => (postfix.log().match(/status=deferred/g) ?? []).length >= 7 || undefined,
      'all wait',
      20,
    )
  })
  after(async () => {
    await here?.[Symbol.asyncDispose]()
    await postfix?.[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  it('is not touched while that Postfix runs', async () => {
    const ran = await command()
    assert.equal(ran.code, 1)
    assert.match(ran.err, /postfix stop/)
  })

  it('comes over whole, what was on hold too', async () => {
    const config = join(postfix.folder, 'etc')
    const last = [...postfix.log().matchAll(/cleanup\[\d+\]: (\w+): message-id/g)].at(-1)
    const id = last![1]!
    execFileSync('postsuper', ['-c', config, '-h', id], { stdio: 'ignore' })
    execFileSync('sendmail', ['-C', config, '-f', 'shop@shop.test', 'd@kunde.test'], {
      input: text('from the drop', 'Picked up\n').replaceAll('\r\n', '\n'),
    })
    await postfix.stop()
    const first = await command()
    assert.equal(first.code, 0, first.err + first.out)
    assert.deepEqual(JSON.parse(first.out), { messages: 6, recipients: 8, held: 1, left: [] })
    const second = await command()
    assert.deepEqual(JSON.parse(second.out), { messages: 0, recipients: 0, held: 0, left: [] })
  })

  it('is sent once: every recipient that had not got it, as it was', async () => {
    here = await startHere({ domains: { 'shop.test': {} } }, { folder: folder.path })
    const running = here
    await until(
      async () => (await running.queue()).length === 1 || undefined,
      'all but one left',
      30,
    )
    const [kept] = await running.queue()
    assert.equal(kept!.state, 'held')
    const captured = await running.captured()
    const got = captured
      .flatMap((one) => one.envelope.to.map((to) => `${one.subject} ${to}`))
      .sort()
    const { 'kept back': _, ...sent } = messages
    const wanted = Object.entries(sent).flatMap(([subject, { to }]) =>
      to.map((one) => `${subject} ${one}`),
    )
    const missing = 'partly there@box.test'
    assert.deepEqual(
      got,
      [...wanted, 'from the drop d@kunde.test'].filter((one) => one !== missing).sort(),
    )
    for (const one of captured) {
      assert.deepEqual(one.authentication, { dkim: 'pass', spf: 'pass', dmarc: 'pass' })
      const body = messages[one.subject]?.body
      if (body) assert.ok((await running.raw(one.id)).endsWith(`\r\n\r\n${body}`), one.subject)
    }
  })

  it('stays where it cannot be read, and is told', async () => {
    await here![Symbol.asyncDispose]()
    here = undefined
    const file = join(spool(), 'deferred', 'BAD1')
    writeFileSync(file, 'C\x7fnonsense', { mode: 0o700 })
    writeFileSync(join(spool(), 'incoming', 'HALF1'), 'C', { mode: 0o600 })
    const ran = await command()
    assert.equal(ran.code, 1)
    const { left } = JSON.parse(ran.out) as { left: { file: string; why: string }[] }
    assert.deepEqual(left.map(({ file }) => file).sort(), ['deferred/BAD1', 'incoming/HALF1'])
    assert.ok(readdirSync(join(spool(), 'deferred')).includes('BAD1'))
    rmSync(file)
  })
})
