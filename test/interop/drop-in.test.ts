// Two widespread guides to a small mail server, followed to the letter with Posthorn in the place of
// Postfix: one runs a container with a domain and a login, the other edits main.cf and OpenDKIM's
// tables. Only the ports, the data folder and the world (the sandbox) are the test's.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { testAuthority, testCertificate, testKey } from '../support/certificate.ts'
import { PosthornProcess, posthorn } from '../support/posthorn.ts'
import { missing, missingModule, PYTHON, run, temporaryFolder } from '../support/tools.ts'
import { converse } from '../support/transcript.ts'

const PASS = { dkim: 'pass', spf: 'pass', dmarc: 'pass' }
const folder = temporaryFolder()
const root = join(folder.path, 'root')
const place = (path: string, text: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
const genrsa = (path: string, bits: number) => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  execFileSync('openssl', ['genrsa', '-out', join(root, path), String(bits)], { stdio: 'ignore' })
}
const own = {
  POSTHORN_MODE: 'sandbox',
  POSTHORN_SMTP_PORT: '0',
  POSTHORN_HTTP_PORT: '0',
  POSTHORN_LOG: 'json',
  POSTHORN_DATA: join(folder.path, 'data'),
}
after(() => folder[Symbol.dispose]())

describe('a container with a domain and a login', { skip: missing('openssl') }, () => {
  const args = ['mydomain.ru', 'no-reply@N0replyuserP@ssw0rd']
  const environment = { POSTFIX_RAW_CONFIG_SMTPD_USE_TLS: 'no' }
  let server: PosthornProcess
  before(async () => {
    genrsa('/etc/postfix/dkim/dkim.key', 1024)
    server = await PosthornProcess.start({
      folder: folder.path,
      args: () => ['container', '--root', root, ...args],
      environment: () => ({ ...own, ...environment }),
    })
  })
  after(() => server?.[Symbol.asyncDispose]())

  const AUTH = Buffer.from('\0no-reply\0N0replyuserP@ssw0rd').toString('base64')

  it('says what it does otherwise, and never the password', () => {
    const notes = server.log().filter(({ setting }) => setting !== undefined)
    assert.ok(
      notes.some(
        ({ setting, message }) => setting === 'argument 2' && /never made such users/.test(message),
      ),
    )
    assert.ok(notes.some(({ message }) => /1024 bits is weak/.test(message)))
    assert.doesNotMatch(server.said(), /N0replyuserP/)
  })

  it('holds the dialogue of nc', async () => {
    await converse(
      server.port,
      `
      S: 220 mydomain.ru ESMTP*
      C: ehlo localhost
      S: ...
      S: 250 *
      C: auth plain ${AUTH}
      S: 235 2.7.0 Authentication successful
      C: mail from: no-reply@mydomain.ru
      S: 250 2.1.0 Ok
      C: rcpt to: mymail@yandex.ru
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
      `,
      { lineEnd: '\n' },
    )
    const one = await server.capture(({ envelope }) => envelope.to[0] === 'mymail@yandex.ru')
    assert.deepEqual(one.authentication, PASS)
    assert.match(await server.raw(one.id), /d=mydomain\.ru;[\s\S]*s=mail;/)
  })

  it('says what is wrong with the line that the guide encodes with a slip of the pen', async () => {
    await converse(
      server.port,
      `
      S: 220 *
      C: ehlo localhost
      S: ...
      S: 250 *
      C: auth plain Cm8tcmVwbHkATjByZXBseXVzZXJQQHNzdzByZA==
      S: 501 5.5.2 PLAIN needs NUL, the user name, NUL, the password
      C: quit
      S: 221 *
      `,
    )
  })

  it('takes the checker’s message, silently', async () => {
    const flags = ['-mailHost', '127.0.0.1', '-mailPort', String(server.port)]
    const login = ['-username', 'no-reply', '-password', 'N0replyuserP@ssw0rd']
    const mail = ['-to', 'mymail@gmail.com', '-from', 'no-reply@mydomain.ru']
    const ran = await server.command(['mail-checker', ...flags, ...login, ...mail])
    assert.deepEqual(ran, { code: 0, out: '', err: '' })
    const one = await server.capture(({ envelope }) => envelope.to[0] === 'mymail@gmail.com')
    assert.deepEqual(one.authentication, PASS)
    const raw = await server.raw(one.id)
    for (const field of ['Date', 'Message-ID']) assert.match(raw, new RegExp(`^${field}: `, 'm'))
  })

  it('is explained, with the password masked, and does not start with what it cannot read', async () => {
    const ran = await posthorn(['container', '--explain', '--root', root, ...args], {
      folder: folder.path,
      environment,
    })
    assert.equal(ran.code, 0, ran.err)
    assert.match(ran.out, /hostname: mydomain\.ru # given in argument 1/)
    assert.match(ran.out, /password: "\*+"/)
    assert.doesNotMatch(ran.out, /N0replyuserP/)
    const wrong = await posthorn(['container', '--root', root, 'mydomain.ru', 'nobody'], {
      folder: folder.path,
    })
    assert.equal(wrong.code, 4)
    assert.match(wrong.err, /argument 2: .*The right form: no-reply:PASSWORD/)
  })
})

const MAIN_CF = `
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
readme_directory = no
compatibility_level = 3.6
myhostname = mail.example.com
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mydestination = localhost
smtpd_tls_security_level = may
smtp_tls_security_level = may
smtp_tls_loglevel = 1
smtpd_tls_loglevel = 1

smtpd_tls_CAfile = /etc/letsencrypt/live/example.com/chain.pem
smtpd_tls_cert_file = /etc/letsencrypt/live/example.com/cert.pem
smtpd_tls_key_file = /etc/letsencrypt/live/example.com/privkey.pem
smtp_tls_session_cache_database = btree:/var/lib/postfix/smtp_scache
smtp_tls_mandatory_exclude_ciphers = aNULL, MD5 , DES, ADH, RC4, PSD, SRP, 3DES, eNULL
smtp_tls_mandatory_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1
smtp_tls_mandatory_ciphers=high
tls_random_source = dev:/dev/urandom
milter_default_action = accept
milter_protocol = 2
smtpd_milters = unix:/var/run/opendkim/opendkim.sock
non_smtpd_milters = unix:/var/run/opendkim/opendkim.sock
inet_protocols = ipv4
`
const MASTER_CF = `
# service type  private unpriv  chroot  wakeup  maxproc command + args
127.0.0.1:smtp     inet  n       -       n       -       -       smtpd
#smtp      inet  n       -       -       -       1       postscreen
pickup    unix  n       -       y       60      1       pickup
qmgr      unix  n       -       n       300     1       qmgr
`

describe('main.cf, master.cf and OpenDKIM’s tables', { skip: missing('openssl') }, () => {
  let server: PosthornProcess
  let said: string
  before(async () => {
    place('/etc/postfix/main.cf', MAIN_CF)
    place('/etc/postfix/master.cf', MASTER_CF)
    const live = '/etc/letsencrypt/live/example.com'
    place(`${live}/cert.pem`, testCertificate)
    place(`${live}/chain.pem`, testAuthority)
    place(`${live}/privkey.pem`, testKey)
    genrsa('/etc/opendkim/mail.private', 2048)
    const tables =
      'KeyTable file:/etc/opendkim/keytable\nSigningTable file:/etc/opendkim/signingtable\n'
    place(
      '/etc/opendkim.conf',
      `Canonicalization relaxed/relaxed\nSyslogSuccess yes\nRequireSafeKeys false\n${tables}X-Header yes\n`,
    )
    place(
      '/etc/opendkim/keytable',
      'mail._domainkey.example.com example.com:mail:/etc/opendkim/mail.private\n',
    )
    place('/etc/opendkim/signingtable', 'example.com    mail._domainkey.example.com\n')
    const line = [
      'import',
      'postfix',
      '/etc/postfix',
      '--root',
      root,
      '--write',
      'from-postfix.yaml',
    ]
    const ran = await posthorn(line, { folder: folder.path })
    assert.equal(ran.code, 0, ran.out + ran.err)
    said = ran.out
    server = await PosthornProcess.start({
      folder: folder.path,
      args: () => ['serve', '--config', 'from-postfix.yaml'],
      environment: () => own,
    })
  })
  after(() => server?.[Symbol.asyncDispose]())

  it('become a configuration, and nothing is dropped without a word', () => {
    const yaml = readFileSync(join(folder.path, 'from-postfix.yaml'), 'utf8')
    for (const line of [
      /^mode: live/m,
      /^hostname: mail\.example\.com/m,
      /^ {2}address: 127\.0\.0\.1/m,
      /^ {2}port: 25/m,
      /^ {2}tls: starttls/m,
      /^ {2}protocol: ipv4/m,
      /^ {4}selector: mail/m,
      /^ {4}key: \S+\/etc\/opendkim\/mail\.private/m,
    ])
      assert.match(yaml, line)
    const names = [...MAIN_CF.matchAll(/^(\w+) ?=/gm)].map(([, name]) => name!)
    for (const name of names) assert.ok(said.includes(` ${name}`), `${name} is not mentioned`)
    for (const name of ['canonicalization', 'syslogsuccess', 'requiresafekeys', 'x-header'])
      assert.ok(said.includes(` ${name}`), `${name} is not mentioned`)
  })

  it('smtplib sends as in the guide', { skip: missing(PYTHON) }, async () => {
    const script = `
import smtplib
from email.mime.text import MIMEText
from email.mime.multipart import MIMEMultipart
from_, to_ = 'from@example.com', 'to@other.org'
msg = MIMEMultipart('alternative')
msg['Subject'] = 'Hello from Earth'
msg['From'] = from_
msg['To'] = to_
msg.attach(MIMEText('There are test mail text content', 'plain'))
conn = smtplib.SMTP('localhost', ${server.port})
conn.sendmail(from_, [to_], msg.as_string())
conn.quit()
`
    assert.deepEqual(await run(PYTHON, ['-c', script]), { code: 0, out: '', err: '' })
    const one = await server.capture('Hello from Earth')
    assert.deepEqual(one.authentication, PASS)
    assert.match(await server.raw(one.id), /d=example\.com;[\s\S]*s=mail;/)
  })

  it('Django sends with the settings of the guide', { skip: missingModule('django') }, async () => {
    const script = `
from django.conf import settings
settings.configure(
    EMAIL_HOST='localhost', EMAIL_PORT=${server.port}, EMAIL_HOST_USER='', EMAIL_HOST_PASSWORD='',
    EMAIL_USE_TLS=False, EMAIL_BACKEND='django.core.mail.backends.smtp.EmailBackend',
    DEFAULT_FROM_EMAIL='info@example.com', USE_TZ=True)
from django.core.mail import send_mail
assert send_mail('From Django', 'text', None, ['to@other.org']) == 1
`
    assert.deepEqual(await run(PYTHON, ['-c', script]), { code: 0, out: '', err: '' })
    assert.deepEqual((await server.capture('From Django')).authentication, PASS)
  })

  it('openssl sees the certificate and its chain', async () => {
    const line = [
      's_client',
      '-starttls',
      'smtp',
      '-showcerts',
      '-connect',
      `127.0.0.1:${server.port}`,
    ]
    const { out } = await run('openssl', line, { input: 'QUIT\r\n' })
    assert.equal(out.match(/BEGIN CERTIFICATE/g)?.length, 2, out)
  })
})
