import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { after, before, it } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { PosthornProcess, startHere } from '../support/posthorn.ts'
import { openReceiver } from '../support/receiver.ts'
import { until } from '../support/tools.ts'
import { converse, Peer } from '../support/transcript.ts'

const MIB = 2 ** 20
const LINE = Buffer.from('y'.repeat(76).concat('\r\n'))
/** A mebibyte of lines, or a little less. */
const BLOCK = Buffer.concat(Array<Buffer>(Math.floor(MIB / LINE.length)).fill(LINE))
const HEAD = Buffer.from('From: me@sender.example\r\nSubject: large\r\n\r\n')

type Sink = AsyncDisposable & { readonly port: number; readonly hashes: string[]; octets: number }

/** Takes mail without keeping it. */
async function hashingSink(): Promise<Sink> {
  const sink = { hashes: [] as string[], octets: 0 }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    closeTimeout: 200,
    onData(stream, _session, done) {
      const body = createHash('sha256')
      let seen = ''
      stream.on('data', (chunk: Buffer) => {
        sink.octets += chunk.length
        if (seen.includes('\r\n\r\n')) return void body.update(chunk)
        seen += chunk.toString('latin1')
        const end = seen.indexOf('\r\n\r\n')
        if (end >= 0) body.update(Buffer.from(seen.slice(end + 4), 'latin1'))
      })
      stream.on('end', () => {
        sink.hashes.push(body.digest('hex'))
        done()
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as { port: number }
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  return Object.assign(sink, { port, [Symbol.asyncDispose]: close })
}

let sink: Sink
let posthorn: PosthornProcess
before(async () => {
  sink = await hashingSink()
  posthorn = await PosthornProcess.start({
    settings: {
      log: { format: 'json' },
      mode: 'live',
      hostname: 'mail.sender.example',
      domains: { 'sender.example': {} },
      relayhost: { host: '127.0.0.1', port: sink.port, tls: 'none' },
    },
  })
})
after(async () => {
  await posthorn?.[Symbol.asyncDispose]()
  await sink?.[Symbol.asyncDispose]()
})

const write = (socket: Socket, data: Buffer | string) =>
  new Promise<void>((resolve) => void socket.write(data, () => resolve()))

/** As many blocks as asked for, by DATA, all but the end. */
async function beginBlocks(blocks: number): Promise<Peer> {
  const peer = new Peer(posthorn.port)
  await peer.say('EHLO a\r\nMAIL FROM:<me@sender.example>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n')
  await peer.expect('354 *', true)
  await write(peer.socket, HEAD)
  for (let n = 0; n < blocks; n++) await write(peer.socket, BLOCK)
  return peer
}

async function sendBlocks(blocks: number): Promise<Peer> {
  const peer = await beginBlocks(blocks)
  await write(peer.socket, '.\r\n')
  return peer
}

function hashOf(blocks: number): string {
  const hash = createHash('sha256')
  for (let n = 0; n < blocks; n++) hash.update(BLOCK)
  return hash.digest('hex')
}

it('twelve messages of 25 MB on their way in, and out again, are not in memory', async (t) => {
  const BLOCKS = 24
  const small = await sendBlocks(1)
  await small.expect('250 2.0.0 Ok: queued as *')
  await posthorn.emptyQueue()
  const before = posthorn.memoryMiB()
  let most = before
  const watch = setInterval(() => (most = Math.max(most, posthorn.memoryMiB())), 20)
  try {
    const peers = await Promise.all(Array.from({ length: 12 }, () => beginBlocks(BLOCKS)))
    // All of them wait for their last line now; most never say it.
    for (const peer of peers.slice(2)) peer.reset()
    for (const peer of peers.slice(0, 2)) {
      await peer.say('.\r\n')
      await peer.expect('250 2.0.0 Ok: queued as *')
      peer.leave()
    }
    await posthorn.emptyQueue(60)
  } finally {
    clearInterval(watch)
  }
  t.diagnostic(`${Math.round(before)} MiB before, at most ${Math.round(most)} MiB`)
  assert.deepEqual(sink.hashes, [hashOf(1), hashOf(BLOCKS), hashOf(BLOCKS)])
  assert.ok(most - before < 200, `grew from ${before} to ${most} MiB over 288 MB of mail`)
})

it('a message over the limit is refused at its end, and the session goes on', async () => {
  const peer = await sendBlocks(26)
  await peer.expect('552 5.3.4 *26214400*')
  await peer.say('NOOP\r\n')
  await peer.expect('250 *')
  peer.leave()
  assert.deepEqual(await posthorn.queue(), [])
})

it('who says its size beforehand is refused before a single octet', async () => {
  await converse(
    posthorn.port,
    `S: 220 *
    C: EHLO a
    S: ...
    S: 250 *
    C: MAIL FROM:<me@sender.example> SIZE=26214401
    S: 552 5.3.4 *
    C: MAIL FROM:<me@sender.example> SIZE=26214400
    S: 250 *`,
  )
})

it('a thousand recipients of one message get it, one more is told 452', async () => {
  await using receiver = await openReceiver({ disabledCommands: ['STARTTLS', 'AUTH'] })
  await using many = await startHere({
    mode: 'live',
    hostname: 'mail.sender.example',
    domains: { 'sender.example': {} },
    relayhost: { host: '127.0.0.1', port: receiver.port, tls: 'none' },
  })
  const peer = new Peer(many.port)
  const to = Array.from({ length: 1_001 }, (_, n) => `user${n}@kunde${n % 7}.test`)
  await peer.say(
    `EHLO a\r\nMAIL FROM:<me@sender.example>\r\n${to.map((one) => `RCPT TO:<${one}>\r\n`).join('')}DATA\r\n`,
  )
  await peer.expect('452 4.5.3 *', true)
  await peer.expect('354 *')
  await peer.say('From: me@sender.example\r\nTo: undisclosed-recipients:;\r\n\r\nto all\r\n.\r\n')
  await peer.expect('250 2.0.0 Ok: queued as *')
  peer.leave()
  await many.emptyQueue()
  const got = receiver.taken.flatMap((one) => one.to)
  assert.deepEqual(got.sort(), to.slice(0, 1_000).sort())
  assert.ok(receiver.taken.length <= 15, `${receiver.taken.length} transactions`)
  for (const { content } of receiver.taken) assert.doesNotMatch(content, /user\d/)
})

it('BDAT brings the same message in chunks of any size', async () => {
  const socket = connect(posthorn.port, '127.0.0.1')
  let heard = ''
  socket.on('data', (chunk) => (heard += String(chunk)))
  const said = (what: string) => until(() => heard.includes(what), `${what} is heard`)
  await write(socket, 'EHLO a\r\nMAIL FROM:<me@sender.example> BODY=8BITMIME\r\n')
  await write(socket, 'RCPT TO:<c@d.test>\r\n')
  const whole = Buffer.concat([HEAD, BLOCK, BLOCK])
  const before = sink.hashes.length
  let at = 0
  for (const size of [1, 10, 100, 1_000, 100_000, 1_000_000]) {
    await write(socket, `BDAT ${size}\r\n`)
    await write(socket, whole.subarray(at, at + size))
    at += size
  }
  await write(socket, `BDAT ${whole.length - at} LAST\r\n`)
  await write(socket, whole.subarray(at))
  await said('Ok: queued as')
  socket.destroy()
  await posthorn.emptyQueue()
  assert.deepEqual(sink.hashes.slice(before), [hashOf(2)])
})
