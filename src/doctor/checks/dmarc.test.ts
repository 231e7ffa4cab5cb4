import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeAnswer, mapResolver } from '../../../test/support/dns.ts'
import { describeFinding } from '../catalogue.ts'
import { checkDmarcPolicy, type DmarcCheckOptions } from './dmarc.ts'

type Zone = Readonly<Record<string, FakeAnswer>>
const signal = new AbortController().signal

async function look(zone: Zone, rest: Partial<DmarcCheckOptions> = {}) {
  const findings = await checkDmarcPolicy({
    resolver: mapResolver({ 'example.com A': ['192.0.2.1'], ...zone }),
    domain: 'example.com',
    ...rest,
  }).run(signal)
  for (const finding of findings)
    for (const language of ['en', 'ru'] as const)
      assert.doesNotMatch(JSON.stringify(describeFinding(finding, language)), /\{\w+\}/)
  return findings.map(({ code }) => code).join(' ')
}

const at = (...texts: string[]): Zone => ({ '_dmarc.example.com TXT': texts })
const RUA = 'rua=mailto:d@example.com'

const ZONES: readonly [string, Zone, string][] = [
  ['as it should be', at(`v=DMARC1; p=reject; ${RUA}`), 'DMARC_OK'],
  ['watching', at(`v=DMARC1; p=none; ${RUA}`), 'DMARC_OK DMARC_WATCHING'],
  ['trying', at(`v=DMARC1; p=reject; t=y; ${RUA}`), 'DMARC_OK DMARC_TESTING'],
  ['no reports', at('v=DMARC1; p=reject'), 'DMARC_OK DMARC_NO_REPORTS'],
  ['none', {}, 'DMARC_MISSING'],
  ['at the domain itself', { 'example.com TXT': ['v=DMARC1; p=none'] }, 'DMARC_MISPLACED'],
  [
    'the domain appended twice',
    { '_dmarc.example.com.example.com TXT': ['v=DMARC1; p=none'] },
    'DMARC_MISPLACED',
  ],
  ['two', at('v=DMARC1; p=none', 'v=DMARC1; p=reject'), 'DMARC_TWO_RECORDS'],
  ['a tag twice', at('v=DMARC1; p=none; p=reject'), 'DMARC_INVALID'],
  ['no policy, no reports', at('v=DMARC1'), 'DMARC_INVALID'],
  ['no such policy, no reports', at('v=DMARC1; p=block'), 'DMARC_INVALID'],
  ['the version in small letters', at('v=dmarc1; p=none'), 'DMARC_INVALID'],
  ['quotes inside', at('"v=DMARC1; p=none"'), 'DMARC_INVALID'],
  ['the policy first', at('p=none; v=DMARC1'), 'DMARC_INVALID'],
  ['no policy, but reports', at(`v=DMARC1; ${RUA}`), 'DMARC_OK DMARC_WATCHING DMARC_ODD_TAG'],
  ['removed tags', at(`v=DMARC1; p=reject; pct=10; ri=60; ${RUA}`), 'DMARC_OK DMARC_REMOVED_TAGS'],
  ['a wrong mode', at(`v=DMARC1; p=reject; adkim=strict; ${RUA}`), 'DMARC_OK DMARC_ODD_TAG'],
  ['an unknown tag', at(`v=DMARC1; p=reject; policy=x; ${RUA}`), 'DMARC_OK DMARC_ODD_TAG'],
  [
    'an address without mailto:',
    at('v=DMARC1; p=reject; rua=d@example.com'),
    'DMARC_OK DMARC_ODD_TAG DMARC_NO_REPORTS',
  ],
  [
    'reports to a web server',
    at('v=DMARC1; p=reject; rua=https://example.com/in'),
    'DMARC_OK DMARC_REPORTS_UNUSABLE',
  ],
  [
    'reports to who did not agree',
    at('v=DMARC1; p=reject; rua=mailto:d@reports.example'),
    'DMARC_OK DMARC_REPORTS_NOT_AUTHORISED',
  ],
  [
    'reports to who agreed',
    {
      ...at('v=DMARC1; p=reject; rua=mailto:d@reports.example'),
      'example.com._report._dmarc.reports.example TXT': ['v=DMARC1'],
    },
    'DMARC_OK',
  ],
  [
    'whether they agreed cannot be told',
    {
      ...at('v=DMARC1; p=reject; rua=mailto:d@reports.example'),
      'example.com._report._dmarc.reports.example TXT': 'cannot-tell',
    },
    'DMARC_OK COULD_NOT_CHECK',
  ],
  ['SERVFAIL', { '_dmarc.example.com TXT': 'cannot-tell' }, 'COULD_NOT_CHECK'],
]
for (const [name, zone, codes] of ZONES)
  test(`DMARC: ${name}`, async () => {
    assert.equal(await look(zone), codes)
  })

test('below the domain with the record', async () => {
  const zone = {
    ...at(`v=DMARC1; p=reject; sp=quarantine; ${RUA}`),
    'shop.example.com A': ['192.0.2.1'],
  }
  const domain = 'shop.example.com'
  assert.equal(await look(zone, { domain }), 'DMARC_OK DMARC_INHERITED')
  const broken = {
    ...zone,
    '_dmarc.shop.example.com TXT': ['v=DMARC1; p=none', 'v=DMARC1; p=reject'],
  }
  assert.equal(await look(broken, { domain }), 'DMARC_TWO_RECORDS DMARC_INHERITED')
})

test('what we send against what it asks', async () => {
  const strict = at(`v=DMARC1; p=reject; adkim=s; aspf=s; ${RUA}`)
  const relaxed = at(`v=DMARC1; p=reject; ${RUA}`)
  const below = { signer: 'mail.example.com', returnPath: 'bounce.example.com' }
  assert.equal(await look(relaxed, below), 'DMARC_OK')
  assert.equal(await look(strict, below), 'DMARC_DKIM_NOT_ALIGNED DMARC_SPF_NOT_ALIGNED')
  assert.equal(
    await look(relaxed, { returnPath: 'other.example' }),
    'DMARC_OK DMARC_SPF_NOT_ALIGNED',
  )
  assert.equal(await look(relaxed, { signer: 'other.example' }), 'DMARC_DKIM_NOT_ALIGNED')
})
