import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseDomain } from './domain.ts'
import { fieldValue, formatField, splitHeader } from './header.ts'
import { parseMailbox } from './mailbox.ts'
import { formatDate, formatMessageIdValue, formatReceivedValue } from './trace.ts'

const by = parseDomain('mail.example.com')!

test('dates (RFC 5322 §3.3)', () => {
  const table: [number, number, string][] = [
    [Date.UTC(1997, 10, 21, 15, 55, 6), -360, 'Fri, 21 Nov 1997 09:55:06 -0600'], // appendix A.1.1
    [0, 0, 'Thu, 01 Jan 1970 00:00:00 +0000'],
    [Date.UTC(2026, 11, 31, 23, 59, 59, 999), 0, 'Thu, 31 Dec 2026 23:59:59 +0000'],
    [Date.UTC(2026, 11, 31, 23, 59, 59), 330, 'Fri, 01 Jan 2027 05:29:59 +0530'],
    [Date.UTC(2024, 1, 28, 21), 180, 'Thu, 29 Feb 2024 00:00:00 +0300'],
  ]
  for (const [at, offset, expected] of table) assert.equal(formatDate(at, offset), expected)
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }),
      fc.integer({ min: -720, max: 840 }),
      (date, offset) => {
        assert.equal(
          Date.parse(formatDate(date.getTime(), offset)),
          Math.floor(date.getTime() / 1000) * 1000,
        )
      },
    ),
  )
})

test('message ids', () => {
  assert.equal(formatMessageIdValue('01ABC.x-9', by), '<01ABC.x-9@mail.example.com>')
  for (const bad of ['', 'a b', 'a>', 'a..b', '.a', 'a@b', 'a\r\n']) {
    assert.throws(() => formatMessageIdValue(bad, by), TypeError)
  }
})

const trace = {
  helloName: 'app.example.net',
  address: '192.0.2.7',
  by,
  protocol: 'ESMTPSA',
  id: '00ABCDEF123',
  at: Date.UTC(2026, 10, 21, 12, 0, 0),
}
const date = 'Sat, 21 Nov 2026 12:00:00 +0000'

test('Received (RFC 5321 §4.4)', () => {
  const end = `by mail.example.com with ESMTPSA id 00ABCDEF123; ${date}`
  const table: [Partial<Parameters<typeof formatReceivedValue>[0]>, string][] = [
    [{}, `from app.example.net ([192.0.2.7]) ${end}`],
    [{ address: '2001:db8::7' }, `from app.example.net ([IPv6:2001:db8::7]) ${end}`],
    [{ address: '' }, `from app.example.net ${end}`],
    [{ helloName: '[192.0.2.7]' }, `from [192.0.2.7] ${end}`],
    [{ helloName: '' }, `from [192.0.2.7] ${end}`],
    [{ helloName: '', address: '' }, `from unknown ${end}`],
    [{ helloName: 'ПОЧТА.РФ' }, `from xn--80a1acny.xn--p1ai ([192.0.2.7]) ${end}`],
    [{ helloName: 'no name' }, `from [192.0.2.7] (helo no name) ${end}`],
    [
      { helloName: 'x) by evil.example (\\' },
      `from [192.0.2.7] (helo x\\) by evil.example \\(\\\\) ${end}`,
    ],
    [{ helloName: 'a\r\nBcc: b' }, `from [192.0.2.7] (helo a??Bcc: b) ${end}`],
    [
      { tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384', recipient: parseMailbox('user@example.org')! },
      'from app.example.net ([192.0.2.7]) by mail.example.com with ESMTPSA ' +
        `(TLSv1.3 TLS_AES_256_GCM_SHA384) id 00ABCDEF123 for <user@example.org>; ${date}`,
    ],
  ]
  for (const [change, expected] of table) {
    assert.equal(formatReceivedValue({ ...trace, ...change }), expected)
  }
})

test('no client can break the field', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 400 }))
  fc.assert(
    fc.property(text, text, text, (helloName, address, tls) => {
      const value = formatReceivedValue({ ...trace, helloName, address, tls })
      const fields = splitHeader(formatField('Received', value))
      assert.ok(Array.isArray(fields) && fields.length === 1)
      assert.equal(fieldValue(fields[0]!), value)
      const outsideComments = value.replace(/\\./g, '').replace(/ \([^()]*\)/g, '')
      assert.match(
        outsideComments,
        /^from \S+ by mail\.example\.com with ESMTPSA id 00ABCDEF123; Sat, 21 Nov 2026 12:00:00 \+0000$/,
      )
    }),
    { numRuns: 300 },
  )
})
