// Programs for the command line: swaks, msmtp and curl, each with what it offers of our protocol.

import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type PosthornHere, startHere, TLS_LISTENERS } from '../support/posthorn.ts'
import { missing, type Ran, run } from '../support/tools.ts'

let posthorn: PosthornHere
let authority: string
let password: string
before(async () => {
  posthorn = await startHere(TLS_LISTENERS)
  authority = join(posthorn.folder, 'authority.pem')
  const body = { name: 'shop' }
  password = (await posthorn.ask<{ password: string }>('/api/v1/credentials', 'POST', body))
    .password
})
after(() => posthorn?.[Symbol.asyncDispose]())

const PASS = { dkim: 'pass', spf: 'pass', dmarc: 'pass' }

/** The message as the receiver got it, after its verdict was right; `with` is how it came to us. */
async function arrived(subject: string, how: string): Promise<string> {
  const one = await posthorn.capture(subject)
  assert.deepEqual(one.authentication, PASS, subject)
  const raw = await posthorn.raw(one.id)
  assert.equal(/by mail\.sender\.example with (\S+)/.exec(raw)?.[1], how, subject)
  return raw
}

function succeeded({ code, out, err }: Ran): string {
  assert.equal(code, 0, out + err)
  return out
}

describe('swaks', { skip: missing('swaks') }, () => {
  const swaks = (subject: string, port: number, ...more: string[]) =>
    run('swaks', [
      ...['--server', '127.0.0.1', '--port', `${port}`, '--ehlo', 'client.test'],
      ...['--from', 'shop@shop.test', '--to', 'a@kunde.test', '--h-Subject', subject, ...more],
    ])
  const login = (mechanism: string, word = password) => [
    ...['--auth', mechanism, '--auth-user', 'shop', '--auth-password', word],
  ]
  const verify = () => ['--tls-verify', '--tls-ca-path', authority]

  const ways: [string, string, () => string[], string][] = [
    ['plain', 'smtp', () => [], 'ESMTP'],
    ['with HELO alone', 'smtp', () => ['--protocol', 'SMTP'], 'SMTP'],
    ['pipelined', 'smtp', () => ['--pipeline'], 'ESMTP'],
    ['with AUTH PLAIN', 'smtp', () => login('PLAIN'), 'ESMTPA'],
    ['with AUTH LOGIN', 'smtp', () => login('LOGIN'), 'ESMTPA'],
    ['over STARTTLS', 'submission', () => ['-tls', ...verify()], 'ESMTPS'],
    [
      'over STARTTLS, AUTH, pipelined',
      'submission',
      () => ['-tls', '--pipeline', ...verify(), ...login('PLAIN')],
      'ESMTPSA',
    ],
    ['over implicit TLS', 'submissions', () => ['--tls-on-connect', ...verify()], 'ESMTPS'],
    [
      'to many, pipelined',
      'smtp',
      () => ['--pipeline', '--to', 'a@kunde.test,b@kunde.test,c@other.test'],
      'ESMTP',
    ],
  ]
  for (const [name, listener, more, how] of ways)
    it(`sends ${name}`, async () => {
      const subject = `swaks ${name}`
      const out = succeeded(await swaks(subject, posthorn.ports[listener]!, ...more()))
      assert.match(out, /<[-~*] {1,2}250 2\.0\.0 Ok: queued as \w+/)
      const raw = await arrived(subject, how)
      assert.match(raw, /^Message-Id: |^Message-ID: /im)
      assert.match(raw, /\r\nThis is a test mailing\r\n/)
    })

  it('is told why a password is wrong', async () => {
    const { code, out } = await swaks('no', posthorn.port, ...login('PLAIN', 'wrong'))
    assert.equal(code, 28, out)
    assert.match(out, /535 5\.7\.8 /)
  })

  it('sees no STARTTLS where there is no certificate for it', async () => {
    const { code, out } = await swaks('no', posthorn.port, '-tls')
    assert.equal(code, 29, out)
    assert.doesNotMatch(out, /250.STARTTLS/)
  })

  it('carries an attachment of a megabyte', async () => {
    const file = join(posthorn.folder, 'attachment.bin')
    writeFileSync(file, Buffer.alloc(2 ** 20, 'attached '))
    succeeded(await swaks('swaks large', posthorn.port, '--attach', `@${file}`))
    const raw = await arrived('swaks large', 'ESMTP')
    assert.ok(raw.length > (2 ** 20 * 4) / 3)
  })
})

describe('msmtp', { skip: missing('msmtp') }, () => {
  let settings: string
  before(() => {
    settings = join(posthorn.folder, 'msmtprc')
    const { smtp, submission, submissions } = posthorn.ports
    const account = (name: string, port: number, ...lines: string[]) =>
      [
        `account ${name}`,
        'host localhost',
        `port ${port}`,
        'from shop@shop.test',
        ...lines,
        '',
      ].join('\n')
    const tls = ['tls on', `tls_trust_file ${authority}`]
    const login = ['auth on', 'user shop', `password ${password}`]
    writeFileSync(
      settings,
      account('plain', smtp!) +
        account('starttls', submission!, ...tls, ...login) +
        account('tls', submissions!, ...tls, 'tls_starttls off', ...login) +
        account('notify', smtp!, 'dsn_notify failure,delay', 'dsn_return headers'),
    )
    chmodSync(settings, 0o600)
  })

  for (const [account, how] of [
    ['plain', 'ESMTP'],
    ['starttls', 'ESMTPSA'],
    ['tls', 'ESMTPSA'],
    ['notify', 'ESMTP'],
  ] as const)
    it(`sends from its account "${account}", recipients read from the header`, async () => {
      const subject = `msmtp ${account}`
      const input = `From: shop@shop.test\nTo: a@kunde.test\nBcc: secret@hidden.test\nSubject: ${subject}\n\n.снег\n`
      succeeded(await run('msmtp', ['-C', settings, '-a', account, '-t'], { input }))
      const raw = await arrived(subject, how)
      assert.ok(Buffer.from(raw, 'latin1').toString('utf8').endsWith('\r\n\r\n.снег\r\n'))
      const hidden = await posthorn.capture(
        (one) => one.subject === subject && one.envelope.to[0] === 'secret@hidden.test',
      )
      assert.doesNotMatch(await posthorn.raw(hidden.id), /^bcc/im)
    })

  it('says with us what is wrong, and ends with an error', async () => {
    const input = 'From: shop@shop.test\nFrom: other@shop.test\nTo: a@kunde.test\n\nno\n'
    const ran = await run('msmtp', ['-C', settings, '-a', 'plain', '-t'], { input })
    assert.notEqual(ran.code, 0)
    assert.match(ran.err, /550 5\.6\.0 Two From fields/)
  })
})

describe('curl', { skip: missing('curl') }, () => {
  const curl = (url: string, subject: string, ...more: string[]) =>
    run(
      'curl',
      [
        ...['-sS', url, '--mail-from', 'shop@shop.test', '--mail-rcpt', 'a@kunde.test'],
        ...['--upload-file', '-', ...more],
      ],
      { input: `From: shop@shop.test\nTo: a@kunde.test\nSubject: ${subject}\n\n.dot\n\n.\n` },
    )

  it('sends plain, over STARTTLS and over TLS, with both mechanisms', async () => {
    const { smtp, submission, submissions } = posthorn.ports
    const login = (mechanism: string) => [
      ...['--user', `shop:${password}`, '--login-options', `AUTH=${mechanism}`],
    ]
    const trust = ['--cacert', authority, '--ssl-reqd']
    const ways: [string, string, string[]][] = [
      ['ESMTP', `smtp://127.0.0.1:${smtp}`, []],
      ['ESMTPA', `smtp://127.0.0.1:${smtp}`, login('PLAIN')],
      ['ESMTPSA', `smtp://localhost:${submission}`, [...trust, ...login('LOGIN')]],
      ['ESMTPSA', `smtps://localhost:${submissions}`, [...trust, ...login('PLAIN')]],
    ]
    await Promise.all(
      ways.map(async ([how, url, more], index) => {
        const subject = `curl ${index}`
        succeeded(await curl(url, subject, ...more, '--crlf'))
        assert.ok((await arrived(subject, how)).endsWith('\r\n\r\n.dot\r\n\r\n.\r\n'))
      }),
    )
  })

  it('is told that its lines do not end in CR LF', async () => {
    const { code } = await curl(`smtp://127.0.0.1:${posthorn.port}`, 'LF')
    assert.notEqual(code, 0)
    assert.match(
      String(posthorn.log('refused').at(-1)?.reply),
      /^550 5\.6\.11 .*CR LF\. Fix: .*--crlf$/,
    )
  })
})
