import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeAnswer, faultyResolver, mapResolver } from '../../../test/support/dns.ts'
import { type Domain, parseDomain } from '../../mail/domain.ts'
import { describeFinding } from '../catalogue.ts'
import type { Finding } from '../check.ts'
import { checkDomain, type DomainCheckOptions } from './domain.ts'
import { checkMailHosts } from './mail-hosts.ts'

type Zone = Readonly<Record<string, FakeAnswer>>
const signal = new AbortController().signal
const domain = parseDomain('example.com') as Domain
const ours = { hostname: 'mail.example.com', addresses: ['192.0.2.25'] }

function codes(findings: readonly Finding[]): string {
  for (const finding of findings)
    for (const language of ['en', 'ru'] as const)
      assert.doesNotMatch(JSON.stringify(describeFinding(finding, language)), /\{\w+\}/)
  return findings.map(({ code }) => code).join(' ')
}

const hosts = async (zone: Zone, returnPath?: string) =>
  codes(
    await checkMailHosts({
      resolver: mapResolver(zone),
      domain,
      ...ours,
      ...(returnPath ? { returnPath: returnPath as Domain } : {}),
    }).run(signal),
  )

const host = { 'mail.example.com A': ['192.0.2.25'] }

const REPLIES: readonly [string, Zone, string][] = [
  ['a mail server', { 'example.com MX': ['10 mail.example.com'], ...host }, 'MX_OK'],
  ['only an address', { 'example.com A': ['192.0.2.1'] }, 'MX_IMPLICIT'],
  ['null MX', { 'example.com MX': ['0 '] }, 'MX_NULL'],
  ['nothing', { 'example.com TXT': ['x'] }, 'MX_MISSING'],
  ['a host without address', { 'example.com MX': ['10 gone.example.com'] }, 'MX_BROKEN'],
  [
    'the domain twice',
    { 'example.com MX': ['10 mail.example.com.example.com'], ...host },
    'MX_BROKEN',
  ],
  ['an address as a host', { 'example.com MX': ['10 192.0.2.25'] }, 'MX_BROKEN'],
  ['SERVFAIL', { 'example.com MX': 'cannot-tell' }, 'COULD_NOT_CHECK'],
  ['no such domain', {}, ''],
]
for (const [name, zone, expected] of REPLIES)
  test(`replies: ${name}`, async () => assert.equal(await hosts(zone), expected))

test('a return path of its own', async () => {
  const replies = { 'example.com MX': ['10 mail.example.com'], ...host }
  const mx = { 'bounce.example.com MX': ['10 mail.example.com'] }
  const spf = { 'bounce.example.com TXT': ['v=spf1 a:mail.example.com -all'] }
  const look = async (zone: Zone) =>
    (await hosts({ ...replies, ...zone }, 'bounce.example.com')).replace('MX_OK ', '')
  assert.equal(await look({ ...mx, ...spf }), 'RETURN_PATH_OK')
  assert.equal(await look(mx), 'RETURN_PATH_SPF')
  assert.equal(await look(spf), 'RETURN_PATH_NO_MX')
  assert.equal(await look({ ...mx, 'bounce.example.com TXT': ['v=spf1 -all'] }), 'RETURN_PATH_SPF')
  const elsewhere = {
    'bounce.example.com MX': ['10 mx.other.example'],
    'mx.other.example A': ['192.0.2.7'],
  }
  assert.equal(await look({ ...elsewhere, ...spf }), 'RETURN_PATH_MX_ELSEWHERE')
  assert.equal(await look({ ...mx, 'bounce.example.com TXT': 'cannot-tell' }), 'COULD_NOT_CHECK')
})

test('the domain itself', async () => {
  const now = Date.parse('2026-11-21')
  const look = async (zone: Zone, rest: Partial<DomainCheckOptions> = {}) =>
    checkDomain({ resolver: mapResolver(zone), domain, now: () => now, ...rest }).run(signal)
  const zone = { 'example.com NS': ['ns1.example.net'] }
  assert.equal(codes(await look(zone)), 'DOMAIN_OK')
  assert.equal(codes(await look({ 'www.example.com A': ['192.0.2.1'] })), 'DOMAIN_OK')
  assert.equal(codes(await look({})), 'DOMAIN_MISSING')
  assert.equal(codes(await look({ 'example.com NS': 'cannot-tell' })), 'ZONE_FAILS')
})

test('a resolver that is down says nothing about the zone', async () => {
  const resolver = faultyResolver('127.0.0.1: ECONNREFUSED')
  const findings = await checkDomain({ resolver, domain, now: () => 0 }).run(signal)
  assert.equal(codes(findings), 'COULD_NOT_CHECK')
})

test('a young domain, by the name that was registered', async () => {
  const now = Date.parse('2026-11-21')
  const asked: string[] = []
  const age = (days: number) => async (name: string) => {
    asked.push(name)
    return now - days * 86_400_000
  }
  const at = parseDomain('shop.пример.рф') as Domain
  const resolver = mapResolver({ [`${at} A`]: ['192.0.2.1'] })
  const look = (registeredAt: DomainCheckOptions['registeredAt']) =>
    checkDomain({
      resolver,
      domain: at,
      now: () => now,
      ...(registeredAt ? { registeredAt } : {}),
    }).run(signal)
  const findings = await look(age(9))
  assert.equal(codes(findings), 'DOMAIN_OK NEW_DOMAIN')
  assert.deepEqual(asked, ['xn--e1afmkfd.xn--p1ai'])
  assert.match(
    describeFinding(findings[1]!, 'en').saw,
    /^пример\.рф \(xn--e1afmkfd\.xn--p1ai\) was/,
  )
  assert.equal(codes(await look(age(400))), 'DOMAIN_OK')
  const silent = await look(async () => Promise.reject(new Error('no network')))
  assert.equal(codes(silent), 'DOMAIN_OK COULD_NOT_CHECK')
})

test('a return path in a domain of others is advised against where its SPF does not pass', async () => {
  const zone = {
    'example.com MX': ['10 mail.example.com'],
    ...host,
    'good.example TXT': ['v=spf1 ip4:192.0.2.25 -all'],
    'bad.example TXT': ['v=spf1 -all'],
    'broken.example TXT': 'cannot-tell',
  } satisfies Zone
  const look = async (...foreignPaths: string[]) =>
    codes(
      await checkMailHosts({
        resolver: mapResolver(zone),
        domain,
        ...ours,
        foreignPaths: foreignPaths as Domain[],
      }).run(signal),
    )
  assert.equal(await look('good.example'), 'MX_OK')
  assert.equal(
    await look('bad.example', 'silent.example'),
    'MX_OK RETURN_PATH_FOREIGN RETURN_PATH_FOREIGN',
  )
  assert.equal(await look('broken.example'), 'MX_OK COULD_NOT_CHECK')
})
