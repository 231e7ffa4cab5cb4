// What stands in for a client: the PROXY header of a load balancer, and XCLIENT's attributes.

import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { parseXclient } from '../../src/mail/xclient.ts'
import { parseProxyHeader } from '../../src/smtp/proxy.ts'
import { assertOneLine, type Target, textOf } from './target.ts'

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'
const TCP4 = '\xc0\0\x02\x01\xc0\0\x02\x02\x1f\x90\0\x19'

const header: Target = {
  name: 'PROXY header',
  samples: [
    'PROXY TCP4 192.0.2.1 198.51.100.1 8080 25\r\nEHLO x\r\n',
    'PROXY TCP6 2001:db8::1 ::ffff:192.0.2.2 1 65535\r\n',
    'PROXY UNKNOWN\r\n',
    `${SIGNATURE}\x21\x11\0\x0c${TCP4}EHLO x\r\n`,
    `${SIGNATURE}\x21\x11\0\x12${TCP4}\x03\0\x03abc`,
    `${SIGNATURE}\x21\x21\0\x24${'\x20\x01\r\xb8'.repeat(8)}\0\x01\0\x19`,
    `${SIGNATURE}\x20\0\0\0`,
    `${SIGNATURE}\x21\x31\0\xd8${'\0'.repeat(216)}`,
  ],
  tokens: [
    SIGNATURE,
    'PROXY ',
    ' ',
    '\r\n',
    'TCP4',
    'TCP6',
    '::',
    '65536',
    '\0',
    '\x21',
    '\xff\xff',
  ],
  check(octets, dice) {
    const found = parseProxyHeader(octets)
    if (!found || 'fault' in found) return
    const { client, octets: length } = found
    assert.ok(length >= 15 && length <= octets.length)
    if (client.kind === 'client') {
      assert.ok(isIP(client.address) > 0 && !client.address.startsWith('::ffff:'))
      assert.ok(client.port >= 0 && client.port < 65_536)
    }
    // No more and no less than the header is needed, and nothing behind it counts.
    assert.deepEqual(parseProxyHeader(octets.subarray(0, length)), found)
    assert.equal(parseProxyHeader(octets.subarray(0, dice.below(length))), undefined)
  },
}

const attributes: Target = {
  name: 'XCLIENT attributes',
  samples: [
    'NAME=spike.example ADDR=192.0.2.1 PORT=4711 PROTO=ESMTP HELO=spike LOGIN=app',
    'ADDR=IPV6:2001:db8::1 DESTADDR=[UNAVAILABLE] DESTPORT=25',
    'HELO=a+20b+2B NAME=[TEMPUNAVAIL]',
  ],
  tokens: ['ADDR=', 'LOGIN=', 'HELO=', '+0A', '+', 'IPV6:', '[UNAVAILABLE]', ' ', '=', '::1'],
  check(octets, dice) {
    const found = parseXclient(textOf(octets, dice))
    if (typeof found === 'string') return assertOneLine(found)
    const { address, port, helloName, login } = found
    if (address) assert.ok(isIP(address) > 0)
    if (port) assert.ok(port < 65_536)
    for (const text of [helloName, login]) if (text) assert.match(text, /^[ -~]{1,255}$/)
  },
}

export const proxyParsers: readonly Target[] = [header, attributes]
