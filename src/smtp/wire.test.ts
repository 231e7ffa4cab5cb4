import assert from 'node:assert/strict'
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { testAuthority, testCertificate, testKey } from '../../test/support/certificate.ts'
import { systemClock } from '../std/clock.ts'
import type { LineEnding } from './input.ts'
import { LineMalformed, LineTooLong } from './input.ts'
import { PlaintextInjected, serverCertificate, TlsFailed } from './tls.ts'
import { Wire, WireClosed, WireTimeout } from './wire.ts'

const { secureContext } = serverCertificate(testKey, testCertificate, 'test')
const limits = { maxBytes: 100, timeoutMs: 5_000 }
let server: Server
let accepted: (socket: Socket) => void

before(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => accepted(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
after(() => server.close())

/** Two ends of a loopback connection: a Wire, and the bare socket of its peer. */
async function pair(lineEnding: LineEnding): Promise<{ wire: Wire; peer: Socket }> {
  const { port } = server.address() as { port: number }
  const other = new Promise<Socket>((resolve) => {
    accepted = resolve
  })
  const peer = netConnect(port, '127.0.0.1')
  peer.on('error', () => {})
  return { wire: new Wire(await other, { clock: systemClock, lineEnding }), peer }
}

test('lines come one by one, whole, whatever the segments were', async () => {
  const { wire, peer } = await pair('crlf')
  peer.write('ehlo a\r\nmail fr')
  assert.equal(await wire.readLine(limits), 'ehlo a')
  peer.write('om:<ж@b>\r')
  setImmediate(() => peer.write('\nquit\r\n'))
  assert.equal(await wire.readLine(limits), 'mail from:<ж@b>')
  assert.equal(await wire.readLine(limits), 'quit')
  wire.destroy()
})

test('replies are gathered until a read has to wait', async () => {
  const { wire, peer } = await pair('crlf')
  const chunks: string[] = []
  peer.on('data', (chunk) => chunks.push(String(chunk)))
  peer.write('a\r\nb\r\nc\r\n')
  for (const expected of ['a', 'b', 'c']) {
    assert.equal(await wire.readLine(limits), expected)
    wire.write(`250 ${expected}\r\n`)
  }
  const next = wire.readLine(limits)
  peer.once('data', () => peer.write('d\r\n'))
  assert.equal(await next, 'd')
  assert.deepEqual(chunks, ['250 a\r\n250 b\r\n250 c\r\n'])
  wire.destroy()
})

test('an over-long line is dropped to its end, and the next one is read', async () => {
  const { wire, peer } = await pair('crlf')
  peer.write(`${'x'.repeat(60_000)}\r\nnoop\r\n`)
  await assert.rejects(async () => wire.readLine(limits), LineTooLong)
  assert.equal(await wire.readLine(limits), 'noop')
  wire.destroy()
})

test('the end of a line that goes on and on is not waited for', async () => {
  const { wire, peer } = await pair('crlf')
  peer.write('x'.repeat(300_000))
  await assert.rejects(async () => wire.readLine(limits), /without end/)
  wire.destroy()
})

const lineEnds: [LineEnding, string, (string | RegExp)[]][] = [
  ['crlf', 'a\r\nb\nc\r\n', ['a', /bare line feed/, 'c']],
  ['first-decides', 'a\nb\n', ['a', 'b']],
  ['first-decides', 'a\nb\r\n', ['a', /mixed line ends/]],
  ['first-decides', 'a\r\nb\n', ['a', /bare line feed/]],
  ['either', 'a\r\nb\n', ['a', 'b']],
  ['crlf', 'a\rb\r\n', ['a\rb']],
  ['crlf', '\xff\r\n', [/not UTF-8/]],
  ['either', '\xff\r\n', ['\xff']],
]
for (const [lineEnding, text, expected] of lineEnds) {
  test(`${lineEnding}: ${JSON.stringify(text)}`, async () => {
    const { wire, peer } = await pair(lineEnding)
    peer.write(text, 'latin1')
    for (const item of expected) {
      const line = (async () => wire.readLine(limits))()
      if (typeof item === 'string') assert.equal(await line, item)
      else
        await assert.rejects(
          line,
          (error) => error instanceof LineMalformed && item.test(error.message),
        )
    }
    wire.destroy()
  })
}

test('a silent peer times out, a vanished one is closed, both while nobody reads and while one waits', async () => {
  const { wire, peer } = await pair('crlf')
  await assert.rejects(async () => wire.readLine({ ...limits, timeoutMs: 20 }), WireTimeout)
  peer.write('last\r\n')
  peer.end()
  assert.equal(await wire.readLine(limits), 'last')
  await assert.rejects(async () => wire.readLine(limits), WireClosed)
  const second = await pair('crlf')
  second.peer.resetAndDestroy()
  await assert.rejects(async () => second.wire.readLine(limits), WireClosed)
  await assert.rejects(async () => second.wire.flush(limits), WireClosed)
  wire.destroy()
})

test('flush waits for a peer that does not read, and no longer than told', async () => {
  const { wire, peer } = await pair('crlf')
  peer.pause()
  wire.write(Buffer.alloc(16_000_000))
  await assert.rejects(async () => wire.flush({ timeoutMs: 20 }), WireTimeout)
  let seen = 0
  peer.on('data', (chunk) => {
    seen += chunk.length
  })
  peer.resume()
  await wire.flush(limits)
  assert.ok(seen > 1_000_000)
  wire.destroy()
})

test('a flooding peer is paused, and all of its lines arrive', async () => {
  const { wire, peer } = await pair('crlf')
  peer.write('noop\r\n'.repeat(100_000))
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.ok(wire.buffered < 400_000, `${wire.buffered} octets buffered`)
  for (let i = 0; i < 100_000; i++) assert.equal(await wire.readLine(limits), 'noop')
  wire.destroy()
})

test('interrupt lets the pending read fail and still writes', async () => {
  const { wire, peer } = await pair('crlf')
  const reason = new Error('shutting down')
  const reading = wire.readLine(limits)
  wire.interrupt(reason)
  await assert.rejects(async () => reading, reason)
  await assert.rejects(async () => wire.readLine(limits), reason)
  wire.write('421 4.3.2 shutting down\r\n')
  wire.end()
  const [said] = await Promise.all([text(peer)])
  assert.equal(said, '421 4.3.2 shutting down\r\n')
})

test('who parts has said everything, to a peer that reads late as well', async () => {
  for (const words of ['221 2.0.0 Bye\r\n', `221 ${'x'.repeat(8_000_000)}\r\n`]) {
    const { wire, peer } = await pair('crlf')
    peer.pause()
    wire.write(words)
    wire.part()
    await new Promise((resolve) => setTimeout(resolve, 20))
    peer.resume()
    assert.equal(await text(peer), words)
  }
})

test('both sides upgrade in place', async () => {
  const { wire, peer } = await pair('crlf')
  const client = new Wire(peer, { clock: systemClock, lineEnding: 'either' })
  client.write('starttls\r\n')
  const reply = client.readLine(limits)
  assert.equal(await wire.readLine(limits), 'starttls')
  wire.write('220 go\r\n')
  const server = wire.startTls({ side: 'server', secureContext }, limits)
  assert.equal(await reply, '220 go')
  const options = { ca: testAuthority, servername: 'mx.example.com' }
  const agreed = await client.startTls({ side: 'client', options }, limits)
  assert.equal(agreed.verified, true)
  assert.equal((await server).version, 'TLSv1.3')
  client.write('ehlo again\r\n')
  const line = client.readLine(limits)
  assert.equal(await wire.readLine(limits), 'ehlo again')
  wire.write('250 hello again\r\n')
  const end = wire.readLine(limits)
  assert.equal(await line, '250 hello again')
  client.end()
  await assert.rejects(async () => end, WireClosed)
  wire.destroy()
})

test('text before the handshake is refused on both sides', async () => {
  const first = await pair('crlf')
  first.peer.write('starttls\r\nmail from:<a@b>\r\n')
  assert.equal(await first.wire.readLine(limits), 'starttls')
  const upgrade = { side: 'server' as const, secureContext }
  await assert.rejects(first.wire.startTls(upgrade, limits), PlaintextInjected)
  first.wire.destroy()
  const second = await pair('either')
  second.peer.write('220 go\r\n250 injected\r\n')
  assert.equal(await second.wire.readLine(limits), '220 go')
  const client = { side: 'client' as const, options: {} }
  await assert.rejects(second.wire.startTls(client, limits), PlaintextInjected)
  second.wire.destroy()
})

test('garbage, silence and departure instead of a handshake are errors of startTls', async () => {
  const upgrade = { side: 'server' as const, secureContext }
  const first = await pair('crlf')
  first.peer.write('GET / HTTP/1.1\r\n\r\n')
  await assert.rejects(
    first.wire.startTls(upgrade, limits),
    (error) => error instanceof PlaintextInjected || error instanceof TlsFailed,
  )
  const second = await pair('crlf')
  await assert.rejects(second.wire.startTls(upgrade, { timeoutMs: 20 }), WireTimeout)
  const third = await pair('crlf')
  setImmediate(() => third.peer.resetAndDestroy())
  await assert.rejects(third.wire.startTls(upgrade, limits), TlsFailed)
  await assert.rejects(async () => third.wire.readLine(limits), TlsFailed)
  const fourth = await pair('either')
  const handshake = fourth.wire.startTls({ side: 'client', options: {} }, limits)
  fourth.peer.once('data', () => fourth.peer.write('500 what?\r\n'))
  await assert.rejects(handshake, TlsFailed)
})

async function text(socket: Socket): Promise<string> {
  let all = ''
  for await (const chunk of socket) all += chunk
  return all
}
