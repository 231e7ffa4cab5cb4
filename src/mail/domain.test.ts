import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addressLiteral,
  displayDomain,
  isAddressLiteral,
  literalAddress,
  parentDomain,
  parseAddressLiteral,
  parseDomain,
} from './domain.ts'

const label63 = 'a'.repeat(63)
const domain253 = `${label63}.${label63}.${label63}.${'b'.repeat(61)}`

test('names that are domains, in their one form', () => {
  const table: [string, string][] = [
    ['example.com', 'example.com'],
    ['EXAMPLE.Com', 'example.com'],
    ['example.com.', 'example.com'],
    ['localhost', 'localhost'],
    ['a.b.c.d.e', 'a.b.c.d.e'],
    ['r3---sn-4g5e.example', 'r3---sn-4g5e.example'],
    ['my_host.example', 'my_host.example'],
    ['3com.com', '3com.com'],
    ['1.2.3.4.in-addr.arpa', '1.2.3.4.in-addr.arpa'],
    [`${label63}.com`, `${label63}.com`],
    [domain253, domain253],
    ['почта.рф', 'xn--80a1acny.xn--p1ai'],
    ['ПОЧТА.РФ', 'xn--80a1acny.xn--p1ai'],
    ['xn--80a1acny.xn--p1ai', 'xn--80a1acny.xn--p1ai'],
    ['XN--80A1ACNY.xn--p1ai', 'xn--80a1acny.xn--p1ai'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['faß.de', 'xn--fa-hia.de'], // not transitional: RFC 5891 keeps the ß
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'], // the ideographic full stop
    ['ｅｘａｍｐｌｅ.com', 'example.com'], // full width
  ]
  for (const [text, expected] of table) assert.equal(parseDomain(text), expected, text)
})

test('what cannot be a domain', () => {
  const table = [
    '',
    '.',
    '..',
    '.example.com',
    'example..com',
    'example.com..',
    '-example.com',
    'example-.com',
    'exa mple.com',
    'example.com\r\n',
    'example.com\0',
    'exa@mple.com',
    'a/b.com',
    '192.0.2.1',
    '１９２.0.2.1', // full-width digits
    'example.123',
    '[192.0.2.1]',
    `${label63}a.com`,
    `${domain253}b`,
    'xn--a.example', // not Punycode of anything
    'xn--.example',
    'a\u202eb.example',
    'ex\ufffdmple.com',
    '\ud800.example',
    `${'я'.repeat(60)}.рф`, // too long as an A-label
    'a，b.com',
    'ab--ж.example',
  ]
  for (const text of table) assert.equal(parseDomain(text), undefined, JSON.stringify(text))
})

test('address literals (RFC 5321 §4.1.3)', () => {
  const table: [string, string | undefined][] = [
    ['[192.0.2.1]', '192.0.2.1'],
    ['[IPv6:2001:db8::1]', '2001:db8::1'],
    ['[ipv6:2001:DB8::A]', '2001:db8::a'],
    ['[IPv6:::ffff:192.0.2.1]', '::ffff:192.0.2.1'],
    ['[192.0.2.256]', undefined],
    ['[192.0.2]', undefined],
    ['[2001:db8::1]', undefined],
    ['[IPv6:fe80::1%eth0]', undefined],
    ['[IPv6:]', undefined],
    ['192.0.2.1', undefined],
    ['[192.0.2.1', undefined],
    ['[tag:content]', undefined],
    ['[]', undefined],
    ['', undefined],
  ]
  for (const [text, address] of table) {
    const literal = parseAddressLiteral(text)
    assert.equal(literal && literalAddress(literal), address, text)
    if (literal) assert.ok(isAddressLiteral(literal))
  }
  assert.equal(addressLiteral('192.0.2.1'), '[192.0.2.1]')
  assert.equal(addressLiteral('2001:DB8::1'), '[IPv6:2001:db8::1]')
  assert.equal(addressLiteral('host.example'), undefined)
  assert.equal(isAddressLiteral(parseDomain('example.com')!), false)
})

test('parents and the form for people', () => {
  assert.equal(parentDomain(parseDomain('a.b.example')!), 'b.example')
  assert.equal(parentDomain(parseDomain('localhost')!), undefined)
  assert.equal(displayDomain(parseDomain('xn--80a1acny.xn--p1ai')!), 'почта.рф')
  assert.equal(displayDomain(parseDomain('example.com')!), 'example.com')
})

test('what was parsed parses to itself', () => {
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.string(), fc.string({ unit: 'binary' })), (text) => {
      const domain = parseDomain(text)
      if (domain === undefined) return
      assert.match(domain, /^[a-z0-9._-]{1,253}$/)
      assert.equal(parseDomain(domain), domain)
      assert.equal(parseDomain(domain.toUpperCase()), domain)
      assert.equal(parseDomain(displayDomain(domain)), domain)
    }),
    { numRuns: 1000 },
  )
})
