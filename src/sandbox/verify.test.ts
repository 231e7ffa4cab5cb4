import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeResolver, mapResolver } from '../../test/support/dns.ts'
import { signText } from '../../test/support/sign.ts'
import { makeKey, publicText } from '../dkim/keys.ts'
import { plannedRecords } from '../doctor/plan.ts'
import { type Domain, parseDomain } from '../mail/domain.ts'
import { asNodeResolver, verifyMessage } from './verify.ts'

const domain = (text: string) => parseDomain(text) as Domain
const identity = { hostname: domain('mail.known.example'), ipv4: '192.0.2.25' }
const privateKey = await makeKey('rsa-sha256')
const TEXT = 'From: App <app@known.example>\r\nTo: you@customer.example\r\n\r\nHello\r\n'
const signed = await signText(TEXT, 'known.example', {
  selector: 'p1',
  algorithm: 'rsa-sha256',
  privateKey,
})

function planned(): FakeResolver {
  const resolver = mapResolver({})
  const keys = [{ selector: 'p1', txt: publicText(privateKey) }]
  for (const { name, type, value } of plannedRecords({
    domain: domain('known.example'),
    keys,
    identity,
  }))
    resolver.set(`${name} ${type}`, [value])
  return resolver
}

const OURS = '192.0.2.25'
const OTHER = '198.51.100.7'

type Case = {
  readonly address?: string
  readonly unsigned?: boolean
  readonly sender?: string
  readonly dns?: (resolver: FakeResolver) => void
}

const TABLE: readonly [string, Case, string][] = [
  ['as it should be', {}, 'pass pass pass'],
  ['from another address, signed', { address: OTHER }, 'pass softfail pass'],
  ['from another address, unsigned', { address: OTHER, unsigned: true }, 'none softfail fail'],
  ['a bounce from another address', { address: OTHER, sender: '' }, 'pass fail pass'],
  [
    'a reverse-path elsewhere, unsigned',
    { sender: 'x@other.example', unsigned: true },
    'none none fail',
  ],
  [
    'no key in DNS',
    { dns: (r) => r.set('p1._domainkey.known.example TXT', 'no-such-name') },
    'neutral pass pass',
  ],
  ['no SPF in DNS', { dns: (r) => r.set('known.example TXT', 'none') }, 'pass none pass'],
  [
    'no DMARC in DNS',
    { dns: (r) => r.set('_dmarc.known.example TXT', 'no-such-name') },
    'pass pass none',
  ],
  [
    'DNS fails for the key',
    { dns: (r) => r.set('p1._domainkey.known.example TXT', 'cannot-tell') },
    'temperror pass pass',
  ],
  [
    'DNS fails for SPF',
    { dns: (r) => r.set('known.example TXT', 'cannot-tell') },
    'pass temperror pass',
  ],
]
for (const [
  what,
  { address = OURS, unsigned, sender = 'app@known.example', dns },
  expected,
] of TABLE)
  test(what, async () => {
    const resolver = planned()
    dns?.(resolver)
    const verdict = await verifyMessage(
      Buffer.from(unsigned ? TEXT : signed),
      { address, helloName: identity.hostname, sender, receiver: 'mx.customer.example' },
      resolver,
    )
    assert.equal(`${verdict.dkim} ${verdict.spf} ${verdict.dmarc}`, expected)
    assert.match(verdict.fields, /^Authentication-Results: mx\.customer\.example;/)
    assert.equal(/(?<!\r)\n|\r(?!\n)/.test(verdict.fields), false)
    assert.ok(verdict.fields.endsWith('\r\n'))
  })

test('answers have the shape and the errors of node:dns', async () => {
  const resolve = asNodeResolver(
    mapResolver({
      'a.example A': ['192.0.2.1'],
      'a.example MX': ['10 mx.example'],
      'a.example TXT': ['one', 'two'],
      'broken.example A': 'cannot-tell',
    }),
  )
  assert.deepEqual(await resolve('a.example', 'A'), ['192.0.2.1'])
  assert.deepEqual(await resolve('a.example', 'MX'), [{ priority: 10, exchange: 'mx.example' }])
  assert.deepEqual(await resolve('a.example', 'TXT'), [['one'], ['two']])
  await assert.rejects(resolve('a.example', 'AAAA'), { code: 'ENODATA' })
  await assert.rejects(resolve('none.example', 'A'), { code: 'ENOTFOUND' })
  await assert.rejects(resolve('broken.example', 'A'), { code: 'ESERVFAIL' })
})
