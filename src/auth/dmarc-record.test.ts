import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isDmarc, isWhole, parseDmarc, policiesOf } from './dmarc-record.ts'

const VERSIONS: readonly [string, boolean][] = [
  ['v=DMARC1', true],
  ['v=DMARC1;', true],
  ['v=DMARC1; p=none', true],
  [' v = DMARC1 ; p=none', true],
  ['V=DMARC1; p=none', true], // the name in any case, the value exactly: RFC 9989 §4.8
  ['v=dmarc1; p=none', false],
  ['v=DMARC2; p=none', false],
  ['v=DMARC1p=none', false],
  ['p=none; v=DMARC1', false],
  ['v=spf1 -all', false],
  ['', false],
]
for (const [text, expected] of VERSIONS)
  test(`${JSON.stringify(text)} is ${expected ? '' : 'not '}DMARC`, () => {
    assert.equal(isDmarc(text), expected)
  })

/** Record, the policies that receivers act on, and its faults as `tag:fault`. */
const RECORDS: readonly [string, string, string][] = [
  ['v=DMARC1; p=none', 'none', ''],
  ['v=DMARC1;p=REJECT', 'reject', ''],
  ['v=DMARC1; p=quarantine; sp=none; np=reject', 'quarantine/none/reject', ''],
  ['v=DMARC1; p = reject ; ; sp= none;', 'reject/none/', ''],
  ['v=DMARC1; p=none; pct=50; ri=3600; rf=afrf', 'none', ''],
  ['v=DMARC1; p=none; future=1', 'none', 'future:unknown-tag'],
  ['v=DMARC1; p=none; adkim=x; aspf=strict', 'none', 'adkim:bad-value aspf:bad-value'],
  ['v=DMARC1; p=none; t=maybe; psd=x; fo=2', 'none', 'fo:bad-value t:bad-value psd:bad-value'],
  ['v=DMARC1', '-', 'p:policy-missing'],
  ['v=DMARC1; rua=mailto:a@b.example', 'none', 'p:policy-missing'],
  ['v=DMARC1; p=monitor', '-', 'p:bad-value'],
  ['v=DMARC1; p=monitor; rua=mailto:a@b.example', 'none', 'p:bad-value'],
  ['v=DMARC1; p=reject; sp=nothing', '-', 'sp:bad-value'],
  ['v=DMARC1; p=reject; np=nothing; rua=mailto:a@b.example', 'none', 'np:bad-value'],
  ['v=DMARC1; P=reject', '-', 'P:wrong-case p:policy-missing'],
  ['v=DMARC1; p=none; rua=a@b.example', 'none', 'rua:bad-uri'],
  ['v=DMARC1; p=none; rua=mailto:a@b.example!10m, mailto:c@d.example', 'none', ''],
  ['v=DMARC1; p=none; p=reject', 'none', 'p:twice'],
  ['v=DMARC1; p=none; nonsense; =x', 'none', ':not-a-tag :not-a-tag'],
  ['v=DMARC1; p=rejeсt', '-', 'p:not-a-tag p:policy-missing'], // a Cyrillic letter
]
for (const [text, policies, faults] of RECORDS)
  test(text, () => {
    const record = parseDmarc(text)
    const { p, sp, np } = policiesOf(record) ?? {}
    assert.equal(sp || np ? `${p}/${sp ?? ''}/${np ?? ''}` : (p ?? '-'), policies)
    assert.equal(record.faults.map(({ tag, fault }) => `${tag}:${fault}`).join(' '), faults)
  })

test('tags become values', () => {
  const record = parseDmarc(
    'v=DMARC1; p=reject; adkim=s; aspf=R; t=y; psd=n; pct=20; fo=1:d; ruf=mailto:f@x.example; ' +
      'rua=mailto:a@x.example!5k,https://r.example/in',
  )
  const { adkim, aspf, testing, psd, rua, ruf, removed, faults } = record
  assert.deepEqual(
    { adkim, aspf, testing, psd, rua, ruf, removed, faults },
    {
      adkim: 'strict',
      aspf: 'relaxed',
      testing: true,
      psd: 'n',
      rua: ['mailto:a@x.example', 'https://r.example/in'],
      ruf: ['mailto:f@x.example'],
      removed: ['pct'],
      faults: [],
    },
  )
})

test('a tag that stands twice makes it no record', () => {
  assert.equal(isWhole(parseDmarc('v=DMARC1; p=none; rua=mailto:a@b.example')), true)
  assert.equal(isWhole(parseDmarc('v=DMARC1; p=none; P=reject')), true)
  assert.equal(isWhole(parseDmarc('v=DMARC1; p=none; p=none')), false)
  assert.equal(isWhole(parseDmarc('v=DMARC1; p=none; v=DMARC1')), false)
})

test('whatever a record holds, reading it throws nothing', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      isDmarc(text)
      policiesOf(parseDmarc(`v=DMARC1;${text}`))
    }),
  )
})
