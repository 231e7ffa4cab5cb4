// Python applications send as their libraries do by default: Django's mail functions, and smtplib
// with addresses beyond ASCII.

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import PostalMime from 'postal-mime'
import { type PosthornHere, startHere, TLS_LISTENERS } from '../support/posthorn.ts'
import { missing, missingModule, PYTHON, run } from '../support/tools.ts'

let posthorn: PosthornHere
let password: string
before(async () => {
  posthorn = await startHere(TLS_LISTENERS)
  const body = { name: 'shop' }
  password = (await posthorn.ask<{ password: string }>('/api/v1/credentials', 'POST', body))
    .password
})
after(() => posthorn?.[Symbol.asyncDispose]())

const PASS = { dkim: 'pass', spf: 'pass', dmarc: 'pass' }

async function python(script: string): Promise<void> {
  const ran = await run(PYTHON, ['-'], {
    input: script,
    environment: { SSL_CERT_FILE: `${posthorn.folder}/authority.pem` },
  })
  assert.deepEqual(ran, { code: 0, out: '', err: '' })
}

const django = (settings: string, script: string) => `
from django.conf import settings
settings.configure(EMAIL_HOST='127.0.0.1', DEFAULT_FROM_EMAIL='shop@shop.test', USE_TZ=True, ${settings})
from django.core import mail
assert mail.get_connection().__class__.__module__ == 'django.core.mail.backends.smtp'
${script}
`

const noDjango = missingModule('django')

it('Django sends with its default backend', { skip: noDjango }, async () => {
  await python(
    django(
      `EMAIL_PORT=${posthorn.port}`,
      `
assert mail.send_mail('Ваш заказ № 1 — принят', 'Спасибо!\\n.\\nконец', None, ['anna@kunde.test']) == 1

message = mail.EmailMultiAlternatives(
    'With an attachment', 'plain', 'Магазин <shop@shop.test>',
    ['a@one.test', 'b@two.test'], bcc=['hidden@three.test'], cc=['c@four.test'],
    headers={'X-Order': '17'})
message.attach_alternative('<p>html</p>', 'text/html')
message.attach('отчёт.bin', bytes(range(256)) * 40, 'application/octet-stream')
assert message.send() == 1
`,
    ),
  )
  const first = await posthorn.capture('Ваш заказ № 1 — принят')
  assert.deepEqual(first.authentication, PASS)
  const plain = await PostalMime.parse(Buffer.from(await posthorn.raw(first.id), 'latin1'))
  assert.equal(plain.text, 'Спасибо!\n.\nконец\n')

  const attached = (to: string) =>
    posthorn.capture((one) => one.subject === 'With an attachment' && one.envelope.to[0] === to)
  for (const to of ['a@one.test', 'b@two.test', 'hidden@three.test', 'c@four.test']) {
    const one = await attached(to)
    assert.deepEqual(one.authentication, PASS)
    const raw = await posthorn.raw(one.id)
    // Who is not hidden has no copy that names who is; the Return-Path is the receiver's.
    if (to !== 'hidden@three.test') assert.doesNotMatch(raw, /hidden/)
    const read = await PostalMime.parse(Buffer.from(raw, 'latin1'))
    assert.equal(read.from?.name, 'Магазин')
    assert.equal(read.headers.find(({ key }) => key === 'x-order')?.value, '17')
    assert.equal(read.html?.trim(), '<p>html</p>')
    assert.equal(read.attachments[0]?.filename, 'отчёт.bin')
    const octets = Buffer.from(read.attachments[0]!.content as ArrayBuffer)
    assert.ok(
      octets.equals(Buffer.alloc(10_240, Buffer.from(Array.from({ length: 256 }, (_, i) => i)))),
    )
  }
})

it('Django sends many in one session', { skip: noDjango }, async () => {
  await python(
    django(
      `EMAIL_PORT=${posthorn.port}`,
      `
many = tuple((f'Mass {n}', f'text {n}', None, [f'user{n}@many.test']) for n in range(30))
assert mail.send_mass_mail(many) == 30
`,
    ),
  )
  for (let n = 0; n < 30; n++) {
    const one = await posthorn.capture(`Mass ${n}`)
    assert.deepEqual([one.envelope.to, one.authentication], [[`user${n}@many.test`], PASS])
  }
  const sessions = posthorn.log('session').filter(({ accepted }) => accepted === 30)
  assert.equal(sessions.length, 1)
})

it('Django logs in over STARTTLS, and over TLS from the start', { skip: noDjango }, async () => {
  const ways = { submission: 'EMAIL_USE_TLS=True', submissions: 'EMAIL_USE_SSL=True' }
  for (const [listener, flag] of Object.entries(ways)) {
    const login = `EMAIL_HOST_USER='shop', EMAIL_HOST_PASSWORD='${password}'`
    const settings = `EMAIL_PORT=${posthorn.ports[listener]}, ${flag}, ${login}`
    const subject = `Secured by ${listener}`
    await python(django(settings, `mail.send_mail('${subject}', '', None, ['a@kunde.test'])`))
    const raw = await posthorn.raw((await posthorn.capture(subject)).id)
    assert.match(raw, /^Received: from [^;]* by mail\.sender\.example with ESMTPSA/m)
  }
})

it('Django sees a refusal as an exception with our words', { skip: noDjango }, async () => {
  await python(
    django(
      `EMAIL_PORT=${posthorn.port}`,
      `
import smtplib
try:
    mail.EmailMessage('s', 'b', 'a@shop.test', ['b@kunde.test'],
                      headers={'From': 'a@shop.test, other@shop.test'}).send()
    raise SystemExit('was accepted')
except smtplib.SMTPDataError as error:
    assert error.smtp_code == 550 and b'more than one address' in error.smtp_error, error
`,
    ),
  )
})

it('smtplib sends to and from addresses beyond ASCII', { skip: missing(PYTHON) }, async () => {
  await python(`
import smtplib
from email.message import EmailMessage
message = EmailMessage()
message['From'] = 'почта@пример.test'
message['To'] = 'дядя@деревня.test'
message['Subject'] = 'Ёлка'
message.set_content('снег ❄\\n', cte='8bit')
with smtplib.SMTP('127.0.0.1', ${posthorn.port}) as connection:
    assert connection.send_message(message) == {}
`)
  const one = await posthorn.capture('Ёлка')
  const domains = ['xn--e1afmkfd.test', 'xn--80aeje4apf.test']
  assert.deepEqual(one.authentication, PASS)
  assert.equal(one.envelope.from, `почта@${domains[0]}`)
  assert.match(one.envelope.to[0]!, /^дядя@/)
  const raw = Buffer.from(await posthorn.raw(one.id), 'latin1').toString('utf8')
  assert.match(raw, /^Subject: Ёлка\r$/m)
  assert.match(raw, /\r\n\r\nснег ❄\r\n$/)
  assert.match(raw, / with UTF8SMTP/)
})

it('smtplib sends 8-bit text where only the text is so', { skip: missing(PYTHON) }, async () => {
  const script = (lineEnd: string) => `
import smtplib
lines = ['From: a@shop.test', 'To: b@kunde.test', 'Subject: eight bits', 'MIME-Version: 1.0',
         'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit', '',
         'снег', '.точка', '']
text = '${lineEnd}'.join(lines).encode()
with smtplib.SMTP('127.0.0.1', ${posthorn.port}) as connection:
`
  const send = `connection.sendmail('a@shop.test', ['b@kunde.test'], text, ['BODY=8BITMIME'])`
  await python(`${script('\\r\\n')}    ${send}`)
  const one = await posthorn.capture('eight bits')
  assert.deepEqual(one.authentication, PASS)
  const raw = Buffer.from(await posthorn.raw(one.id), 'latin1').toString('utf8')
  assert.ok(raw.endsWith('\r\n\r\nснег\r\n.точка\r\n'))
  // It sends octets as they are, line ends included: those that are none are refused in words.
  await python(`${script('\\n')}
    try:
        ${send}
        raise SystemExit('was accepted')
    except smtplib.SMTPDataError as error:
        assert error.smtp_code == 550 and b'lines must end with CR LF' in error.smtp_error, error
`)
})
