// Live mail over the DNS of a small world to the servers that others run: Postfix with mailboxes,
// smtp-sink, nodemailer's smtp-server. Each has an address of its own and all the same port, as MX
// records want it. What arrives must convince a verifier that is not ours.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import nodemailer from 'nodemailer'
import { verifyMessage } from '../../src/sandbox/verify.ts'
import { logged, mailboxes, noPostfix, type Postfix, startPostfix } from '../support/postfix.ts'
import { type PosthornHere, startHere } from '../support/posthorn.ts'
import { openReceiver, type Receiver } from '../support/receiver.ts'
import {
  freePort,
  missing,
  missingModule,
  opened,
  PYTHON,
  run,
  temporaryFolder,
  until,
} from '../support/tools.ts'
import { TestWorld } from '../support/world.ts'

const parts = new AsyncDisposableStack()
let world: TestWorld
let posthorn: PosthornHere
let port: number
before(async () => {
  port = await freePort()
  world = parts.use(
    await TestWorld.open({
      'postfix.test MX': ['10 mx.postfix.test'],
      'mx.postfix.test A': ['127.0.0.2'],
      'sink.test A': ['127.0.0.3'], // no MX: the domain itself is the host
      'node.test MX': ['5 gone.node.test', '10 mx.node.test'],
      'gone.node.test A': ['127.0.0.5'], // nobody is there
      'mx.node.test A': ['127.0.0.4'],
      'sender.example MX': ['10 mx.node.test'],
    }),
  )
  posthorn = parts.use(
    await startHere({
      mode: 'live',
      hostname: 'mail.sender.example',
      public_ipv4: '192.0.2.25',
      domains: { 'sender.example': { ed25519: true } },
      dns: { servers: [world.server] },
      delivery: { port, allow_private_addresses: true },
      retry: { first: '1s', longest: '2s' },
    }),
  )
  await world.publish(posthorn, 'sender.example')
})
after(() => parts.disposeAsync())

type Letter = { readonly to: string[]; readonly subject: string; readonly extra?: string }

async function send({ to, subject, extra = '' }: Letter): Promise<void> {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port: posthorn.port })
  const raw =
    `From: Sender <me@sender.example>\r\nTo: them@all.test\r\nBcc: ${to.join(', ')}\r\n${extra}` +
    `Subject: ${subject}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    'Content-Transfer-Encoding: 8bit\r\n\r\nПривет\r\n.\r\n..\r\nконец\r\n'
  await transport.sendMail({ envelope: { from: 'me@sender.example', to }, raw })
  transport.close()
}

/** The fields that submission owes, the text untouched, and a signature that others accept. */
async function checkMessage(content: string): Promise<void> {
  const head = content.slice(0, content.search(/\r?\n\r?\n/))
  for (const field of ['Received', 'Date', 'Message-ID', 'DKIM-Signature', 'From', 'Subject'])
    assert.match(head, new RegExp(`^${field}: `, 'm'), content)
  assert.doesNotMatch(head, /^bcc:/im)
  const received = /^Received: from .*\r?\n? ?.*by mail\.sender\.example with ESMTP/m
  assert.match(head, received)
  const crlf = content.replace(/\r?\n/g, '\r\n')
  const text = Buffer.from(crlf, 'latin1').toString('utf8')
  assert.ok(text.endsWith('\r\n\r\nПривет\r\n.\r\n..\r\nконец\r\n'), text)
  const { dkim, spf, dmarc } = await verifyMessage(
    Buffer.from(crlf, 'latin1'),
    {
      address: '192.0.2.25',
      helloName: 'mail.sender.example',
      sender: 'me@sender.example',
      receiver: 'mx.test',
    },
    world.resolver,
  )
  assert.deepEqual({ dkim, spf, dmarc }, { dkim: 'pass', spf: 'pass', dmarc: 'pass' })
}

it('Postfix takes mail over TLS for its mailboxes, and what it refuses comes back', {
  skip: noPostfix,
}, async () => {
  const settings = mailboxes('anna@postfix.test', 'boris@postfix.test')
  await using postfix: Postfix = await startPostfix({ address: '127.0.0.2', port, settings })
  await using home: Receiver = await openReceiver({ address: '127.0.0.4', port })
  const to = ['anna@postfix.test', 'boris@postfix.test', 'nobody@postfix.test']
  await send({ to, subject: 'to Postfix' })
  await logged(postfix, /to=<boris@postfix\.test>.*status=sent/)
  await logged(postfix, /to=<anna@postfix\.test>.*status=sent/)
  for (const user of ['anna', 'boris']) {
    const [mail, ...more] = postfix.mailbox('postfix.test', user)
    assert.deepEqual(more, [])
    // Its own fields are on top: Return-Path, X-Original-To, Delivered-To, Received.
    assert.match(mail!, /^Return-Path: <me@sender\.example>\n/)
    assert.match(mail!, /^Received: from mail\.sender\.example .*\n.* with ESMTPS id/m)
    await checkMessage(mail!.slice(mail!.indexOf('DKIM-Signature: ')))
  }
  assert.match(postfix.log(), /TLS connection established from .*TLSv1\.3/)
  // One transaction took both, and none of them knows of the other.
  assert.equal(postfix.log().match(/ client=/g)?.length, 1)
  const bounce = await until(() => home.taken[0], 'the bounce comes home')
  assert.deepEqual([bounce.from, bounce.to], ['', ['me@sender.example']])
  assert.match(bounce.content, /^Final-Recipient: rfc822; ?nobody@postfix\.test\r$/m)
  assert.match(bounce.content, /^Diagnostic-Code: smtp; ?550 5\.1\.1 <nobody@postfix\.test>/m)
  assert.match(bounce.content, /^DKIM-Signature: .*\r\n d=sender\.example;/m)
  assert.doesNotMatch(bounce.content, /anna|boris/)
})

it('smtp-sink takes mail in every way that it can be told to', {
  skip: missing('smtp-sink'),
}, async () => {
  const ways: [string, string[]][] = [
    ['as it is', []],
    ['without PIPELINING', ['-p']],
    ['without ESMTP', ['-e']],
    ['without 8BITMIME', ['-8']],
    ['slow at the end', ['-W', '.:1']],
  ]
  for (const [name, flags] of ways) {
    using folder = temporaryFolder()
    chmodSync(folder.path, 0o777)
    await using _sink = await startSink([...flags, '-d', `${folder.path}/%M.`])
    await send({ to: ['a@sink.test', 'b@sink.test'], subject: `to smtp-sink ${name}` })
    await posthorn.emptyQueue()
    const files = readdirSync(folder.path)
    assert.equal(files.length, 1, name)
    const mail = readFileSync(join(folder.path, files[0]!), 'latin1')
    assert.match(mail, /^X-Rcpt-Args: <a@sink\.test>/m)
    assert.match(mail, /^X-Rcpt-Args: <b@sink\.test>/m)
    await checkMessage(mail.slice(mail.indexOf('DKIM-Signature: ')).replace(/\n+$/, '\n'))
  }
})

async function startSink(flags: readonly string[]): Promise<AsyncDisposable> {
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const args = [...user, ...flags, `127.0.0.3:${port}`, '100']
  const sink: ChildProcess = spawn('smtp-sink', args, {
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
    stdio: 'ignore',
  })
  const ended = new Promise<void>((resolve) => sink.once('exit', () => resolve()))
  await opened(port, 10, '127.0.0.3')
  return {
    async [Symbol.asyncDispose]() {
      sink.kill()
      await ended
    },
  }
}

it('smtp-server takes mail over STARTTLS at the second host, the first being gone', async () => {
  await using receiver = await openReceiver({ address: '127.0.0.4', port })
  await send({ to: ['a@node.test', 'b@node.test'], subject: 'to smtp-server' })
  await posthorn.emptyQueue()
  const [mail, ...more] = receiver.taken
  assert.deepEqual(more, [])
  assert.deepEqual([mail!.to, mail!.secure], [['a@node.test', 'b@node.test'], true])
  assert.match(mail!.content, /^DKIM-Signature: /)
  await checkMessage(mail!.content)
})

it('both signatures convince dkimpy', {
  skip: missingModule('dkim', 'nacl', 'dns'),
}, async () => {
  await using receiver = await openReceiver({ address: '127.0.0.4', port })
  await send({ to: ['a@node.test'], subject: 'for dkimpy', extra: 'X-Odd:  a\r\n\tb \r\n' })
  await posthorn.emptyQueue()
  const [address, dnsPort] = world.server.split(':')
  const script = `
import dkim, dns.resolver, sys
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers, resolver.port = ['${address}'], ${dnsPort}
def txt(name, timeout=5):
    return b''.join(resolver.resolve(name.decode(), 'TXT')[0].strings)
message = dkim.DKIM(sys.stdin.buffer.read())
print(*[message.verify(idx=i, dnsfunc=txt) for i in range(2)])
`
  const input = Buffer.from(receiver.taken[0]!.content, 'latin1')
  const ran = await run(PYTHON, ['-c', script], { input })
  assert.deepEqual(ran, { code: 0, out: 'True True\n', err: '' })
})
