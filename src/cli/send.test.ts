import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import PostalMime from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { type FakeControl, fakeControl, queueEntry } from '../../test/support/fake-control.ts'
import { makeApp } from '../api/app.ts'
import { ensureToken } from '../api/token.ts'
import { systemClock } from '../std/clock.ts'
import { silentLog } from '../std/log.ts'
import { runCli } from './cli.ts'
import { parseCheckerFlags } from './commands/mail-checker.ts'
import { composeTest } from './compose.ts'
import { noteRunning } from './running.ts'
import { en } from './texts-en.ts'
import { CliFault } from './world.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

type Received = { from: string; to: string; user: string; raw: string; secure: boolean }

/** nodemailer's server, which knows one password and keeps what it gets. */
async function receiver(
  options: SMTPServerOptions = {},
): Promise<{ port: number; received: Received[] }> {
  const received: Received[] = []
  const server = new SMTPServer({
    logger: false,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth({ username, password, method }, _session, done) {
      const good = method === 'PLAIN' && username === 'app' && password === 'pässword'
      if (good) done(null, { user: username })
      else done(new Error('Invalid username or password'))
    },
    onData(stream, session, done) {
      let raw = ''
      stream.setEncoding('utf8')
      stream.on('data', (text: string) => (raw += text))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo[0]?.address ?? '',
          user: String(session.user ?? ''),
          raw,
          secure: session.secure,
        })
        done(null, 'Ok: queued as 0D3KP9ZT4M0')
      })
    },
    ...options,
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { port: (server.server.address() as AddressInfo).port, received }
}

async function run(
  args: string[],
  environment: Record<string, string> = {},
  workingDirectory = '/',
) {
  let out = ''
  let err = ''
  const code = await runCli(args, {
    environment,
    workingDirectory,
    machineName: 'web-1',
    version: '0.1.0',
    program: 'posthorn',
    clock: systemClock,
    stdout: { write: (text) => void (out += text), isTTY: false, columns: 100 },
    logTo: '/dev/null',
    stderr: { write: (text) => void (err += text), isTTY: false, columns: 100 },
    engine: () => Promise.reject(new Error('not needed')),
    onSignal: () => () => {},
    exit: () => {},
  })
  return { code, out, err }
}

const login = ['-username', 'app', '-password', 'pässword']

test('mail-checker flags: one dash or two, a blank or "="', () => {
  const wanted = { mailHost: 'mx', mailPort: '26', to: 'a@b.example', subject: 'a=b', tls: true }
  for (const line of [
    ['-mailHost', 'mx', '-mailPort', '26', '-to', 'a@b.example', '-subject', 'a=b', '-tls'],
    ['--mailHost=mx', '--mailPort=26', '--to=a@b.example', '--subject=a=b', '--tls=true'],
    ['-mailHost=mx', '--mailPort', '26', '-to', 'a@b.example', '-subject=a=b', '-tls=1'],
  ]) {
    const flags = parseCheckerFlags(line, en)
    assert.deepEqual({ ...flags, ...wanted }, flags)
  }
  const flags = parseCheckerFlags([], en)
  assert.deepEqual(
    [flags.mailHost, flags.mailPort, flags.username, flags.password, flags.from, flags.to],
    ['127.0.0.1', '25', 'noreply', 'password', 'noreply@mydomain.ru', 'mymail@yandex.ru'],
  )
  assert.deepEqual(
    [flags.subject, flags.body],
    ['Test message', 'This is a test. Ignore this message'],
  )
  assert.equal(parseCheckerFlags(['-body', ''], en).body, '')
  assert.equal(parseCheckerFlags(['-tls=false'], en).tls, false)
  for (const line of [
    ['-nope'],
    ['-mailHost'],
    ['word'],
    ['-tls=maybe'],
    ['-__proto__', 'x'],
    ['-'],
  ]) {
    assert.throws(() => parseCheckerFlags(line, en), CliFault, line.join(' '))
  }
})

test('mail-checker is silent when it works, and the message arrives', async () => {
  const { port, received } = await receiver()
  const result = await run([
    'mail-checker',
    '-mailHost',
    '127.0.0.1',
    `--mailPort=${port}`,
    ...login,
    '-from=app@example.com',
    '-to',
    'you@example.org',
    '-subject',
    'Тема',
    '-body',
    '.dot\nПривет',
  ])
  assert.deepEqual(result, { code: 0, out: '', err: '' })
  assert.equal(received.length, 1)
  const [message] = received as [Received]
  assert.deepEqual(
    [message.from, message.to, message.user],
    ['app@example.com', 'you@example.org', 'app'],
  )
  const mail = await PostalMime.parse(message.raw)
  assert.deepEqual([mail.subject, mail.text?.trim()], ['Тема', '.dot\r\nПривет'])
})

test('mail-checker tells what is wrong and ends with 1', async () => {
  const { port } = await receiver()
  const plain = await receiver({ authMethods: ['LOGIN'] })
  const refusing = await receiver({
    onRcptTo: (_address, _session, done) =>
      done(Object.assign(new Error('5.1.1 No such user'), { responseCode: 550 })),
  })
  const closed = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => closed.once('listening', resolve))
  const unused = (closed.address() as AddressInfo).port
  await new Promise((resolve) => closed.close(resolve))
  for (const [args, expected] of [
    [[`-mailPort=${port}`, '-password', 'wrong'], /^The password was not accepted: 535/],
    [[`-mailPort=${unused}`], /^Cannot connect to 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\.$/m],
    [[`-mailPort=${plain.port}`, ...login], /^The server does not offer AUTH PLAIN\.$/m],
    [[`-mailPort=${refusing.port}`, ...login], /^The server refused: 550 5\.1\.1 No such user$/m],
    [[`-mailPort=${port}`, ...login, '-to', 'a b@example.org'], /cannot stand in an SMTP command/],
    [[`-mailPort=${port}`, ...login, '-to', 'a@b>\r\nDATA'], /cannot stand in an SMTP command/],
  ] as [string[], RegExp][]) {
    const { code, out, err } = await run(['mail-checker', ...args])
    assert.deepEqual([code, out], [1, ''], args.join(' '))
    assert.match(err, expected)
  }
  assert.equal((await run(['mail-checker', '-nope'])).code, 2)
  assert.match(
    (await run(['mail-checker', '-nope'])).err,
    /^flag provided but not defined: -nope$/m,
  )
})

test('mail-checker upgrades with STARTTLS and checks the certificate', async () => {
  const { port, received } = await receiver({ disabledCommands: [] })
  const refused = await run(['mail-checker', `-mailPort=${port}`, ...login])
  assert.equal(refused.code, 1)
  assert.match(refused.err, /^The server's certificate is not valid: .*\(-insecure to accept it\)/)
  const accepted = await run([
    'mail-checker',
    `-mailPort=${port}`,
    ...login,
    '-insecure',
    '-verbose',
  ])
  assert.equal(accepted.code, 0)
  assert.match(accepted.out, /^C: STARTTLS$/m)
  assert.match(accepted.out, /^C: AUTH PLAIN \*{8}$/m)
  assert.match(accepted.out, /^S: 250 .*queued as 0D3KP9ZT4M0$/m)
  assert.deepEqual([received.length, received[0]?.secure], [1, true])
})

test('mail-checker speaks TLS from the first octet with -tls', async () => {
  const { port, received } = await receiver({ secure: true })
  const result = await run(['mail-checker', `-mailPort=${port}`, ...login, '-tls', '-insecure'])
  assert.deepEqual([result.code, received.length], [0, 1])
})

test('a password goes to another machine only over TLS', async () => {
  const { port } = await receiver()
  // The same machine, under an address that is not its loopback name.
  const { code, err } = await run([
    'mail-checker',
    '-mailHost=0.0.0.0',
    `-mailPort=${port}`,
    ...login,
  ])
  assert.equal(code, 1)
  assert.match(err, /^A password over an unencrypted connection is sent only to localhost/)
})

/** A peer that says what the test wants, to each line of ours. */
async function oddPeer(
  answer: (line: string, socket: Socket) => void,
  greeting: string,
): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.setEncoding('latin1')
    socket.on('data', (text) => {
      for (const line of String(text).split('\r\n').filter(Boolean)) answer(line, socket)
    })
    socket.write(greeting)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return (server.address() as AddressInfo).port
}

test('peers that do not speak SMTP, go away or talk without end', async () => {
  for (const [greeting, answer, expected] of [
    ['HTTP/1.1 400 Bad Request\r\n', () => {}, /^This is not SMTP: HTTP\/1\.1 400/],
    ['554 go away\r\n', () => {}, /^The server refused: 554 go away/],
    ['220 x\r\n', (_line, socket) => socket.destroy(), /closed the connection/],
    ['x'.repeat(100_000), () => {}, /^This is not SMTP: x/],
    ['220 x\r\n', (_line, socket) => socket.write('250-a\r\n'.repeat(5000)), /^This is not SMTP/],
    [
      '220 \u001b[31mred\r\n',
      (_line, socket) => socket.write('550 \u001b[31mno\r\n'),
      /^The server refused: 550 no/,
    ],
  ] as [string, (line: string, socket: Socket) => void, RegExp][]) {
    const port = await oddPeer(answer, greeting)
    const { code, err } = await run(['mail-checker', `-mailPort=${port}`, ...login])
    assert.equal(code, 1)
    assert.match(err, expected)
  }
})

test('text between STARTTLS and the handshake is not believed', async () => {
  const port = await oddPeer((line, socket) => {
    if (line.startsWith('EHLO')) socket.write('250-x\r\n250 STARTTLS\r\n')
    else socket.write('220 go\r\n250 AUTH PLAIN\r\n235 fine\r\n')
  }, '220 x\r\n')
  const { code } = await run(['mail-checker', `-mailPort=${port}`, ...login, '-insecure'])
  assert.equal(code, 1)
})

/** A server of Posthorn's API beside a receiver, as a running one looks from outside. */
async function posthorn(onMessage: (control: FakeControl, subject: string) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-send-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  const control = fakeControl()
  const { port } = await receiver({
    authOptional: true,
    onData(stream, _session, done) {
      let raw = ''
      stream.on('data', (chunk: Buffer) => (raw += chunk.toString()))
      stream.on('end', async () => {
        onMessage(control, (await PostalMime.parse(raw)).subject ?? '')
        done(null, 'Ok: queued as 0D3KP9ZT4M0')
      })
    },
  })
  const about = control.about()
  control.about = () => ({ ...about, listeners: [{ ...about.listeners[0]!, port }] })
  const app = makeApp(control, {
    token: await ensureToken(folder),
    hosts: [],
    clock: systemClock,
    log: silentLog,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  cleanUps.push(() => app.close())
  await noteRunning(folder, {
    address: '127.0.0.1',
    port: (app.server.address() as AddressInfo).port,
  })
  return {
    control,
    port,
    send: (...args: string[]) => run(args, { POSTHORN_DATA: folder }, folder),
  }
}

let lastId = 8
const received = (subject: string, to = 'you@example.com') => ({
  id: String(++lastId),
  subject,
  envelope: { from: 'posthorn@example.test', to: [to] },
})

test('send-test follows the message to its verdict', async () => {
  const { send, control } = await posthorn((control, subject) => control.capture(received(subject)))
  control.capture({ id: '1' })
  const { code, out, err } = await send('send-test', 'you@example.com')
  assert.deepEqual([code, err], [0, ''])
  assert.match(
    out,
    /accepted +0D3KP9ZT4M0 {2}0\.\d KB {2}from posthorn@example\.test to you@example\.com/,
  )
  assert.match(out, /captured +DKIM pass · SPF pass · DMARC pass/)
  assert.match(out, /\/api\/v1\/sandbox\/messages\/\d+\/raw$/m)
  const russian = await send('send-test', '--lang', 'ru')
  assert.match(russian.out, /задержано +DKIM pass/)
})

test('send-test fails when the receiver is not convinced', async () => {
  const { send } = await posthorn((control, subject) =>
    control.capture({
      ...received(subject),
      authentication: { dkim: 'fail', spf: 'pass', dmarc: 'fail' },
    }),
  )
  const { code, out } = await send('send-test')
  assert.equal(code, 1)
  assert.match(out, /DKIM fail · SPF pass · DMARC fail/)
})

test('send-test tells of deferrals and bounces', async () => {
  const attempt = (result: 'deferred' | 'bounced', text: string) => ({
    at: 0,
    durationMs: 5,
    host: 'mx.example.org',
    address: '192.0.2.1',
    tls: null,
    results: [{ recipient: 'you@example.com', result, text }],
  })
  let bounced = false
  const { send, control } = await posthorn(() => {})
  control.queued = async (id) => ({
    id,
    entries: bounced ? [] : [queueEntry(id)],
    attempts: bounced
      ? [attempt('bounced', '550 5.1.1 No such user')]
      : [attempt('deferred', '450 4.2.0 Greylisted')],
  })
  const waiting = await send('send-test', '--timeout', '300ms')
  assert.equal(waiting.code, 1)
  assert.match(
    waiting.out,
    /deferred +mx\.example\.org \[192\.0\.2\.1\] {2}450 4\.2\.0 Greylisted {2}5 ms/,
  )
  assert.equal(waiting.out.match(/deferred/g)?.length, 1)
  assert.match(waiting.out, /Still in the queue after 300ms.*queue show 0D3KP9ZT4M0/)
  bounced = true
  const lost = await send('send-test')
  assert.equal(lost.code, 1)
  assert.match(lost.out, /bounced +mx\.example\.org \[192\.0\.2\.1\] {2}550 5\.1\.1 No such user/)
})

test('send-test asks for what it cannot guess', async () => {
  const { send, control } = await posthorn(() => {})
  assert.equal((await send('send-test', 'not an address')).code, 2)
  assert.equal((await send('send-test', 'a@b.example', '--timeout', 'long')).code, 2)
  const about = control.about()
  control.about = () => ({ ...about, mode: 'live' })
  assert.match((await send('send-test')).err, /In live mode give the address/)
  assert.match((await send('send-test', 'a@b.example')).err, /No live domain yet/)
  control.about = () => ({ ...about, listeners: [{ ...about.listeners[0]!, auth: 'required' }] })
  assert.match((await send('send-test')).err, /give --username and --password/)
})

test('mail-checker -wait prints the verdict of the sandbox', async () => {
  const { send, port } = await posthorn((control, subject) => control.capture(received(subject)))
  const { code, out } = await send(
    'mail-checker',
    `-mailPort=${port}`,
    ...login,
    '-wait',
    '-to=you@example.com',
  )
  assert.deepEqual([code, out], [0, 'captured  DKIM pass · SPF pass · DMARC pass\n'])
})

test('the test message is valid whatever is written into it', async () => {
  const message = composeTest({
    from: 'a@example.com',
    to: 'b@example.org',
    subject: 'Line\r\nBcc: evil@example.com',
    body: `long ${'x'.repeat(2000)}`,
    now: 0,
  })
  const mail = await PostalMime.parse(message)
  assert.equal(mail.bcc, undefined)
  assert.equal(mail.text?.trim().length, 2005)
  assert.ok(message.split('\n').every((line) => line.length <= 998))
})
