// What becomes of those who wait for their session (waiting-room.ts) over real sockets: sixty come in
// one turn of the event loop, in which four begin.

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { openListener } from '../../test/support/listener.ts'
import { Peer } from '../../test/support/transcript.ts'

const CROWD = 60
const crowd = <T>(make: (number: number) => T): T[] =>
  Array.from({ length: CROWD }, (_, n) => make(n))

/** Says something and goes at once. */
function sayAndGo(port: number, say: (socket: Socket) => void): void {
  const socket = connect(port, '127.0.0.1', () => {
    say(socket)
    setImmediate(() => socket.end())
  })
  socket.on('error', () => {})
}

test('who says all before he is greeted, and closes his side, is served', async () => {
  const { listener, port, received } = await openListener()
  const peers = crowd(() => new Peer(port))
  for (const [n, peer] of peers.entries())
    peer.socket.end(
      `EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<${n}@example.org>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n`,
    )
  for (const peer of peers) {
    await peer.expect('354 *', true)
    await peer.expect('250 2.0.0 *')
    await peer.expect('221 *')
    await peer.expect('(closed)')
  }
  assert.equal(received.length, CROWD)
  assert.equal(listener.waiting, 0)
  await listener.drain(0)
})

test('who goes before his handshake or behind a PROXY header keeps no place', async () => {
  const hello = (socket: Socket) => void connectTls({ socket }).on('error', () => {})
  const header = (socket: Socket) => void socket.write('PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n')
  for (const [say, options] of [
    [hello, { tls: 'implicit' }],
    [header, { isProxy: () => true }],
  ] as const) {
    const { listener, port, log } = await openListener(options)
    crowd(() => sayAndGo(port, say))
    while (log.length < CROWD) await turn()
    assert.equal(listener.sessions, 0)
    await listener.drain(0)
  }
})

test('a server that drains tells them so', async () => {
  const { listener, port } = await openListener()
  const peers = crowd(() => new Peer(port))
  while (listener.waiting === 0) await turn()
  const drained = listener.drain(60_000)
  for (const peer of peers) await peer.expect('(closed)', true)
  for (const peer of peers)
    assert.match(peer.heard, /421 4\.3\.2 mx\.example\.com Service shutting down|^$/)
  assert.ok(
    peers.some(({ heard }) => heard.startsWith('421 4.3.2')),
    'without a greeting',
  )
  await drained
})
