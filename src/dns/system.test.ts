import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemServers, systemTrustsAd } from './system.ts'

const at = (address: string) => ({ address, port: 53 })

const TABLE: readonly [string, string, ReturnType<typeof systemServers>][] = [
  ['nothing', '', [at('127.0.0.1')]],
  ['one', 'nameserver 192.0.2.53\n', [at('192.0.2.53')]],
  ['IPv6', 'nameserver 2001:db8::53\n', [at('2001:db8::53')]],
  ['IPv6 with a zone', 'nameserver fe80::1%eth0\n', [at('fe80::1%eth0')]],
  [
    'comments and other lines',
    '# nameserver 1.1.1.1\n; x\nsearch a.example\n nameserver\t192.0.2.53 # ours\n',
    [at('192.0.2.53')],
  ],
  ['no address', 'nameserver dns.example\nnameserver\n', [at('127.0.0.1')]],
  [
    'at most three',
    'nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n',
    [at('192.0.2.1'), at('192.0.2.2'), at('192.0.2.3')],
  ],
]
for (const [what, text, expected] of TABLE)
  test(`resolv.conf: ${what}`, () => assert.deepEqual(systemServers(text), expected))

test('trust-ad is an option among others', () => {
  assert.equal(systemTrustsAd('options edns0 trust-ad\n'), true)
  assert.equal(systemTrustsAd('options edns0\n# options trust-ad\n'), false)
})
