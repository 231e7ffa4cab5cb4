import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeAnswer, faultyResolver, mapResolver } from '../../test/support/dns.ts'
import { type AddressLiteral, type Domain, parseDomain } from '../mail/domain.ts'
import { type HostsOptions, hostsOf } from './hosts.ts'

const domain = (text: string) => parseDomain(text) as Domain
const literal = (text: string) => text as AddressLiteral
const self = { hostname: domain('mail.sender.example'), ipv4: '8.8.4.4' }

/** Without chance: a random of almost 1 leaves the order as it is. */
const options: HostsOptions = {
  protocol: 'both',
  allowPrivate: false,
  self,
  random: () => 0.999,
}

/** `kind`, or the hosts as `name(address,address)`. */
async function ask(
  answers: Readonly<Record<string, FakeAnswer>>,
  changed: Partial<HostsOptions> = {},
): Promise<string> {
  const answer = await hostsOf(domain('example.com'), mapResolver(answers), {
    ...options,
    ...changed,
  })
  if (answer.kind !== 'hosts') return answer.kind
  const hosts = answer.hosts.map((host) => `${host.name}(${host.addresses.join(',')})`)
  return (answer.implicit ? 'implicit ' : '') + hosts.join(' ')
}

const A = { 'a.example.com A': ['1.1.1.1'] }
const B = { 'b.example.com A': ['1.1.1.2'] }
const C = { 'c.example.com A': ['1.1.1.3'] }
const OURS = { 'mail.sender.example A': ['8.8.4.4'] }

const TABLE: readonly [string, Readonly<Record<string, FakeAnswer>>, string][] = [
  [
    'hosts come by preference',
    { 'example.com MX': ['20 b.example.com', '10 a.example.com'], ...A, ...B },
    'a.example.com(1.1.1.1) b.example.com(1.1.1.2)',
  ],
  [
    'names are lower case without the final dot',
    { 'example.com MX': ['10 A.Example.COM.'], ...A },
    'a.example.com(1.1.1.1)',
  ],
  ['no MX: the domain itself', { 'example.com A': ['1.1.1.1'] }, 'implicit example.com(1.1.1.1)'],
  [
    'an alias without MX: still the domain',
    { 'example.com CNAME': ['other.example'], 'other.example A': ['1.1.1.9'] },
    'implicit example.com(1.1.1.9)',
  ],
  [
    'an alias with MX',
    { 'example.com CNAME': ['other.example'], 'other.example MX': ['10 a.example.com'], ...A },
    'a.example.com(1.1.1.1)',
  ],
  [
    'MX unknown: never the domain itself',
    { 'example.com MX': 'cannot-tell', 'example.com A': ['1.1.1.1'] },
    'cannot-tell',
  ],
  ['no such domain', { 'example.com MX': 'no-such-name' }, 'no-such-domain'],
  ['null MX', { 'example.com MX': ['0 .'], 'example.com A': ['1.1.1.1'] }, 'null-mx'],
  ['null MX written empty', { 'example.com MX': ['0 '] }, 'null-mx'],
  [
    'null MX beside others means nothing',
    { 'example.com MX': ['0 .', '10 a.example.com'], ...A },
    'a.example.com(1.1.1.1)',
  ],
  [
    'an address as exchange is no host',
    { 'example.com MX': ['10 192.0.2.1', '20 a.example.com'], ...A },
    'a.example.com(1.1.1.1)',
  ],
  ['only addresses as exchange', { 'example.com MX': ['10 192.0.2.1', '20 ::1'] }, 'no-hosts'],
  [
    'no addresses',
    { 'example.com MX': ['10 a.example.com'], 'a.example.com A': 'none' },
    'no-hosts',
  ],
  ['no MX, no addresses', { 'example.com TXT': ['hello'] }, 'no-hosts'],
  [
    'a host without address is skipped',
    { 'example.com MX': ['10 x.example.com', '20 a.example.com'], ...A },
    'a.example.com(1.1.1.1)',
  ],
  [
    'addresses unknown',
    { 'example.com MX': ['10 a.example.com'], 'a.example.com A': 'cannot-tell' },
    'cannot-tell',
  ],
  [
    'one host unknown, another known',
    {
      'example.com MX': ['10 x.example.com', '20 a.example.com'],
      'x.example.com A': 'cannot-tell',
      ...A,
    },
    'a.example.com(1.1.1.1)',
  ],
  [
    'one unknown, one private: not permanent',
    {
      'example.com MX': ['10 x.example.com', '20 y.example.com'],
      'x.example.com A': 'cannot-tell',
      'y.example.com A': ['10.0.0.1'],
    },
    'cannot-tell',
  ],
  [
    'loopback is prohibited',
    { 'example.com MX': ['10 a.example.com'], 'a.example.com A': ['127.0.0.1'] },
    'prohibited',
  ],
  ['mapped loopback is prohibited', { 'example.com AAAA': ['::ffff:127.0.0.1'] }, 'prohibited'],
  [
    'a private address beside a public one is dropped',
    { 'example.com A': ['10.0.0.1', '1.1.1.1'] },
    'implicit example.com(1.1.1.1)',
  ],
  [
    'IPv4 before IPv6',
    { 'example.com A': ['1.1.1.1'], 'example.com AAAA': ['2606:4700::1'] },
    'implicit example.com(1.1.1.1,2606:4700::1)',
  ],
  [
    'ourselves as best host',
    { 'example.com MX': ['10 mail.sender.example', '20 a.example.com'], ...OURS, ...A },
    'loops-back',
  ],
  [
    'ourselves beside an equal',
    { 'example.com MX': ['10 a.example.com', '10 mail.sender.example'], ...OURS, ...A },
    'loops-back',
  ],
  [
    'ourselves as backup: equal and worse hosts are cut',
    {
      'example.com MX': [
        '10 a.example.com',
        '20 mail.sender.example',
        '20 b.example.com',
        '30 c.example.com',
      ],
      ...OURS,
      ...A,
      ...B,
      ...C,
    },
    'a.example.com(1.1.1.1)',
  ],
  [
    'ourselves under another name',
    { 'example.com MX': ['10 alias.example'], 'alias.example A': ['8.8.4.4'] },
    'loops-back',
  ],
  [
    'a backup under another name',
    {
      'example.com MX': ['10 a.example.com', '20 alias.example', '30 c.example.com'],
      'alias.example A': ['8.8.4.4'],
      ...A,
      ...C,
    },
    'a.example.com(1.1.1.1)',
  ],
  [
    'a better host unknown, then ourselves',
    {
      'example.com MX': ['10 x.example.com', '20 mail.sender.example'],
      'x.example.com A': 'cannot-tell',
      ...OURS,
    },
    'cannot-tell',
  ],
]

for (const [what, answers, expected] of TABLE)
  test(what, async () => assert.equal(await ask(answers), expected))

test('the protocol decides what is asked', async () => {
  const answers = { 'example.com A': ['1.1.1.1'], 'example.com AAAA': ['2606:4700::1'] }
  assert.equal(await ask(answers, { protocol: 'ipv4' }), 'implicit example.com(1.1.1.1)')
  assert.equal(await ask(answers, { protocol: 'ipv6' }), 'implicit example.com(2606:4700::1)')
  assert.equal(
    await ask({ 'example.com AAAA': ['2606:4700::1'] }, { protocol: 'ipv4' }),
    'no-hosts',
  )
  const resolver = mapResolver(answers)
  await hostsOf(domain('example.com'), resolver, { ...options, protocol: 'ipv4' })
  assert.deepEqual(resolver.asked, ['example.com MX', 'example.com A'])
})

test('private addresses are used where they are allowed', async () => {
  const answers = { 'example.com A': ['127.0.0.1'] }
  assert.equal(await ask(answers, { allowPrivate: true }), 'implicit example.com(127.0.0.1)')
})

test('equal preferences are shuffled, unequal ones are not', async () => {
  const answers = {
    'example.com MX': ['10 a.example.com', '10 b.example.com', '20 c.example.com'],
    ...A,
    ...B,
    ...C,
  }
  const seen = new Set<string>()
  for (const chance of [0, 0.3, 0.6, 0.999]) seen.add(await ask(answers, { random: () => chance }))
  assert.deepEqual([...seen].sort(), [
    'a.example.com(1.1.1.1) b.example.com(1.1.1.2) c.example.com(1.1.1.3)',
    'b.example.com(1.1.1.2) a.example.com(1.1.1.1) c.example.com(1.1.1.3)',
  ])
})

test('a thousand records cost a bounded number of questions', async () => {
  const records = Array.from({ length: 1000 }, (_, i) => `10 h${i}.example.com`)
  const resolver = mapResolver({ 'example.com MX': records })
  const answer = await hostsOf(domain('example.com'), resolver, options)
  assert.equal(answer.kind, 'no-hosts')
  assert.equal(resolver.asked.length, 1 + 2 * 100)
})

test('an address literal needs no DNS', async () => {
  const resolver = faultyResolver()
  const ask = async (text: string, changed: Partial<HostsOptions> = {}) => {
    const answer = await hostsOf(literal(text), resolver, { ...options, ...changed })
    return answer.kind === 'hosts' ? answer.hosts[0]!.addresses.join() : answer.kind
  }
  assert.equal(await ask('[1.1.1.1]'), '1.1.1.1')
  assert.equal(await ask('[IPv6:2606:4700:0::1]'), '2606:4700::1')
  assert.equal(await ask('[127.0.0.1]'), 'prohibited')
  assert.equal(await ask('[127.0.0.1]', { allowPrivate: true }), '127.0.0.1')
  assert.equal(await ask('[8.8.4.4]'), 'loops-back')
  assert.equal(await ask('[IPv6:2606:4700::1]', { protocol: 'ipv4' }), 'no-hosts')
  assert.deepEqual(resolver.asked, [])
})

test('a broken DNS is never a permanent answer', async () => {
  const answer = await hostsOf(domain('example.com'), faultyResolver('timeout'), options)
  assert.deepEqual(answer, { kind: 'cannot-tell', why: 'MX of example.com: timeout' })
})

test('DNSSEC is told of the MX answer', async () => {
  const resolver = mapResolver(
    { 'example.com MX': ['10 a.example.com'], ...A },
    { authentic: ['example.com'] },
  )
  const answer = await hostsOf(domain('example.com'), resolver, options)
  assert.equal(answer.kind === 'hosts' && answer.authentic, true)
})
