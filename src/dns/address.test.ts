import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalAddress, isPublicAddress } from './address.ts'

const NOT_PUBLIC: readonly [string, string][] = [
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'this network'],
  ['10.1.2.3', 'private'],
  ['100.64.0.1', 'shared, RFC 6598'],
  ['100.127.255.254', 'shared, RFC 6598'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['169.254.169.254', 'link-local: cloud metadata'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.8', 'protocol assignments'],
  ['192.0.2.1', 'documentation'],
  ['192.88.99.1', '6to4 relay'],
  ['192.168.1.1', 'private'],
  ['198.18.0.1', 'benchmarks'],
  ['198.51.100.1', 'documentation'],
  ['203.0.113.1', 'documentation'],
  ['224.0.0.1', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::127.0.0.1', 'compatible'],
  ['::ffff:127.0.0.1', 'mapped'],
  ['::ffff:8.8.8.8', 'mapped, whatever is inside'],
  ['::ffff:0:8.8.8.8', 'translated'],
  ['64:ff9b::7f00:1', 'translated, RFC 6052'],
  ['64:ff9b:1::1', 'local translation, RFC 8215'],
  ['100::1', 'discard'],
  ['2001::1', 'Teredo'],
  ['2001:2::1', 'benchmarks'],
  ['2001:10::1', 'ORCHID'],
  ['2001:db8::1', 'documentation'],
  ['2002:7f00:1::', '6to4'],
  ['3fff::1', 'documentation, RFC 9637'],
  ['4000::1', 'not assigned'],
  ['fc00::1', 'unique local'],
  ['fd12:3456::1', 'unique local'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local with a zone'],
  ['2a00:1450::1%eth0', 'a zone'],
  ['fec0::1', 'site-local'],
  ['ff02::1', 'multicast'],
  ['127.1', 'not an address'],
  ['0x7f000001', 'not an address'],
  ['2130706433', 'not an address'],
  ['8.8.8.8.', 'not an address'],
  ['', 'not an address'],
  ['example.com', 'not an address'],
]

for (const [address, what] of NOT_PUBLIC)
  test(`${address || 'nothing'} is not public: ${what}`, () =>
    assert.equal(isPublicAddress(address), false))

for (const address of [
  '1.1.1.1',
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.255.255',
  '172.32.0.1',
  '198.17.255.255',
  '198.20.0.1',
  '223.255.255.254',
  '2a00:1450:4001::1a',
  '2606:4700:4700::1111',
])
  test(`${address} is public`, () => assert.equal(isPublicAddress(address), true))

test('two spellings of an address become one', () => {
  assert.equal(canonicalAddress('2A00:0:0::1'), '2a00::1')
  assert.equal(canonicalAddress('192.0.2.1'), '192.0.2.1')
  assert.equal(canonicalAddress('nonsense'), undefined)
  assert.equal(canonicalAddress('::%.'), undefined)
})
