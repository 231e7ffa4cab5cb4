import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isGenericName, isPublicName } from './names.ts'

const ipv4 = '203.0.113.10'
const ipv6 = '2001:db8::10'

const PUBLIC: readonly [string, boolean][] = [
  ['mail.example.com', true],
  ['example.com', true],
  ['mail.xn--e1afmkfd.xn--p1ai', true],
  ['a1b2c3d4e5f6', false],
  ['localhost', false],
  ['localhost.localdomain', false],
  ['mail.example.test', false],
  ['mail.local', false],
  ['vm.internal', false],
  ['10.0.0.1', false],
]
for (const [name, isPublic] of PUBLIC)
  test(`${name} is ${isPublic ? 'a public' : 'no public'} name`, () => {
    assert.equal(isPublicName(name), isPublic)
  })

const GENERIC: readonly [string, boolean][] = [
  ['mail.example.com', false],
  ['mx1.example.com', false],
  ['smtp-out-3.example.com', false],
  ['example.com', false],
  ['10.113.0.203.pool.isp.example', true],
  ['static-203-0-113-10.isp.example', true],
  ['ec2-203-0-113-10.compute-1.amazonaws.com', true],
  ['static.10.113.0.203.clients.your-server.de', true],
  ['cb00710a.isp.example', true],
  ['vps-77.host.example', true],
  ['vm1234.hoster.example', true],
  ['113-10.customer.isp.example', true],
]
for (const [name, generic] of GENERIC)
  test(`${name} is ${generic ? 'generic' : 'a chosen name'}`, () => {
    assert.equal(isGenericName(name, ipv4), generic)
  })

test('the nibbles of an IPv6 address make a name generic', () => {
  assert.ok(isGenericName('2001-db8--10.isp.example', ipv6) === false)
  assert.ok(isGenericName('2001-0db8-0000-0000-0000-0000-0000-0010.isp.example', ipv6))
})
