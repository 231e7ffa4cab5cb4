import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeAnswer, mapResolver } from '../../test/support/dns.ts'
import { type Domain, parseDomain } from '../mail/domain.ts'
import { type CompareOptions, comparePlan } from './compare.ts'
import { lookupOver } from './lookup.ts'
import type { Plan, RecordPurpose } from './plan.ts'

const domain = (text: string) => parseDomain(text) as Domain
const plan: Plan = {
  domain: domain('example.com'),
  keys: [{ selector: 'p1', txt: 'v=DKIM1; k=rsa; p=AAAA' }],
  identity: { hostname: domain('mail.example.com'), ipv4: '192.0.2.25' },
}

async function compared(
  zone: Readonly<Record<string, FakeAnswer>>,
  why: RecordPurpose,
  options: Partial<CompareOptions> & { readonly plan?: Plan } = {},
) {
  const resolver = mapResolver(zone)
  const records = await comparePlan(options.plan ?? plan, {
    resolver,
    lookup: lookupOver(resolver),
    ...options,
  })
  const { state, value, published, extra, beside, notes } = records.find((one) => one.why === why)!
  return { state, value, published, extra, beside, notes: notes.map(({ code }) => code) }
}

const OURS = 'ip4:192.0.2.25'
const GOOGLE = { '_spf.google.com TXT': ['v=spf1 ip4:203.0.113.0/24 ~all'] } as const
const SPF: readonly [what: string, published: string[], state: string, value: string][] = [
  ['none', [], 'missing', `v=spf1 ${OURS} ~all`],
  ['ours', [`v=spf1 ${OURS} ~all`], 'present', `v=spf1 ${OURS} ~all`],
  ['another strictness', [`v=spf1 ${OURS} -all`], 'present', `v=spf1 ${OURS} -all`],
  [
    'a network with us',
    ['v=spf1 ip4:192.0.2.0/24 -all'],
    'present',
    'v=spf1 ip4:192.0.2.0/24 -all',
  ],
  [
    'our host name',
    ['v=spf1 a:mail.example.com -all'],
    'present',
    'v=spf1 a:mail.example.com -all',
  ],
  [
    'somebody else',
    ['v=spf1 include:_spf.google.com ~all'],
    'differs',
    `v=spf1 ${OURS} include:_spf.google.com ~all`,
  ],
  [
    'two records',
    ['v=spf1 include:_spf.google.com -all', 'v=spf1 mx ~all'],
    'conflict',
    `v=spf1 ${OURS} include:_spf.google.com mx ~all`,
  ],
  [
    'a redirect',
    ['v=spf1 redirect=_spf.google.com'],
    'differs',
    `v=spf1 ${OURS} redirect=_spf.google.com`,
  ],
  [
    'a redirect in one of two',
    ['v=spf1 redirect=_spf.google.com', `v=spf1 ${OURS} -all`],
    'conflict',
    `v=spf1 include:_spf.google.com ${OURS} -all`,
  ],
  ['nonsense', ['v=spf1 ipv4:1.2.3.4 +all'], 'differs', `v=spf1 ${OURS} +all`],
  ['we are denied', [`v=spf1 -${OURS} ~all`], 'differs', `v=spf1 ${OURS} -${OURS} ~all`],
  ['no end', ['v=spf1 mx'], 'differs', `v=spf1 ${OURS} mx ~all`],
]
for (const [what, published, state, value] of SPF)
  test(`SPF beside ${what}`, async () => {
    const zone = {
      ...GOOGLE,
      'mail.example.com A': ['192.0.2.25'],
      'example.com TXT': ['other=1', ...published],
      'example.com MX': ['10 mx.example.com'],
      'mx.example.com A': ['192.0.2.77'],
    }
    const found = await compared(zone, 'domain-spf')
    assert.equal(found.state, state)
    assert.equal(found.value, value)
    assert.deepEqual(found.beside, ['other=1'])
    assert.equal(found.extra.length, Math.max(0, published.length - 1))
  })

test('SPF over the limit: said, flattened, pruned', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 11 }, (_, i) => [
      `s${i}.example TXT`,
      [`v=spf1 ip4:198.51.100.${i} -all`],
    ]),
  )
  const record = `v=spf1 ${Object.keys(many)
    .map((key) => `include:${key.split(' ')[0]}`)
    .join(' ')} include:gone.example ~all`
  const zone = { ...many, 'example.com TXT': [record] }
  const found = await compared(zone, 'domain-spf')
  assert.deepEqual(found.notes, ['spf-merged', 'spf-broken', 'spf-lookups'])
  const mended = await compared(zone, 'domain-spf', { flatten: true, prune: true })
  assert.deepEqual(mended.notes, ['spf-merged'])
  assert.match(
    mended.value,
    /^v=spf1 ip4:192\.0\.2\.25 ip4:198\.51\.100\.0 .*ip4:198\.51\.100\.10 ~all$/,
  )
  assert.doesNotMatch(mended.value, /include|gone/)
})

const DMARC: readonly [published: string[], state: string, value: string, notes: string[]][] = [
  [[], 'missing', 'v=DMARC1; p=none; rua=mailto:dmarc@example.com', []],
  [
    ['v=DMARC1; p=reject; rua=mailto:x@example.com'],
    'present',
    'v=DMARC1; p=reject; rua=mailto:x@example.com',
    ['dmarc-kept'],
  ],
  [
    ['v=DMARC1; p=reject'],
    'differs',
    'v=DMARC1; p=reject; rua=mailto:dmarc@example.com',
    ['dmarc-kept'],
  ],
  [
    ['v=DMARC1;p=quarantine;pct=0;ri=3600;rua=mailto:x@example.com'],
    'differs',
    'v=DMARC1; p=quarantine; rua=mailto:x@example.com; t=y',
    ['dmarc-removed-tags'],
  ],
  [
    ['v=DMARC1; rua=mailto:x@example.com'],
    'differs',
    'v=DMARC1; p=none; rua=mailto:x@example.com',
    [],
  ],
  [
    ['v=DMARC1; p=none; rua=mailto:x@example.com', 'v=DMARC1; p=reject'],
    'conflict',
    'v=DMARC1; p=none; rua=mailto:x@example.com',
    ['two-records'],
  ],
]
for (const [published, state, value, notes] of DMARC)
  test(`DMARC beside ${published.join(' and ') || 'nothing'}`, async () => {
    const found = await compared({ '_dmarc.example.com TXT': published }, 'dmarc')
    assert.deepEqual(
      { state: found.state, value: found.value, notes: found.notes },
      { state, value, notes },
    )
  })

test('a domain below one with a policy needs none', async () => {
  const below = { ...plan, domain: domain('news.example.com') }
  const zone = { '_dmarc.example.com TXT': ['v=DMARC1; p=reject'] }
  const records = await comparePlan(below, { lookup: lookupOver(mapResolver(zone)) })
  const dmarc = records.find(({ why }) => why === 'dmarc')!
  assert.equal(dmarc.state, 'present')
  assert.equal(dmarc.covered, '_dmarc.example.com')
})

const DKIM: readonly [
  what: string,
  zone: Record<string, FakeAnswer>,
  state: string,
  notes: string[],
][] = [
  ['nothing', {}, 'missing', []],
  ['our key, written otherwise', { TXT: ['p=AA AA;k=rsa;t=s'] }, 'present', []],
  ['another key', { TXT: ['v=DKIM1; p=BBBB'] }, 'differs', ['dkim-other-key']],
  ['both', { TXT: ['v=DKIM1; p=BBBB', 'v=DKIM1; p=AAAA'] }, 'conflict', ['two-records']],
  ['an alias that leads nowhere', { CNAME: ['gone.example'] }, 'conflict', ['alias']],
  ['a server that fails', { TXT: 'cannot-tell' }, 'unknown', ['cannot-tell']],
]
for (const [what, zone, state, notes] of DKIM)
  test(`DKIM beside ${what}`, async () => {
    const whole = Object.fromEntries(
      Object.entries(zone).map(([type, answer]) => [`p1._domainkey.example.com ${type}`, answer]),
    )
    const found = await compared(whole, 'dkim')
    assert.deepEqual({ state: found.state, notes: found.notes }, { state, notes })
  })

test('a key behind an alias is as good as our own', async () => {
  const zone = {
    'p1._domainkey.example.com CNAME': ['keys.example.net'],
    'keys.example.net TXT': ['v=DKIM1; k=rsa; p=AAAA'],
  }
  assert.equal((await compared(zone, 'dkim')).state, 'present')
})

test('the host’s address, beside another one and instead of another one', async () => {
  const both = { 'mail.example.com A': ['192.0.2.7', '192.0.2.25'] }
  assert.equal((await compared(both, 'hostname')).state, 'present')
  const found = await compared({ 'mail.example.com A': ['192.0.2.7'] }, 'hostname')
  assert.deepEqual(
    { state: found.state, notes: found.notes },
    { state: 'differs', notes: ['other-address'] },
  )
})

test('the records of the classic guide stand, and are kept', async () => {
  const own = {
    domain: domain('mydomain.ru'),
    keys: [{ selector: 'myselector', txt: 'v=DKIM1; k=rsa; p=MIGfMA0G' }],
    identity: { hostname: domain('mydomain.ru'), ipv4: '11.22.33.44' },
  }
  const spf = 'v=spf1 a mx ip4:11.22.33.0/24 ip4:2.2.2.2 ip6:2a03:b0c0:0:1010::424:8001/64 -all'
  const zone = {
    'mydomain.ru A': ['11.22.33.44'],
    'mydomain.ru MX': ['10 mydomain.ru'],
    'mydomain.ru TXT': [spf],
    'myselector._domainkey.mydomain.ru TXT': ['v=DKIM1; k=rsa; t=s; p=MIGfMA0G'],
    '_dmarc.mydomain.ru TXT': ['v=DMARC1; fo=0; p=none; rua=mailto:dmarc_reports@mydomain.ru'],
    '44.33.22.11.in-addr.arpa PTR': ['mydomain.ru'],
  }
  const resolver = mapResolver(zone)
  const records = await comparePlan(own, { resolver, lookup: lookupOver(resolver) })
  assert.deepEqual(
    records.filter(({ state }) => state !== 'present'),
    [],
  )
})
