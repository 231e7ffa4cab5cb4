// A server in a small made-up world: its doctor says what is wrong there, in the command line, over
// HTTP and in the log, and sees at once when it is mended.

import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { Answer } from 'dns-packet'
import { type DnsReply, scriptedDns } from '../support/dns-server.ts'
import { type Settings, startHere } from '../support/posthorn.ts'
import { until } from '../support/tools.ts'

// Nobody listens there, which shows at once.
const ADDRESS = '127.0.0.9'
const REVERSED = '9.0.0.127'
const NO_SUCH_NAME: DnsReply = { rcode: 3 }
const SERVER_FAILURE: DnsReply = { rcode: 2 }
const PROVED = 0x20

type Zone = Map<string, DnsReply>
const a = (name: string, data: string): DnsReply => ({
  answers: [{ type: 'A', name, ttl: 300, data } satisfies Answer],
})

/** What is right from the start: a receiver, a blocklist that works, DNSSEC. */
function world(): Zone {
  return new Map<string, DnsReply>([
    [
      'receiver.example MX',
      {
        answers: [
          {
            type: 'MX',
            name: 'receiver.example',
            ttl: 300,
            data: { preference: 10, exchange: 'mx.receiver.example' },
          },
        ],
      },
    ],
    ['mx.receiver.example A', a('mx.receiver.example', '127.0.0.1')],
    ['2.0.0.127.bl.example.net A', a('2.0.0.127.bl.example.net', '127.0.0.2')],
    ['signed.example A', { ...(a('signed.example', '192.0.2.1') as object), flags: PROVED }],
    ['broken.example A', SERVER_FAILURE],
  ])
}

function mend(zone: Zone): void {
  const name = `${REVERSED}.in-addr.arpa`
  zone.set('mail.example.com A', a('mail.example.com', ADDRESS))
  zone.set(`${name} PTR`, { answers: [{ type: 'PTR', name, ttl: 300, data: 'mail.example.com' }] })
  zone.delete(`${REVERSED}.bl.example.net A`)
}

/** A mail server that says whom it is and whom it sees. */
async function receiver(sees: string) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('220 mx.receiver.example ESMTP\r\n')
    socket.setEncoding('latin1').on('data', (line: string) => {
      if (line.startsWith('EHLO')) socket.write(`250 mx.receiver.example hello [${sees}]\r\n`)
      else socket.end('221 bye\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

const settings = (dns: { port: number }, port: number): Settings => ({
  mode: 'live',
  hostname: 'mail.example.com',
  public_ipv4: ADDRESS,
  smtp: { port: 0 },
  http: { port: 0 },
  dns: { servers: [`127.0.0.1:${dns.port}`] },
  delivery: { port, allow_private_addresses: true },
  doctor: {
    every: '300ms',
    port25_domains: ['receiver.example'],
    blocklists: ['bl.example.net'],
    clock_hosts: [],
    signed_name: 'signed.example',
    broken_name: 'broken.example',
  },
})

type Report = {
  healthy: boolean
  host: { findings: { code: string; severity: string }[] }[]
}
const codesOf = ({ host }: Report, severity: string) =>
  host
    .flatMap(({ findings }) => findings.filter((one) => one.severity === severity))
    .map(({ code }) => code)
    .sort()

test('the doctor finds what is wrong, says it everywhere, and sees it mended', async () => {
  const zone = world()
  zone.set('mail.example.com A', a('mail.example.com', '192.0.2.80'))
  zone.set(`${REVERSED}.bl.example.net A`, a(`${REVERSED}.bl.example.net`, '127.0.0.4'))
  await using dns = await scriptedDns(
    ({ name, type }) => zone.get(`${name} ${type}`) ?? NO_SUCH_NAME,
  )
  await using peer = await receiver(ADDRESS)
  await using posthorn = await startHere(settings(dns.server, peer.port))

  const ill = await posthorn.ask<Report>('/api/v1/doctor')
  assert.equal(ill.healthy, false)
  assert.deepEqual(codesOf(ill, 'error'), ['DNSBL_LISTED', 'HELO_WRONG_ADDRESS', 'PTR_MISSING'])
  for (const code of ['DISK_OK', 'PORT25_OK', 'RESOLVER_OK'])
    assert.ok(codesOf(ill, 'ok').includes(code), code)
  assert.deepEqual(codesOf(ill, 'unknown'), [])

  const told = await posthorn.command(['doctor'])
  assert.equal(told.code, 1)
  assert.match(told.out, /✗ PTR_MISSING {2}127\.0\.0\.9 has no name/)
  assert.match(told.out, /mail\.example\.com\. 300 IN A 127\.0\.0\.9/)
  const inLog = (text: RegExp) => () => posthorn.log().some(({ message }) => text.test(message))
  await until(async () => inLog(/^PTR_MISSING: 127/)(), 'the log has the problem')

  mend(zone)
  const well = await posthorn.ask<Report>('/api/v1/doctor')
  assert.deepEqual(codesOf(well, 'error'), [])
  assert.equal(well.healthy, true)
  await until(async () => inLog(/^PTR_MISSING: mended/)(), 'the log has the good news')
  const lines = posthorn.log().filter(({ message }) => /^PTR_MISSING: 127/.test(message))
  assert.equal(lines.length, 1, 'a problem is told once')
})

test('a sandbox is left alone: its doctor speaks only when asked', async () => {
  await using dns = await scriptedDns(() => NO_SUCH_NAME)
  await using posthorn = await startHere({ ...settings(dns.server, 1), mode: 'sandbox' })
  await new Promise((resolve) => setTimeout(resolve, 700))
  assert.deepEqual(dns.asked, [])
  const { healthy } = await posthorn.ask<Report>('/api/v1/doctor')
  assert.equal(healthy, false)
})
