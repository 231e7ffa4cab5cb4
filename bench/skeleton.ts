// The least that a mail server of this kind does, and nothing else: take a message, sign it, sync it,
// hand it on. No policy, no retry, no log, no removal. What it takes is the machine's and Node's part.
// Started by peers/skeleton.ts: `node bench/skeleton.ts PORT SINK_PORT FILE KEY`.

import { constants, createHash, createPrivateKey, sign } from 'node:crypto'
import { fdatasync, openSync, readFileSync, write, writeSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'

const [port, sinkPort, file, keyFile] = process.argv.slice(2) as [string, string, string, string]
const key = {
  key: createPrivateKey(readFileSync(keyFile)),
  padding: constants.RSA_PKCS1_PADDING,
}
const END = Buffer.from('\r\n.\r\n')
const REPLIES: Readonly<Record<string, string>> = {
  EHLO: '250-skeleton.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n',
  DATA: '354 go\r\n',
  QUIT: '221 bye\r\n',
}

/** Made as large as it will be: a sync that changes no length is what a log in use costs. */
const LOG_BYTES = 64 * 1024 * 1024
const log = openSync(file, 'w+')
writeSync(log, Buffer.alloc(LOG_BYTES))
let at = 0
let waiting: { content: Buffer; done: () => void }[] = []
let syncing = false

/** Resolves when it is on disk; who comes during a sync shares the next. */
const store = (content: Buffer) =>
  new Promise<void>((done) => {
    waiting.push({ content, done })
    if (!syncing) sync()
  })

function sync(): void {
  syncing = waiting.length > 0
  if (!syncing) return
  const group = waiting
  waiting = []
  const octets = Buffer.concat(group.map(({ content }) => content))
  if (at + octets.length > LOG_BYTES) at = 0
  write(log, octets, 0, octets.length, at, () =>
    fdatasync(log, () => {
      at += octets.length
      for (const { done } of group) done()
      sync()
    }),
  )
}

const signature = (content: Buffer) =>
  new Promise<string>((resolve, reject) => {
    const hash = createHash('sha256').update(content).digest()
    sign('sha256', hash, key, (error, made) =>
      error ? reject(error) : resolve(`DKIM-Signature: b=${made.toString('base64')}\r\n`),
    )
  })

const free: Socket[] = []

/** Over a connection that is kept, in one write. */
async function deliver(content: Buffer): Promise<void> {
  const socket = free.pop() ?? (await open())
  const commands = `MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT ${content.length} LAST\r\n`
  socket.write(Buffer.concat([Buffer.from(commands), content]))
  await replies(socket, 3)
  free.push(socket)
}

async function open(): Promise<Socket> {
  const socket = connect({ port: Number(sinkPort), host: '127.0.0.1', noDelay: true })
  await replies(socket, 1)
  socket.write('EHLO skeleton.example\r\n')
  await replies(socket, 1)
  return socket
}

/** Resolves after so many last lines of replies. */
const replies = (socket: Socket, count: number) =>
  new Promise<void>((resolve) => {
    let left = count
    const hear = (chunk: Buffer) => {
      left -= chunk.toString('latin1').match(/^\d{3} /gm)?.length ?? 0
      if (left > 0) return
      socket.off('data', hear)
      resolve()
    }
    socket.on('data', hear)
  })

async function take(socket: Socket, body: Buffer): Promise<void> {
  const content = Buffer.concat([Buffer.from(await signature(body)), body])
  await store(content)
  socket.write('250 ok\r\n')
  await deliver(content)
}

createServer({ noDelay: true }, (socket) => {
  let content: Buffer[] | undefined
  socket.write('220 skeleton.example ESMTP\r\n')
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    if (content) {
      content.push(chunk)
      if (!chunk.subarray(-END.length).equals(END)) return
      const whole = Buffer.concat(content)
      content = undefined
      take(socket, whole.subarray(0, -3)).catch(() => process.exit(1))
      return
    }
    const verb = chunk.toString('latin1', 0, 4)
    if (verb === 'DATA') content = []
    socket.write(REPLIES[verb] ?? '250 ok\r\n')
    if (verb === 'QUIT') socket.end()
  })
}).listen(Number(port), '127.0.0.1')
