import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { openListener } from '../../test/support/listener.ts'
import { converse } from '../../test/support/transcript.ts'
import { parseProxyHeader } from './proxy.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const TCP4 = 'c0000201 c6336401 1f90 0019'
const TCP6 = '20010db8000000000000000000000001 20010db8000000000000000000000002 1f90 0019'
const v2 = (hex: string) => Buffer.from(`${SIGNATURE}${hex}`.replaceAll(' ', ''), 'hex')
const v1 = (text: string) => Buffer.from(text, 'latin1')
const client = (address: string, port: number) => ({ kind: 'client', address, port })

const WHOLE: readonly (readonly [string, Buffer, unknown])[] = [
  ['TCP4', v1('PROXY TCP4 192.0.2.1 198.51.100.1 8080 25\r\n'), client('192.0.2.1', 8080)],
  ['TCP6', v1('PROXY TCP6 2001:DB8:0::1 2001:db8::2 1 25\r\n'), client('2001:db8::1', 1)],
  ['mapped', v1('PROXY TCP6 ::ffff:192.0.2.1 ::1 1 25\r\n'), client('192.0.2.1', 1)],
  ['UNKNOWN', v1('PROXY UNKNOWN\r\n'), { kind: 'unknown' }],
  ['UNKNOWN with more', v1('PROXY UNKNOWN ffff::1 x y z\r\n'), { kind: 'unknown' }],
  ['v2 TCP4', v2(`21 11 000c ${TCP4}`), client('192.0.2.1', 8080)],
  ['v2 TCP6', v2(`21 21 0024 ${TCP6}`), client('2001:db8::1', 8080)],
  [
    'v2 mapped',
    v2(`21 21 0024 00000000000000000000ffffc0000201 ${TCP6.slice(33)}`),
    client('192.0.2.1', 8080),
  ],
  ['v2 with TLVs', v2(`21 11 0015 ${TCP4} 04 0000 05 0003 616263`), client('192.0.2.1', 8080)],
  ['v2 LOCAL', v2('20 00 0000'), { kind: 'proxy' }],
  ['v2 LOCAL with addresses to skip', v2(`20 11 000c ${TCP4}`), { kind: 'proxy' }],
  ['v2 without a family', v2('21 00 0000'), { kind: 'unknown' }],
  ['v2 UNIX', v2(`21 31 00d8 ${'00'.repeat(216)}`), { kind: 'unknown' }],
  ['v2 UDP', v2(`21 12 000c ${TCP4}`), { kind: 'unknown' }],
]

const BROKEN: readonly (readonly [string, Buffer])[] = [
  ['no header', v1('EHLO client.test\r\n')],
  ['small letters', v1('proxy TCP4 192.0.2.1 198.51.100.1 8080 25\r\n')],
  ['two blanks', v1('PROXY TCP4  192.0.2.1 198.51.100.1 8080 25\r\n')],
  ['a name', v1('PROXY TCP4 host.example 198.51.100.1 8080 25\r\n')],
  ['the wrong family', v1('PROXY TCP4 2001:db8::1 2001:db8::2 8080 25\r\n')],
  ['a zone', v1('PROXY TCP6 fe80::1%eth0 fe80::2 8080 25\r\n')],
  ['octal', v1('PROXY TCP4 192.0.02.1 198.51.100.1 8080 25\r\n')],
  ['a port too high', v1('PROXY TCP4 192.0.2.1 198.51.100.1 65536 25\r\n')],
  ['a port with a zero', v1('PROXY TCP4 192.0.2.1 198.51.100.1 080 25\r\n')],
  ['a word too many', v1('PROXY TCP4 192.0.2.1 198.51.100.1 8080 25 26\r\n')],
  ['a line without end', v1(`PROXY UNKNOWN ${'x'.repeat(100)}\r\n`)],
  ['v2 of version 3', v2(`31 11 000c ${TCP4}`)],
  ['v2 with another command', v2(`22 11 000c ${TCP4}`)],
  ['v2 cut', v2('21 11 0004 c0000201')],
  ['v2 with a broken TLV', v2(`21 11 000f ${TCP4} 04 0001`)],
  ['v2 of another family', v2(`21 41 000c ${TCP4}`)],
  ['v2 of 60 KB', v2('21 11 f000')],
]

test('a header is read wherever it is cut, and what follows it is left', () => {
  for (const [name, octets, expected] of WHOLE) {
    const more = Buffer.concat([octets, Buffer.from('EHLO x\r\n')])
    assert.deepEqual(parseProxyHeader(more), { client: expected, octets: octets.length }, name)
    for (let cut = 0; cut < octets.length; cut++) {
      assert.equal(parseProxyHeader(octets.subarray(0, cut)), undefined, `${name} cut at ${cut}`)
    }
  }
})

test('what is none is a fault', () => {
  for (const [name, octets] of BROKEN) {
    const found = parseProxyHeader(octets)
    assert.ok(found && 'fault' in found, name)
  }
})

const LETTER = `
  C: MAIL FROM:<a@example.com>
  C: RCPT TO:<b@example.org>
  C: DATA
  S: 250 *
  S: 250 *
  S: 354 *
  C: Subject: x
  C:
  C: hello
  C: .
  S: 250 *`

test('the client that the proxy names is the client; its address is counted and tried for trust', async () => {
  const asked: string[] = []
  await using place = await openListener({
    isProxy: () => true,
    isTrusted: (address) => asked.push(address) > 100,
    slots: { perAddress: 1, total: 10 },
  }).then(disposable)
  const script = (address: string) => `
    R: PROXY TCP4 ${address} 198.51.100.1 4711 25\\r\\nEHLO client.test\\r\\n
    S: 220 *
    S: ...
    S: 250 *${LETTER}
    C: QUIT
    S: 221 *`
  await Promise.all([
    converse(place.port, script('192.0.2.1')),
    converse(place.port, script('192.0.2.2')),
  ])
  const [first, second] = place.received.map(({ client }) => client)
  assert.deepEqual(asked.toSorted(), ['192.0.2.1', '192.0.2.2'])
  assert.deepEqual([first?.address, second?.address].toSorted(), ['192.0.2.1', '192.0.2.2'])
  assert.equal(first?.port, 4711)
})

test('a second session of one client behind the proxy is one too many for it alone', async () => {
  await using place = await openListener({
    isProxy: () => true,
    slots: { perAddress: 1, total: 10 },
  }).then(disposable)
  const open = connect(place.port, '127.0.0.1')
  open.write('PROXY TCP4 192.0.2.1 198.51.100.1 1 25\r\n')
  await new Promise((resolve) => open.once('data', resolve))
  await converse(
    place.port,
    'R: PROXY TCP4 192.0.2.1 198.51.100.1 2 25\\r\\n\nS: 421 *\nS: (closed)',
  )
  await converse(place.port, 'R: PROXY TCP4 192.0.2.3 198.51.100.1 2 25\\r\\n\nS: 220 *')
  open.destroy()
})

test('a broken header is refused; so is one from somebody who is no proxy', async () => {
  const refused: string[] = []
  const events = {
    onRefusal: (client: { address: string }, { verb }: { verb: string }) =>
      refused.push(`${client.address} ${verb}`),
  }
  await using place = await openListener({ isProxy: () => true, events }).then(disposable)
  await converse(place.port, 'R: EHLO client.test\\r\\n\nS: 554 5.5.0 *PROXY*\nS: (closed)')
  await using other = await openListener({ isProxy: () => false, events }).then(disposable)
  await converse(
    other.port,
    'R: PROXY TCP4 127.0.0.1 127.0.0.1 1 25\\r\\n\nS: 220 *\nS: 554 5.7.0 *PROXY*\nS: (closed)',
  )
  await converse(
    other.port,
    'R: \\r\\n\\r\\n\\0\\r\\nQUIT\\n\nS: 220 *\nS: 500 *\nS: 500 *\nS: 500 *\nS: (closed)',
  )
  assert.deepEqual(refused.slice(0, 2), ['127.0.0.1 PROXY', '127.0.0.1 FAULT'])
})

test('who only looks whether the port is open is no news; who leaves within his header is', async () => {
  const refused: string[] = []
  await using place = await openListener({
    isProxy: () => true,
    events: { onRefusal: (_, { reply }) => refused.push(reply.text.join(' ')) },
  }).then(disposable)
  for (const octets of ['', 'PROXY TCP4 192.0']) {
    const socket = connect(place.port, '127.0.0.1')
    socket.end(octets)
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
  }
  assert.equal(refused.length, 1)
  assert.match(refused[0]!, /within its PROXY header/)
})

test('silence instead of a header ends', async () => {
  await using place = await openListener({ isProxy: () => true, limits: { proxyMs: 50 } }).then(
    disposable,
  )
  await converse(place.port, 'S: 554 5.5.0 *in time\nS: (closed)')
})

test('of a client that the proxy cannot name nothing is believed; the proxy itself is itself', async () => {
  await using place = await openListener({ isProxy: () => true }).then(disposable)
  const rest = `\nS: 220 *\nC: HELO x\nS: 250 *${LETTER}`
  await converse(place.port, `R: PROXY UNKNOWN\\r\\n${rest}`)
  const local = [...v2('20 00 0000')].map((octet) => `\\x${octet.toString(16).padStart(2, '0')}`)
  await converse(place.port, `R: ${local.join('')}${rest}`)
  assert.deepEqual(
    place.received.map(({ client }) => client.address),
    ['unknown', '127.0.0.1'],
  )
})

test('with implicit TLS the header comes before the handshake, in one segment with it or not', async () => {
  await using place = await openListener({ isProxy: () => true, tls: 'implicit' }).then(disposable)
  for (const apart of [false, true]) {
    const socket = connect(place.port, '127.0.0.1')
    socket.cork()
    socket.write('PROXY TCP6 2001:db8::7 2001:db8::2 7 465\r\n')
    if (apart) {
      socket.uncork()
      await new Promise((resolve) => setImmediate(resolve))
    } else process.nextTick(() => process.nextTick(() => socket.uncork()))
    const secured = connectTls({ socket, rejectUnauthorized: false })
    const banner = await new Promise<string>((resolve, reject) => {
      secured.once('data', (data) => resolve(String(data)))
      secured.once('error', reject)
    })
    assert.match(banner, /^220 /)
    secured.destroy()
  }
})

type Opened = Awaited<ReturnType<typeof openListener>>
function disposable(place: Opened): Opened & AsyncDisposable {
  return { ...place, [Symbol.asyncDispose]: () => place.listener[Symbol.asyncDispose]() }
}
