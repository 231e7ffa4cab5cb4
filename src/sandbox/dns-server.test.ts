import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { test } from 'node:test'
import { encode } from 'dns-packet'
import { createResolver } from '../dns/stub.ts'
import { systemClock } from '../std/clock.ts'
import { serveDns, type World } from './dns-server.ts'

const options = { address: '127.0.0.1', clock: systemClock }
const big: World = (name) =>
  name === 'big.test'
    ? {
        kind: 'records',
        records: Array.from({ length: 30 }, (_, i) => ({ type: 'TXT', value: `${i}`.repeat(300) })),
      }
    : { kind: 'records', records: [{ type: 'TXT', value: name }] }

const resolverFor = (server: { address: string; port: number }) =>
  createResolver({
    servers: [server],
    clock: systemClock,
    timeoutMs: 1000,
    attempts: 1,
    cacheEntries: 10,
    trustAd: false,
  })

test('what does not fit comes over TCP, long texts in several strings', async () => {
  await using server = await serveDns(big, options)
  using resolver = resolverFor(server)
  const answer = await resolver.resolve('big.test', 'TXT')
  assert.equal(answer.kind === 'records' && answer.records.length, 30)
  assert.equal(answer.kind === 'records' && answer.records[7], '7'.repeat(300))
})

test('nonsense over UDP and TCP does no harm', async () => {
  await using server = await serveDns(big, options)
  const udp = createSocket('udp4')
  const twoQuestions = encode({
    questions: [
      { name: 'a.test', type: 'A' },
      { name: 'b.test', type: 'A' },
    ],
  })
  for (const octets of [
    Buffer.alloc(0),
    Buffer.from('GET / HTTP/1.1'),
    Buffer.alloc(600, 0xff),
    twoQuestions,
  ])
    await new Promise((resolve) => udp.send(octets, server.port, '127.0.0.1', resolve))
  udp.close()
  const tcp = connect(server.port, '127.0.0.1')
  const closed = new Promise((resolve) => tcp.on('close', resolve))
  tcp.on('error', () => {})
  tcp.write(Buffer.from('\x00\x05hello'))
  await closed
  using resolver = resolverFor(server)
  assert.equal((await resolver.resolve('still.test', 'TXT')).kind, 'records')
})

test('closing does not wait for open streams', async () => {
  const server = await serveDns(big, options)
  const tcp = connect(server.port, '127.0.0.1')
  await new Promise((resolve) => tcp.on('connect', resolve))
  const closed = new Promise((resolve) => tcp.on('close', resolve))
  tcp.on('error', () => {})
  await server[Symbol.asyncDispose]()
  await closed
})
