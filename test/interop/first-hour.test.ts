// What people do in their first hour with a mail server, against the program as they start it:
// look at the banner, run a small script of Python's, talk to it by hand, send with a checker.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { PosthornProcess } from '../support/posthorn.ts'
import { missing, PYTHON, run, temporaryFolder } from '../support/tools.ts'
import { converse } from '../support/transcript.ts'

const root = join(import.meta.dirname, '../..')

it('npm start says where everything is and what to try', async (t) => {
  using folder = temporaryFolder()
  const startedAt = process.hrtime.bigint()
  const child = spawn('npm', ['start', '--silent'], {
    cwd: root,
    detached: true, // npm, its shell and node end together
    env: {
      PATH: process.env.PATH,
      HOME: folder.path,
      POSTHORN_LANG: 'en',
      POSTHORN_DATA: join(folder.path, 'data'),
      POSTHORN_SMTP_PORT: '0',
      POSTHORN_HTTP_PORT: '0',
    },
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  try {
    let banner = ''
    for await (const chunk of child.stdout) {
      banner += String(chunk)
      if (banner.includes('Ctrl-C stops it.')) break
    }
    t.diagnostic(`banner after ${(process.hrtime.bigint() - startedAt) / 1_000_000n} ms`)
    assert.match(banner, /^posthorn \d+\.\d+\.\d+ {2}SANDBOX: mail is captured, nothing leaves/)
    assert.match(banner, /^ {2}SMTP +127\.0\.0\.1:\d+ {2}no password from 127\.0\.0\.0\/8/m)
    assert.match(banner, /^ {2}HTTP +http:\/\/127\.0\.0\.1:\d+/m)
    assert.match(banner, /^ {2}Try it +\S.* send-test you@example\.com$/m)
    assert.match(banner, /^ {2}Look +curl -s http:\S+\/api\/v1\/sandbox\/messages$/m)
    assert.match(banner, /^ +greylisted@example\.test +\S/m)
  } finally {
    if (child.exitCode === null) process.kill(-child.pid!, 'SIGTERM')
    await closed
  }
})

describe('a server that was just started', () => {
  let posthorn: PosthornProcess
  before(async () => {
    posthorn = await PosthornProcess.start()
  })
  after(() => posthorn?.[Symbol.asyncDispose]())

  it('takes a script of smtplib as it is, and shows what a receiver saw', {
    skip: missing(PYTHON),
  }, async () => {
    const script = `
import smtplib
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

sender, recipient = 'from@some.com', 'to@other.org'
msg = MIMEMultipart('alternative')
msg['Subject'] = 'Greetings'
msg['From'] = sender
msg['To'] = recipient
msg.attach(MIMEText('The plain part of a test', 'plain'))
msg.attach(MIMEText('''
<html>
  <body>
    <p>The other part of a test</p>
  </body>
</html>
''', 'html'))
conn = smtplib.SMTP('localhost', ${posthorn.port})
conn.sendmail(sender, [recipient], msg.as_string())
conn.quit()
`
    assert.deepEqual(await run(PYTHON, ['-c', script]), { code: 0, out: '', err: '' })
    const captured = await posthorn.capture('Greetings')
    assert.deepEqual(captured, {
      id: captured.id,
      envelope: { from: 'from@some.com', to: ['to@other.org'] },
      subject: 'Greetings',
      authentication: { dkim: 'pass', spf: 'pass', dmarc: 'pass' },
      size: captured.size,
      received_at: captured.received_at,
    })
    assert.match(captured.id, /^[0-9A-Z]{11}$/)
    assert.match(captured.received_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    const raw = await posthorn.raw(captured.id)
    assert.equal(raw.length, captured.size)
    assert.match(raw, /\r\n\r\nThe plain part of a test\r\n/)
    assert.match(raw, /\r\n {4}<p>The other part of a test<\/p>\r\n/)
    const head = raw.slice(0, raw.indexOf('\r\n\r\n'))
    for (const field of ['DKIM-Signature', 'Received', 'Date', 'Message-ID', 'From', 'To'])
      assert.match(head, new RegExp(`^${field}: `, 'm'))
    assert.match(head, /^Return-Path: <from@some\.com>\r$/m)
    assert.match(head, /^Authentication-Results: mx\.other\.org;/m)
    assert.doesNotMatch(raw, /[^\r]\n/)
  })

  describe('holds the conversation that people type into nc', () => {
    let plain: string
    before(async () => {
      const made = await posthorn.command(['credential', 'add', 'no-reply', '--json'])
      assert.equal(made.code, 0, made.err)
      const answer = JSON.parse(made.out) as Record<string, string>
      assert.deepEqual(Object.keys(answer), ['username', 'password', 'auth_plain'])
      plain = answer.auth_plain!
    })

    const script = (password: string, to: string) => `
      S: 220 * ESMTP*
      C: ehlo localhost
      S: 250-*
      S: ...
      S: 250 *
      C: auth plain ${password}
      S: 235 2.7.0 Authentication successful
      C: mail from: no-reply@mydomain.test
      S: 250 2.1.0 Ok
      C: rcpt to: ${to}
      S: 250 2.1.5 Ok
      C: data
      S: 354 End data with <CR><LF>.<CR><LF>
      C:
      C: TestMessage
      C: Ignore
      C: .
      S: 250 2.0.0 Ok: queued as *
      C: quit
      S: 221 2.0.0 Bye
      S: (closed)
    `

    const captured = async (to: string) => {
      const one = await posthorn.capture(({ envelope }) => envelope.to[0] === to)
      assert.deepEqual(one.authentication, { dkim: 'pass', spf: 'pass', dmarc: 'pass' })
      const raw = await posthorn.raw(one.id)
      assert.match(raw, /\r\nFrom: no-reply@mydomain\.test\r\n/)
      assert.ok(raw.endsWith('\r\n\r\nTestMessage\r\nIgnore\r\n'), raw)
    }

    it('with lines that end in LF', async () => {
      await converse(posthorn.port, script(plain, 'lf@yandex.test'), { lineEnd: '\n' })
      await captured('lf@yandex.test')
    })

    it('with lines that end in CR LF', async () => {
      await converse(posthorn.port, script(plain, 'crlf@yandex.test'))
      await captured('crlf@yandex.test')
    })

    it('and refuses a wrong password', async () => {
      await converse(
        posthorn.port,
        `S: 220 *
        C: ehlo localhost
        S: ...
        S: 250 *
        C: auth plain ${Buffer.from('\0no-reply\0wrong').toString('base64')}
        S: 535 5.7.8 *
        C: quit
        S: 221 *`,
        { lineEnd: '\n' },
      )
    })

    // Both send what is on their input as it is, without waiting for answers.
    const programs = [
      { name: 'nc', args: (port: number) => ['-w', '5', '127.0.0.1', `${port}`] },
      { name: 'curl', args: (port: number) => ['-sS', `telnet://127.0.0.1:${port}`] },
    ]
    for (const { name, args } of programs)
      it(`through ${name}`, { skip: missing(name) }, async () => {
        const to = `${name}@yandex.test`
        const lines = script(plain, to).matchAll(/^ *C:(?: (.*))?$/gm)
        const input = [...lines].map(([, said = '']) => `${said}\n`).join('')
        const { out } = await run(name, args(posthorn.port), { input })
        const codes = [...out.matchAll(/^(\d{3}) /gm)].map(([, code]) => code)
        assert.deepEqual(codes, ['220', '250', '235', '250', '250', '354', '250', '221'], out)
        await captured(to)
      })
  })

  it('takes what mail-checker sends with a password, and mail-checker says nothing', async () => {
    const made = await posthorn.command(['credential', 'add', 'checker', '--json'])
    const { password } = JSON.parse(made.out) as { password: string }
    const flags = ['-mailHost', '127.0.0.1', '-mailPort', `${posthorn.port}`]
    const login = (word: string) => ['-username', 'checker', '-password', word]
    const mail = ['-from', 'no-reply@mydomain.test', '-to', 'mymail@gmail.test']
    const line = ['mail-checker', ...flags, ...mail]
    assert.deepEqual(await posthorn.command([...line, ...login(password)]), {
      code: 0,
      out: '',
      err: '',
    })
    const captured = await posthorn.capture('Test message')
    assert.deepEqual(captured.envelope, {
      from: 'no-reply@mydomain.test',
      to: ['mymail@gmail.test'],
    })
    assert.match(await posthorn.raw(captured.id), /\r\nThis is a test\. Ignore this message\r\n/)
    const wrong = await posthorn.command([...line, ...login('wrong')])
    assert.equal(wrong.code, 1)
    assert.match(wrong.err, /535 5\.7\.8/)
  })

  it('is followed by send-test to the verdict', async () => {
    const sent = await posthorn.command(['send-test', 'you@example.test'])
    assert.equal(sent.code, 0, sent.out + sent.err)
    assert.match(sent.out, /accepted[\s\S]*captured[\s\S]*dkim=?\W*pass/i)
  })
})
