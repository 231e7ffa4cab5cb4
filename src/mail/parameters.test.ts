import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatRcptParameters, parseMailParameters, parseRcptParameters } from './parameters.ts'
import { formatReply } from './reply.ts'
import { decodeUtf8Address, decodeXtext, encodeUtf8Address, encodeXtext } from './xtext.ts'

const plain = { body: '7bit', smtputf8: false, requireTls: false }

test('parameters of MAIL', () => {
  const table: [string, object][] = [
    ['', plain],
    ['SIZE=0', { ...plain, declaredSize: 0 }],
    ['size=99999999999999999999', { ...plain, declaredSize: 1e20 }],
    ['BODY=7bit', plain],
    ['BODY=8BITMIME', { ...plain, body: '8bitmime' }],
    ['RET=full', { ...plain, ret: 'full' }],
    ['ENVID=a+2Bb+20c', { ...plain, envelopeId: 'a+b c' }],
    ['AUTH=<>', plain],
    ['AUTH=e+3Dmc2@example.com', plain], // RFC 4954 §5
    ['HOLDFOR=10', { ...plain, hold: { kind: 'for', seconds: 10 } }],
    ['by=60;rt', { ...plain, by: { seconds: 60, mode: 'return', trace: true } }],
    ['MT-PRIORITY=-2', { ...plain, priority: -2 }],
    ['SMTPUTF8 REQUIRETLS', { ...plain, smtputf8: true, requireTls: true }],
  ]
  for (const [text, expected] of table) assert.deepEqual(parseMailParameters(text), expected, text)
})

test('parameters of RCPT', () => {
  const notify = { success: false, failure: false, delay: false }
  const table: [string, object][] = [
    ['', {}],
    ['NOTIFY=NEVER', { notify: 'never' }],
    ['NOTIFY=delay', { notify: { ...notify, delay: true } }],
    ['NOTIFY=FAILURE,SUCCESS', { notify: { ...notify, failure: true, success: true } }],
    ['ORCPT=rfc822;Bob+20B@example.com', { originalRecipient: 'rfc822;Bob B@example.com' }],
    ['ORCPT=RFC822;a@b', { originalRecipient: 'rfc822;a@b' }],
    ['ORCPT=utf-8;\\x{43F}@b', { originalRecipient: 'utf-8;п@b' }],
    ['ORCPT=utf-8;почта@b', { originalRecipient: 'utf-8;почта@b' }],
  ]
  for (const [text, expected] of table) assert.deepEqual(parseRcptParameters(text), expected, text)
})

test('refused parameters', () => {
  const mail: [string, RegExp][] = [
    ['FOO', /^555 5\.5\.4 FOO/],
    ['HOLDFOR=', /^501 5\.5\.4 .*HOLDFOR/],
    ['HOLDUNTIL=noon', /^501 5\.5\.4 .*HOLDUNTIL/],
    ['HOLDFOR=1 HOLDUNTIL=2026-11-22T08:00:00Z', /^501 5\.5\.4 .*exclude/],
    ['BY=1', /^501 5\.5\.4 .*BY/],
    ['MT-PRIORITY=99', /^501 5\.5\.4 .*MT-PRIORITY/],
    ['constructor=1', /^555 /],
    ['=5', /^501 5\.5\.4 /],
    ['<x>', /^501 5\.5\.4 /],
    ['BODY=BINARYMIME', /^555 5\.5\.4 BINARYMIME.*8BITMIME/],
    ['BODY=9BIT', /^501 5\.5\.4 .*BODY/],
    ['BODY', /^501 5\.5\.4 .*BODY/],
    ['SIZE', /^501 /],
    ['SIZE=', /^501 /],
    ['SIZE=-1', /^501 /],
    ['SIZE=1 SIZE=1', /^501 5\.5\.4 .*twice/],
    ['SIZE=1 size=1', /^501 5\.5\.4 .*twice/],
    ['SMTPUTF8=yes', /^501 /],
    ['REQUIRETLS=', /^501 /],
    ['RET=ALL', /^501 /],
    ['ENVID=', /^501 /],
    ['ENVID=a+0', /^501 /],
    ['ENVID=a+0Ab', /^501 /],
    [`ENVID=${'a'.repeat(101)}`, /^501 /],
    ['AUTH=', /^501 /],
    ['AUTH=a+zz', /^501 /],
  ]
  for (const [text, expected] of mail) {
    const result = parseMailParameters(text)
    assert.ok('fault' in result, text)
    assert.match(formatReply(result.fault), expected, text)
  }
  const rcpt = [
    'NOTIFY',
    'NOTIFY=',
    'NOTIFY=NEVER,DELAY',
    'NOTIFY=DELAY,DELAY',
    'NOTIFY=SOMETIMES',
    'ORCPT',
    'ORCPT=a@b',
    'ORCPT=;a@b',
    'ORCPT=rfc822;',
    'ORCPT=rfc822;a+0D+0Ab',
    'ORCPT=rfc822;почта@b',
    'ORCPT=utf-8;\\x{110000}',
    'ORCPT=utf-8;\\x{D800}',
    'ORCPT=utf-8;\\x{0A}',
    `ORCPT=rfc822;${'a'.repeat(501)}`,
  ]
  for (const text of rcpt) {
    const result = parseRcptParameters(text)
    assert.ok('fault' in result, text)
    assert.match(formatReply(result.fault), /^501 5\.5\.4 /, text)
  }
})

test('xtext (RFC 3461 §4)', () => {
  assert.equal(encodeXtext('a+b=c d'), 'a+2Bb+3Dc+20d')
  assert.equal(decodeXtext('a+2Bb+3Dc+20d'), 'a+b=c d')
  for (const bad of ['a b', 'a=b', 'a+', 'a+2', 'a+2b', 'a+80', 'é', 'a\n']) {
    assert.equal(decodeXtext(bad), undefined, bad)
  }
  assert.throws(() => encodeXtext('é'), TypeError)
  fc.assert(
    fc.property(fc.stringMatching(/^[\u0000-\u007f]*$/), (text) => {
      assert.equal(decodeXtext(encodeXtext(text)), text)
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      if (text.includes('\ufffd')) return
      assert.match(encodeUtf8Address(text), /^[!-~]*$/)
      assert.equal(decodeUtf8Address(encodeUtf8Address(text)), text)
    }),
  )
})

test('any text gives parameters or a fault', () => {
  const words = fc.constantFrom('SIZE', '=', ' ', 'ORCPT=', 'rfc822;', 'NOTIFY=', ',', '+', 'a')
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(words).map((list) => list.join('')),
  )
  fc.assert(
    fc.property(text, (input) => {
      parseMailParameters(input)
      parseRcptParameters(input)
    }),
    { numRuns: 2000 },
  )
})

test('an ORCPT that could not be written again is refused', () => {
  const table: [string, boolean][] = [
    [`utf-8;${'я'.repeat(180)}`, true],
    [`utf-8;${'я'.repeat(300)}`, false],
    [`rfc822;${'+20'.repeat(400)}`, true],
    [`${'x'.repeat(40)};a@b.example`, true],
    [`${'x'.repeat(41)};a@b.example`, false],
  ]
  for (const [value, taken] of table) {
    const parsed = parseRcptParameters(`ORCPT=${value}`)
    assert.equal(!('fault' in parsed), taken, value)
    if ('fault' in parsed) continue
    assert.deepEqual(parseRcptParameters(formatRcptParameters(parsed).slice(1)), parsed)
  }
})
