import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dmarc } from 'mailauth'
import { type FakeAnswer, mapResolver } from '../../test/support/dns.ts'
import { asNodeResolver } from '../sandbox/verify.ts'
import { checkDmarc, discoverDmarc } from './dmarc.ts'
import { reportDestinations } from './dmarc-reports.ts'

type Zone = Readonly<Record<string, FakeAnswer>>
const at = (domain: string, ...texts: string[]): Zone => ({ [`_dmarc.${domain} TXT`]: texts })
const exists = (domain: string): Zone => ({ [`${domain} A`]: ['192.0.2.1'] })

/** Name, zone, author, and `domain whose record applies, policy, organization`. */
const DISCOVERIES: readonly [string, Zone, string, string][] = [
  [
    'its own record',
    at('a.example', 'v=DMARC1; p=reject'),
    'a.example',
    'a.example reject a.example',
  ],
  [
    'the record of the organization, for a name that exists',
    {
      ...at('a.example', 'v=DMARC1; p=reject; sp=quarantine; np=none'),
      ...exists('x.y.a.example'),
    },
    'x.y.a.example',
    'a.example quarantine a.example',
  ],
  [
    'np for a name that does not',
    { ...at('a.example', 'v=DMARC1; p=none; sp=quarantine; np=reject'), ...exists('a.example') },
    'x.a.example',
    'a.example reject a.example',
  ],
  [
    'sp for a name that does not, without np',
    at('a.example', 'v=DMARC1; p=none; sp=quarantine'),
    'nothere.test.a.example',
    'a.example quarantine a.example',
  ],
  [
    'a dangling alias exists',
    {
      ...at('a.example', 'v=DMARC1; p=none; np=reject'),
      'x.a.example CNAME': ['gone.example.net'],
    },
    'x.a.example',
    'a.example none a.example',
  ],
  [
    'the shortest name, though a longer one has a record too',
    { ...at('b.a.example', 'v=DMARC1; p=reject'), ...at('a.example', 'v=DMARC1; p=none') },
    'c.b.a.example',
    'a.example none a.example',
  ],
  [
    'its own record, of an organization above',
    { ...at('b.a.example', 'v=DMARC1; p=reject'), ...at('a.example', 'v=DMARC1; p=none') },
    'b.a.example',
    'b.a.example reject a.example',
  ],
  [
    'psd=n ends the walk',
    { ...at('b.a.example', 'v=DMARC1; p=reject; psd=n'), ...at('a.example', 'v=DMARC1; p=none') },
    'c.b.a.example',
    'b.a.example reject b.a.example',
  ],
  [
    'psd=y: the organization is one label below',
    {
      ...at('example', 'v=DMARC1; p=none; psd=y; np=reject'),
      ...at('a.example', 'v=DMARC1; p=quarantine'),
      ...exists('b.a.example'),
    },
    'b.a.example',
    'a.example quarantine a.example',
  ],
  [
    'psd=y: its policy serves an organization without one',
    { ...at('example', 'v=DMARC1; p=reject; sp=quarantine; psd=y'), ...exists('b.a.example') },
    'b.a.example',
    'example quarantine a.example',
  ],
  [
    'a public suffix itself',
    at('example', 'v=DMARC1; p=reject; psd=y'),
    'example',
    'example reject example',
  ],
  [
    't=y lowers reject',
    at('a.example', 'v=DMARC1; p=reject; t=y'),
    'a.example',
    'a.example quarantine a.example',
  ],
  [
    't=y lowers quarantine',
    at('a.example', 'v=DMARC1; p=quarantine; t=y'),
    'a.example',
    'a.example none a.example',
  ],
  [
    'removed tags change nothing',
    at('a.example', 'v=DMARC1; p=reject; pct=0; ri=1; rf=afrf'),
    'a.example',
    'a.example reject a.example',
  ],
  [
    'several records are none',
    {
      ...at('b.a.example', 'v=DMARC1; p=reject', 'v=DMARC1; p=none'),
      ...at('a.example', 'v=DMARC1; p=none; sp=quarantine'),
      ...exists('b.a.example'),
    },
    'b.a.example',
    'a.example quarantine a.example',
  ],
  [
    'other TXT records do not matter',
    at('a.example', 'hello', 'v=DMARC1; p=reject', 'v=spf1 -all'),
    'a.example',
    'a.example reject a.example',
  ],
  [
    'no p, but reports',
    at('a.example', 'v=DMARC1; rua=mailto:r@a.example'),
    'a.example',
    'a.example none a.example',
  ],
  ['no p and no reports', at('a.example', 'v=DMARC1'), 'a.example', '- a.example'],
  [
    'a bad sp and no reports',
    at('a.example', 'v=DMARC1; p=reject; sp=x'),
    'a.example',
    '- a.example',
  ],
  ['nothing anywhere', exists('a.example'), 'b.a.example', '- b.a.example'],
  [
    'any case, any final dot',
    at('a.example', 'v=DMARC1; p=reject'),
    'A.EXAMPLE.',
    'a.example reject a.example',
  ],
  ['SERVFAIL', { '_dmarc.a.example TXT': 'cannot-tell' }, 'a.example', '? a.example'],
  ['SERVFAIL above', { '_dmarc.example TXT': 'cannot-tell' }, 'a.example', '? example'],
]
for (const [name, zone, author, expected] of DISCOVERIES)
  test(`discovery: ${name}`, async () => {
    const found = await discoverDmarc(author, mapResolver(zone))
    const told =
      found.kind === 'policy'
        ? `${found.at} ${found.policy} ${found.organizational}`
        : found.kind === 'none'
          ? `- ${found.organizational}`
          : `? ${found.domain}`
    assert.equal(told, expected)
  })

test('a name of many labels costs eight questions (RFC 9989 §4.10)', async () => {
  const resolver = mapResolver({})
  await discoverDmarc('a.b.c.d.e.f.g.h.i.j.mail.example.com', resolver)
  assert.deepEqual(resolver.asked, [
    '_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com TXT',
    '_dmarc.g.h.i.j.mail.example.com TXT',
    '_dmarc.h.i.j.mail.example.com TXT',
    '_dmarc.i.j.mail.example.com TXT',
    '_dmarc.j.mail.example.com TXT',
    '_dmarc.mail.example.com TXT',
    '_dmarc.example.com TXT',
    '_dmarc.com TXT',
  ])
})

const ORGANIZATION = at('a.example', 'v=DMARC1; p=reject')
const STRICT = at('a.example', 'v=DMARC1; p=reject; adkim=s; aspf=s')

/** Name, zone, author, SPF's domain, DKIM's domains, result. */
const VERDICTS: readonly [string, Zone, string, string | undefined, string[], string][] = [
  ['the same domain by SPF', STRICT, 'a.example', 'a.example', [], 'pass'],
  ['the same domain by DKIM', STRICT, 'a.example', undefined, ['A.example'], 'pass'],
  ['below, relaxed', ORGANIZATION, 'a.example', 'bounce.a.example', [], 'pass'],
  ['beside, relaxed', ORGANIZATION, 'x.a.example', undefined, ['y.a.example'], 'pass'],
  ['above, relaxed', ORGANIZATION, 'x.a.example', undefined, ['a.example'], 'pass'],
  ['below, strict', STRICT, 'a.example', 'bounce.a.example', ['x.a.example'], 'fail'],
  ['another domain', ORGANIZATION, 'a.example', 'b.example', ['c.example'], 'fail'],
  ['a name that only ends alike', ORGANIZATION, 'a.example', undefined, ['xa.example'], 'fail'],
  [
    'one good signature of several',
    ORGANIZATION,
    'a.example',
    undefined,
    ['b.example', 'a.example'],
    'pass',
  ],
  ['nothing proved', ORGANIZATION, 'a.example', undefined, [], 'fail'],
  ['no policy', {}, 'a.example', 'a.example', ['a.example'], 'none'],
  [
    'psd=n makes an organization of its own',
    { ...ORGANIZATION, ...at('dept.a.example', 'v=DMARC1; p=none; psd=n') },
    'a.example',
    undefined,
    ['x.dept.a.example'],
    'fail',
  ],
  [
    'below a public suffix nobody is kin',
    { ...at('example', 'v=DMARC1; p=reject; psd=y') },
    'a.example',
    'b.example',
    ['example'],
    'fail',
  ],
  [
    'the policy cannot be told',
    { '_dmarc.a.example TXT': 'cannot-tell' },
    'a.example',
    'a.example',
    [],
    'temperror',
  ],
  [
    'the alignment cannot be told',
    { ...ORGANIZATION, '_dmarc.x.a.example TXT': 'cannot-tell' },
    'a.example',
    undefined,
    ['x.a.example'],
    'temperror',
  ],
  [
    'one that cannot be told does not hinder another',
    { ...ORGANIZATION, '_dmarc.x.a.example TXT': 'cannot-tell' },
    'a.example',
    'a.example',
    ['x.a.example'],
    'pass',
  ],
]
for (const [name, zone, author, spf, dkim, expected] of VERDICTS)
  test(`alignment: ${name}`, async () => {
    const resolver = mapResolver(zone)
    const verdict = await checkDmarc({ author, dkim, ...(spf ? { spf } : {}) }, resolver)
    assert.equal(verdict.result, expected)
    const theirs = await dmarc({
      headerFrom: [`user@${author}`],
      spfDomains: spf ? [spf] : [],
      dkimDomains: dkim.map((domain) => ({ id: domain, domain, aligned: false, underSized: 0 })),
      resolver: asNodeResolver(resolver),
      strict: true,
    } as unknown as Parameters<typeof dmarc>[0])
    assert.equal(theirs ? theirs.status.result : 'none', expected, 'mailauth agrees')
  })

test('reports go elsewhere only where that place consents', async () => {
  const zone = {
    ...ORGANIZATION,
    ...at('b.example', 'v=DMARC1; p=none'),
    'a.example._report._dmarc.agreed.example TXT': ['v=DMARC1'],
    'a.example._report._dmarc.silent.example TXT': ['hello'],
    'a.example._report._dmarc.broken.example TXT': 'cannot-tell' as const,
  }
  const destinations = await reportDestinations(
    [
      'mailto:d@a.example',
      'mailto:d@reports.a.example',
      'mailto:d@agreed.example?subject=x',
      'mailto:d@b.example',
      'mailto:d@silent.example',
      'mailto:d@broken.example',
      'https://a.example/in',
      'mailto:nobody',
      'mailto:%zz@a.example',
    ],
    'a.example',
    mapResolver(zone),
  )
  assert.deepEqual(
    destinations.map(({ kind }) => kind),
    [
      'own',
      'own',
      'authorised',
      'not-authorised',
      'not-authorised',
      'cannot-tell',
      'unusable',
      'unusable',
      'unusable',
    ],
  )
  const refused = destinations[3]
  assert.ok(refused?.kind === 'not-authorised')
  assert.equal(refused.name, 'a.example._report._dmarc.b.example')
})
