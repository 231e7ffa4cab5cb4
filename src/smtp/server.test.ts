import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openListener } from '../../test/support/listener.ts'
import { converse, Peer } from '../../test/support/transcript.ts'

const turn = () => new Promise(setImmediate)

test('over the limit an address hears 421 at once, and a slot that is left is free again', async () => {
  const { listener, port } = await openListener({ slots: { perAddress: 2, total: 3 } })
  const first = new Peer(port)
  await first.expect('220 *')
  const second = new Peer(port)
  await second.expect('220 *')
  await converse(
    port,
    'S: 421 4.7.0 mx.example.com Error: too many connections from your address\nS: (closed)',
  )
  const other = new Peer(port, { localAddress: '127.0.0.9' })
  await other.expect('220 *')
  await converse(port, 'S: 421 4.7.0 mx.example.com Error: too many connections\nS: (closed)', {
    localAddress: '127.0.0.8',
  })
  first.leave()
  while (listener.sessions > 2) await turn()
  await converse(port, 'S: 220 *')
  for (const peer of [second, other]) peer.leave()
  await listener.drain(0)
})

test('an idle session ends with 421, and sooner when most slots are taken', async () => {
  const limits = { idleMs: 30 }
  const calm = await openListener({ limits })
  await converse(
    calm.port,
    'S: 220 *\nS: 421 4.4.2 mx.example.com Error: timeout exceeded\nS: (closed)',
  )
  await calm.listener.drain(0)
  const stressed = await openListener({
    slots: { perAddress: 5, total: 5 },
    limits: { stressedIdleMs: 30 },
  })
  const peers = [1, 2, 3, 4, 5].map(() => new Peer(stressed.port))
  for (const peer of peers) await peer.expect('220 *')
  await peers[0]!.expect('421 4.4.2 *')
  await stressed.listener.drain(0)
})

test('content that stalls or trickles is given up', async () => {
  const { listener, port, log } = await openListener({
    limits: { contentGraceMs: 30, minimumOctetsPerSecond: 1_000_000 },
  })
  const peer = new Peer(port)
  await peer.say('EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n')
  await peer.expect('354 *', true)
  while (!peer.heard.includes('421')) {
    await peer.say('x\r\n')
    await turn()
  }
  await peer.expect('421 4.4.2 *')
  while (log.length === 0) await turn()
  assert.equal(log[0]?.['fault'], 'timeout')
  await listener.drain(0)
})

test('draining: the idle go, a transaction may end, and then nothing is open', async () => {
  const { listener, port, received } = await openListener()
  const idle = new Peer(port)
  const busy = new Peer(port)
  await idle.expect('220 *')
  await busy.say('EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n')
  await busy.expect('354 *', true)
  const drained = listener.drain(60_000)
  await idle.expect('421 4.3.2 mx.example.com Service shutting down')
  await idle.expect('(closed)')
  const late = new Peer(port)
  await late.expect('(closed)')
  await busy.say('x\r\n.\r\nNOOP\r\n')
  await busy.expect('250 2.0.0 *')
  await busy.expect('421 4.3.2 *')
  await busy.expect('(closed)')
  await drained
  assert.equal(received.length, 1)
  assert.equal(listener.sessions, 0)
})

test('draining: at the deadline the rest is cut off, and what was not finished was not accepted', async () => {
  const { listener, port, received } = await openListener()
  const stuck = new Peer(port)
  await stuck.say('EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nhalf')
  await stuck.expect('354 *', true)
  await listener.drain(10)
  await stuck.expect('421 4.3.2 *')
  await stuck.expect('(closed)')
  assert.equal(listener.sessions, 0)
  assert.equal(received.length, 0)
})

test('a port that is taken is an error of listen', async () => {
  const { listener, port } = await openListener()
  await assert.rejects(openListener({ port }), { code: 'EADDRINUSE' })
  await listener.drain(0)
})

test('a client that sends all, closes its side and then reads gets every reply', async () => {
  const { listener, port, received } = await openListener()
  const peer = new Peer(port)
  peer.socket.end('EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\nNOOP\r\n')
  await peer.expect('354 *', true)
  await peer.expect('250 2.0.0 *')
  await peer.expect('250 2.0.0 Ok')
  await peer.expect('(closed)')
  assert.equal(received.length, 1)
  await listener.drain(0)
})
