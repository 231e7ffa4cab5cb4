import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeAnswer, mapResolver } from '../../../test/support/dns.ts'
import { describeFinding } from '../catalogue.ts'
import { withOurs } from '../spf.ts'
import { checkHelloSpf, checkSpfRecord } from './spf.ts'

type Zone = Readonly<Record<string, FakeAnswer>>
const signal = new AbortController().signal
const ours = { hostname: 'mail.example.com', addresses: ['192.0.2.25'] }

async function look(zone: Zone, addresses = ours.addresses) {
  const check = checkSpfRecord({
    resolver: mapResolver({ 'example.com NS': ['ns1.example.com'], ...zone }),
    domain: 'example.com',
    hostname: 'mail.example.com',
    addresses,
  })
  return check.run(signal)
}

const record = (...texts: string[]): Zone => ({ 'example.com TXT': texts })
const many = (count: number, of: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => of(i)).join(' ')
const h = { 'h.example A': ['192.0.2.9'], 'h.example AAAA': ['2001:db8::9'] }

const ZONES: readonly [string, Zone, string][] = [
  ['as it should be', record('v=spf1 ip4:192.0.2.25 ~all'), 'SPF_OK'],
  ['none', {}, 'SPF_MISSING'],
  ['other text', record('hello'), 'SPF_MISSING'],
  ['two', record('v=spf1 ip4:192.0.2.25 ~all', 'v=spf1 mx -all'), 'SPF_TWO_RECORDS'],
  ['a slip', record('v=spf1 ipv4:192.0.2.25 ~all'), 'SPF_SYNTAX'],
  ['a Cyrillic letter', record('v=spf1 ip4:192.0.2.25 ~аll'), 'SPF_SYNTAX'],
  ['a Cyrillic name', record('v=spf1 include:почта.рф ~all'), 'SPF_SYNTAX'],
  [
    'a final dot is allowed',
    { ...record('v=spf1 ip4:192.0.2.25 a:h.example. ~all'), ...h },
    'SPF_OK',
  ],
  [
    'a slip in what it includes',
    { ...record('v=spf1 ip4:192.0.2.25 include:b.example ~all'), 'b.example TXT': ['v=spf1 a:'] },
    'SPF_SYNTAX',
  ],
  [
    'eleven lookups behind our address',
    { ...record(`v=spf1 ip4:192.0.2.25 ${many(11, () => 'a:h.example')} ~all`), ...h },
    'SPF_TOO_MANY_LOOKUPS',
  ],
  [
    'three empty answers',
    record(`v=spf1 ip4:192.0.2.25 ${many(3, (i) => `a:gone${i}.example`)} ~all`),
    'SPF_VOID_LOOKUPS',
  ],
  [
    'three empty answers before our address',
    record(`v=spf1 ${many(3, (i) => `a:gone${i}.example`)} ip4:192.0.2.25 ~all`),
    'SPF_VOID_LOOKUPS SPF_VOID_LOOKUPS',
  ],
  [
    'IPv4 alone is no empty answer',
    {
      ...record(`v=spf1 ip4:192.0.2.25 ${many(3, (i) => `a:v4-${i}.example`)} ~all`),
      'v4-0.example A': ['192.0.2.8'],
      'v4-1.example A': ['192.0.2.8'],
      'v4-2.example A': ['192.0.2.8'],
    },
    'SPF_OK',
  ],
  [
    'eleven MX',
    {
      ...record('v=spf1 ip4:192.0.2.25 mx ~all'),
      'example.com MX': Array.from({ length: 11 }, (_, i) => `${i} h.example`),
      ...h,
    },
    'SPF_TOO_MANY_MX',
  ],
  [
    'an include of nothing',
    record('v=spf1 ip4:192.0.2.25 include:gone.example ~all'),
    'SPF_BROKEN_INCLUDE',
  ],
  [
    'an include of two',
    {
      ...record('v=spf1 ip4:192.0.2.25 include:b.example ~all'),
      'b.example TXT': ['v=spf1 -all', 'v=spf1 ~all'],
    },
    'SPF_BROKEN_INCLUDE',
  ],
  ['without us', record('v=spf1 ip4:192.0.2.1 ~all'), 'SPF_NO_IP'],
  ['without us, strictly', record('v=spf1 ip4:192.0.2.1 -all'), 'SPF_NO_IP'],
  ['an equals sign', record('v=spf1 ip4:192.0.2.25 ip6=2001:db8::1 ~all'), 'SPF_OK SPF_ODD_TERM'],
  ['ptr', record('v=spf1 ip4:192.0.2.25 ptr ~all'), 'SPF_OK SPF_PTR'],
  ['everybody', record('v=spf1 +all'), 'SPF_OK SPF_ALLOWS_ALL'],
  ['a network of everybody', record('v=spf1 ip4:0.0.0.0/0 ~all'), 'SPF_OK SPF_ALLOWS_ALL'],
  ['?all', record('v=spf1 ip4:192.0.2.25 ?all'), 'SPF_OK SPF_NEUTRAL'],
  ['no all', record('v=spf1 ip4:192.0.2.25'), 'SPF_OK SPF_NEUTRAL'],
  ['SERVFAIL', { 'example.com TXT': 'cannot-tell' }, 'COULD_NOT_CHECK'],
  [
    'SERVFAIL below',
    { ...record('v=spf1 ip4:192.0.2.25 include:b.example ~all'), 'b.example TXT': 'cannot-tell' },
    'COULD_NOT_CHECK',
  ],
]
for (const [name, zone, codes] of ZONES)
  test(`SPF: ${name}`, async () => {
    const findings = await look(zone)
    assert.equal(findings.map(({ code }) => code).join(' '), codes)
    for (const finding of findings)
      for (const language of ['en', 'ru'] as const)
        assert.doesNotMatch(JSON.stringify(describeFinding(finding, language)), /\{\w+\}/)
  })

test('every address that we send from is covered', async () => {
  const findings = await look(record('v=spf1 ip4:192.0.2.25 ~all'), ['192.0.2.25', '2001:db8::25'])
  assert.deepEqual(
    findings.map(({ code, facts }) => [code, facts.address]),
    [['SPF_NO_IP', '2001:db8::25']],
  )
  const said = describeFinding(findings[0]!, 'en')
  assert.equal(said.paste, 'example.com. TXT "v=spf1 ip6:2001:db8::25 ip4:192.0.2.25 ~all"')
})

test('what costs most is named', async () => {
  const [finding] = await look({
    ...record('v=spf1 ip4:192.0.2.25 a:h.example include:b.example include:c.example ~all'),
    'b.example TXT': [`v=spf1 ${many(7, () => 'a:h.example')} -all`],
    'c.example TXT': ['v=spf1 a:h.example -all'],
    ...h,
  })
  const { lookups, term, cost } = finding!.facts
  assert.deepEqual({ lookups, term, cost }, { lookups: 11, term: 'include:b.example', cost: 8 })
})

const FIXES: readonly [readonly string[], string][] = [
  [[], 'v=spf1 ip4:192.0.2.25 ~all'],
  [['v=spf1 include:a.example -all'], 'v=spf1 ip4:192.0.2.25 include:a.example -all'],
  [['v=spf1 ip4:192.0.2.25 a -all'], 'v=spf1 ip4:192.0.2.25 a -all'],
  [
    ['v=spf1 mx ~all', 'v=spf1 include:a.example -all'],
    'v=spf1 ip4:192.0.2.25 mx include:a.example ~all',
  ],
  [['v=spf1 redirect=a.example'], 'v=spf1 ip4:192.0.2.25 redirect=a.example'],
  [
    ['v=spf1 redirect=a.example', 'v=spf1 mx ~all'],
    'v=spf1 ip4:192.0.2.25 include:a.example mx ~all',
  ],
  [['v=spf1 ipv4:192.0.2.1 a: mx ~all'], 'v=spf1 ip4:192.0.2.25 mx ~all'],
]
for (const [published, expected] of FIXES)
  test(`the record in place of ${JSON.stringify(published)}`, () => {
    assert.equal(withOurs(published, ours), expected)
  })

test('the host name for mail without a sender', async () => {
  const codes = async (zone: Zone, addresses = ours.addresses) =>
    (await checkHelloSpf({ resolver: mapResolver(zone), ...ours, addresses }).run(signal)).map(
      ({ code }) => code,
    )
  const a = { 'mail.example.com A': ['192.0.2.25'] }
  const text = { 'mail.example.com TXT': ['v=spf1 a -all'] }
  assert.deepEqual(await codes({ ...a, ...text }), ['HELO_SPF_OK'])
  assert.deepEqual(await codes(a, ['192.0.2.25', '192.0.2.26']), ['HELO_SPF_MISSING'])
  assert.deepEqual(await codes({ ...text }), ['HELO_SPF_FAILS'])
  assert.deepEqual(await codes({ 'mail.example.com TXT': 'cannot-tell' }), ['COULD_NOT_CHECK'])
})
