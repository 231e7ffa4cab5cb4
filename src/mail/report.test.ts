import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import type { Domain } from './domain.ts'
import type { Mailbox } from './mailbox.ts'
import { buildReport, type Report, type ReportedRecipient } from './report.ts'
import { status } from './status.ts'

const AT = Date.UTC(2026, 10, 21, 12)
const HOST = 'mail.sender.example' as Domain
const box = (localPart: string, domain: string): Mailbox => ({
  localPart,
  domain: domain as Domain,
})

const failed: ReportedRecipient = {
  recipient: { mailbox: box('bob', 'example.net'), originalRecipient: 'rfc822;Bob@Example.NET' },
  action: 'failed',
  status: status('5.1.1'),
  remoteMta: 'mx.example.net',
  diagnostic: { type: 'smtp', text: '550 5.1.1 No such user' },
  lastAttemptAt: AT - 1_000,
}
const delayed: ReportedRecipient = {
  recipient: { mailbox: box('eve', 'example.org') },
  action: 'delayed',
  status: status('4.4.1'),
  diagnostic: { type: 'X-Posthorn', text: 'no answer (connect)' },
  willRetryUntil: AT + 86_400_000,
}
const report: Report = {
  from: box('mailer-daemon', 'sender.example'),
  to: box('ann', 'sender.example'),
  subject: 'Not delivered: your message to 2 recipients',
  text: 'It could not be delivered to:\n\n  bob@example.net\n',
  at: AT,
  messageId: '<q1.0.x@mail.sender.example>',
  about: '<42@sender.example>',
  reportingMta: HOST,
  envelopeId: 'QQ314159',
  arrivedAt: AT - 60_000,
  recipients: [failed, delayed],
  returned: { what: 'header', octets: Buffer.from('Subject: hi\r\nFrom: ann@sender.example\r\n') },
  utf8: false,
}

async function parse(content: Uint8Array) {
  const mail = await PostalMime.parse(content)
  const part = mail.attachments.find((one) => one.mimeType.endsWith('delivery-status'))
  assert.ok(part, 'a delivery-status part')
  const text = Buffer.from(part.content as ArrayBuffer).toString()
  const [message = {}, ...recipients] = text.trim().split('\n\n').map(fieldsOf)
  return { mail, type: part.mimeType, message, recipients }
}

/** Unfolded fields by name. */
function fieldsOf(block: string): Record<string, string> {
  const lines = block.replace(/\n[ \t]/g, ' ').split('\n')
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )
}

test('every field of RFC 3464 stands where a program looks for it', async () => {
  const { content, body, smtputf8 } = buildReport(report)
  const { mail, type, message, recipients } = await parse(content)
  assert.deepEqual(
    { body, smtputf8, type },
    {
      body: '7bit',
      smtputf8: false,
      type: 'message/delivery-status',
    },
  )
  assert.equal(mail.from?.address, 'mailer-daemon@sender.example')
  assert.equal(mail.to?.[0]?.address, 'ann@sender.example')
  assert.equal(mail.inReplyTo, '<42@sender.example>')
  assert.equal(mail.headers.find(({ key }) => key === 'auto-submitted')?.value, 'auto-replied')
  assert.match(
    mail.headers.find(({ key }) => key === 'content-type')!.value,
    /^multipart\/report; report-type=delivery-status;/,
  )
  assert.match(mail.text!, /bob@example.net/)
  assert.deepEqual(message, {
    'Reporting-MTA': 'dns; mail.sender.example',
    'Original-Envelope-Id': 'QQ314159',
    'Arrival-Date': 'Sat, 21 Nov 2026 11:59:00 +0000',
  })
  assert.deepEqual(recipients, [
    {
      'Original-Recipient': 'rfc822; Bob@Example.NET',
      'Final-Recipient': 'rfc822; bob@example.net',
      Action: 'failed',
      Status: '5.1.1',
      'Remote-MTA': 'dns; mx.example.net',
      'Diagnostic-Code': 'smtp; 550 5.1.1 No such user',
      'Last-Attempt-Date': 'Sat, 21 Nov 2026 11:59:59 +0000',
    },
    {
      'Final-Recipient': 'rfc822; eve@example.org',
      Action: 'delayed',
      Status: '4.4.1',
      'Diagnostic-Code': 'X-Posthorn; no answer (connect)',
      'Will-Retry-Until': 'Sun, 22 Nov 2026 12:00:00 +0000',
    },
  ])
})

test('the header comes back as text/rfc822-headers, the message as message/rfc822', async () => {
  const returned = Buffer.from('Subject: hi\r\n\r\nGr\u00fc\u00dfe\r\n')
  const variants = [
    [
      { what: 'header', octets: Buffer.from('Subject: hi\r\n') },
      false,
      'text/rfc822-headers',
      '7bit',
    ],
    [{ what: 'message', octets: returned }, false, 'message/rfc822', '8bitmime'],
    [
      { what: 'header', octets: Buffer.from('Subject: hi\r\n') },
      true,
      'message/global-headers',
      '7bit',
    ],
    [{ what: 'message', octets: returned }, true, 'message/global', '8bitmime'],
  ] as const
  for (const [part, utf8, type, wanted] of variants) {
    const { content, body } = buildReport({ ...report, returned: part, utf8 })
    const text = content.toString()
    assert.match(text, new RegExp(`^Content-Type: ${type}\\r$`, 'm'))
    assert.ok(content.includes(part.octets), type)
    assert.equal(body, wanted, type)
  }
})

test('an address beyond ASCII: as it is to a sender who speaks SMTPUTF8, else spelled out', async () => {
  const recipient = { ...failed, recipient: { mailbox: box('jos\u00e9', 'example.net') } }
  const ascii = await parse(buildReport({ ...report, recipients: [recipient] }).content)
  assert.equal(ascii.recipients[0]?.['Final-Recipient'], 'utf-8; jos\\x{E9}@example.net')
  const utf8 = await parse(buildReport({ ...report, recipients: [recipient], utf8: true }).content)
  assert.equal(utf8.type, 'message/global-delivery-status')
  assert.equal(utf8.recipients[0]?.['Final-Recipient'], 'utf-8; jos\u00e9@example.net')
  assert.equal(buildReport({ ...report, to: box('jos\u00e9', 'a.example') }).smtputf8, true)
})

test('text beyond ASCII passes servers of seven bits', async () => {
  const { content, body } = buildReport({ ...report, text: 'Не доставлено.\n'.repeat(20) })
  assert.equal(body, '7bit')
  assert.match((await PostalMime.parse(content)).text!, /^Не доставлено\.\r?\n/)
})

test('nothing that a remote server says can add a field, a part or a long line', () => {
  const evil = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3_000 }),
    fc.constantFrom('550 x\r\nAction: delivered', '\r\n\r\n--=_report_0--', 'y'.repeat(5_000)),
  )
  fc.assert(
    fc.property(evil, fc.boolean(), (text, utf8) => {
      const recipient: ReportedRecipient = {
        ...failed,
        recipient: { mailbox: box('bob', 'example.net'), originalRecipient: text },
        remoteMta: text,
        diagnostic: { type: 'smtp', text },
      }
      const { content } = buildReport({
        ...report,
        recipients: [recipient],
        subject: text,
        about: text,
        envelopeId: text,
        utf8,
      })
      const lines = content.toString('latin1').split('\r\n')
      assert.ok(lines.every((line) => line.length <= 998 && !/[\r\n\0]/.test(line)))
      const fields = lines.filter((line) => /^(Action|Status|Final-Recipient):/.test(line))
      assert.equal(fields.length, 3)
    }),
    { numRuns: 300 },
  )
})

test('a boundary that stands in the returned message is not used', async () => {
  const first = buildReport(report).content.toString()
  const boundary = /boundary="([^"]+)"/.exec(first)![1]!
  const octets = Buffer.from(`Subject: x\r\n\r\n--${boundary}--\r\n`)
  const { content } = buildReport({ ...report, returned: { what: 'message', octets } })
  assert.doesNotMatch(content.toString(), new RegExp(`boundary="${boundary}"`))
  assert.equal((await parse(content)).recipients.length, 2)
})

test('no word of a client is too long or too empty for a report', async () => {
  const originals = [
    `${'x'.repeat(1_200)};bob@example.net`,
    `utf-8;${'я'.repeat(500)}`,
    `rfc822;${'b'.repeat(500)}`,
    `x ${' '.repeat(1_500)} y`,
  ]
  for (const originalRecipient of originals) {
    for (const utf8 of [false, true]) {
      const { recipient } = failed
      const recipients = [{ ...failed, recipient: { ...recipient, originalRecipient } }]
      const built = buildReport({ ...report, recipients, utf8, envelopeId: originalRecipient })
      for (const line of built.content.toString('latin1').split('\r\n'))
        assert.ok(line.length <= 998)
      assert.equal((await parse(built.content)).recipients.length, 1)
    }
  }
})

test('the longest mailbox stays in one piece', async () => {
  const mailbox = box('b'.repeat(64), `${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(60)}`)
  const recipients = [{ ...failed, recipient: { mailbox } }]
  const { recipients: told } = await parse(buildReport({ ...report, recipients }).content)
  assert.equal(told[0]?.['Final-Recipient'], `rfc822; ${mailbox.localPart}@${mailbox.domain}`)
})
