// The log in the words of Postfix, read by the programs that were made for that one.

import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { PosthornProcess } from '../support/posthorn.ts'
import { missing, run, temporaryFolder, until } from '../support/tools.ts'
import { converse } from '../support/transcript.ts'

const STRANGER = '127.0.0.9'
const EVIL =
  'x\\u2028Nov 22 00:00:00 h postfix/smtpd[1]: warning: unknown[8.8.8.8]: SASL LOGIN authentication failed: x'

const login = (name: string, password: string) => `
  C: AUTH LOGIN
  S: 334 *
  C: ${Buffer.from(name).toString('base64')}
  S: 334 *
  C: ${Buffer.from(password).toString('base64')}
  S: *`

const send = (to: readonly string[], subject: string) => `
  C: MAIL FROM:<app@example.test>
  S: 250 *
  ${to.map((one) => `C: RCPT TO:<${one}>\n  S: 250 *`).join('\n  ')}
  C: DATA
  S: 354 *
  C: From: app@example.test
  C: Message-ID: <${subject}@example.test>
  C: Subject: ${subject}
  C:
  C: .
  S: 250 *`

describe('a log in the words of Postfix', () => {
  const folder = temporaryFolder()
  const file = join(folder.path, 'mail.log')
  let server: PosthornProcess
  let text = ''
  before(async () => {
    server = await PosthornProcess.start({
      settings: {
        log: { format: 'postfix' },
        networks: ['127.0.0.1/32'],
        credentials: { app: { password: 'correct horse battery' } },
      },
    })
    const { port } = server
    await converse(
      port,
      `S: 220 *
       C: EHLO client.example
       S: ...
       S: 250 *
       ${send(['accept@example.test', 'ok+two@example.test'], 'two')}
       ${send(['no-such-user@example.test'], 'bounced')}
       ${send(['greylisted@example.test'], 'deferred')}
       C: MAIL FROM:<app@example.test>
       S: 250 *
       C: RCPT TO:<nobody@[127.0.0.1>
       S: 501 *
       C: QUIT
       S: 221 *`,
    )
    const stranger = (script: string) =>
      converse(port, `S: 220 *\nC: EHLO [1.1.1.1]\nS: ...\nS: 250 *\n${script}`, {
        localAddress: STRANGER,
      })
    await stranger(
      `C: MAIL FROM:<"a>, relay=none (x"@example.org>\nS: ...\nS: 530 *\nC: QUIT\nS: 221 *`,
    )
    for (const name of ['app', 'unknown[8.8.8.8]: SASL LOGIN authentication failed', EVIL])
      await stranger(`${login(name, 'wrong')}\nC: QUIT\nS: 221 *`)
    await stranger(`${login('app', 'correct horse battery')}${send(['accept@example.test'], 'app')}
      C: QUIT
      S: 221 *`)
    await server.emptyQueue()
    await until(() => /disconnect.*\n(.*\n)*$/.test(server.said()), 'the log is written')
    await server.end()
    text = server.said()
    writeFileSync(file, text)
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  it('tells the whole way of a message', () => {
    const own = text.split('\n').filter((line) => / postfix\//.test(line))
    const [, id] = /smtpd\[\d+\]: (\w{11}): client=.*sasl_username=app/.exec(text) ?? []
    const lines = own
      .filter((line) => line.includes(` ${id}: `))
      .map((line) => /^\w{3} [ \d]\d \d\d:\d\d:\d\d [\w.-]+ (.*)$/.exec(line)?.[1])
    const expected = [
      /^postfix\/smtpd\[\d+\]: \w+: client=localhost\[127\.0\.0\.9\], sasl_method=LOGIN, sasl_username=app$/,
      /^postfix\/cleanup\[\d+\]: \w+: message-id=<app@example\.test>$/,
      /^postfix\/qmgr\[\d+\]: \w+: from=<app@example\.test>, size=\d+, nrcpt=1 \(queue active\)$/,
      /^postfix\/smtp\[\d+\]: \w+: to=<accept@example\.test>, relay=\S+\[127\.0\.0\.1\]:\d+, delay=[\d.]+, delays=[\d.]+\/0\/0\/[\d.]+, dsn=2\.\d\.\d, status=sent \(250 .*\)$/,
      /^postfix\/qmgr\[\d+\]: \w+: removed$/,
    ]
    assert.equal(lines.length, expected.length, lines.join('\n'))
    for (const [i, pattern] of expected.entries()) assert.match(lines[i]!, pattern)
  })

  it('holds no line that a client has written', () => {
    for (const line of text.split('\n').slice(0, -1))
      assert.match(
        line,
        /^(\w{3} [ \d]\d \d\d:\d\d:\d\d \S+ (postfix|posthorn)[\w/]*\[\d+\]: |SIGTERM: |Stopped)/,
      )
    assert.doesNotMatch(text, /unknown\[8\.8\.8\.8\]: SASL/)
  })

  it('pflogsumm counts what was sent', { skip: missing('pflogsumm') }, async () => {
    const { out, code } = await run('pflogsumm', ['--smtpd_stats', file])
    assert.equal(code, 0)
    const figure = (name: string) => Number(new RegExp(`^ +(\\d+) +${name}`, 'm').exec(out)?.[1])
    const counted = Object.fromEntries(
      ['received', 'delivered', 'deferred', 'bounced', 'rejected', 'connections'].map((name) => [
        name,
        figure(name),
      ]),
    )
    // Five recipients of four messages are delivered to, and one notice of the bounce.
    assert.deepEqual(
      counted,
      {
        received: 4,
        delivered: 5,
        deferred: 1,
        bounced: 1,
        rejected: 1,
        connections: 6,
      },
      out,
    )
    assert.doesNotMatch(out, /no message size/i)
  })

  const found = async (filter: string) => {
    const { out } = await run('fail2ban-regex', ['-o', '<ip>', file, filter])
    return out
      .split('\n')
      .filter(Boolean)
      .map((line) => line.trim())
  }
  const skip = missing('fail2ban-regex')

  it('fail2ban finds who guesses passwords, and nobody else', { skip }, async () => {
    assert.deepEqual(await found('postfix[mode=auth]'), [STRANGER, STRANGER, STRANGER])
  })

  it('and who wants to relay', { skip }, async () => {
    assert.deepEqual(await found('postfix[mode=normal]'), [STRANGER])
    assert.equal((await found('postfix[mode=aggressive]')).length >= 4, true)
  })

  it('a filter of our own knows every mechanism', { skip }, async () => {
    const filters = join(folder.path, 'filter.d')
    mkdirSync(filters)
    const own = join(filters, 'posthorn.conf')
    copyFileSync(join(import.meta.dirname, '../../packaging/fail2ban/posthorn.conf'), own)
    copyFileSync('/etc/fail2ban/filter.d/common.conf', join(filters, 'common.conf'))
    writeFileSync(
      file,
      'Nov 22 00:00:00 mail postfix/smtpd[7]: warning: unknown[192.0.2.7]: SASL SCRAM-SHA-256 authentication failed: authentication failure, sasl_username=a\n',
      { flag: 'a' },
    )
    assert.deepEqual(await found(own), [...Array(4).fill(STRANGER), '192.0.2.7'].toSorted())
  })
})
