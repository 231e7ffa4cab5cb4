// A receiving server that counts and forgets: the end of every delivery in a bench run. It runs in
// its own process; `--delay MS` makes it answer late, `--tls` makes it offer STARTTLS.
//
// Over IPC: {ask:'count'} → {count, signed, lastAt, cpuMs}, {ask:'reset'} → the same after zeroing.

import { createServer, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '2626' },
    delay: { type: 'string', default: '0' },
    certificate: { type: 'string' },
    key: { type: 'string' },
    numbers: { type: 'boolean', default: false },
  },
})
const delayMs = Number(values.delay)
let count = 0
let signed = 0
let lastAt = 0
let seen = new Map<number, number>()
const secureContext =
  values.certificate && values.key
    ? await import('node:fs').then((fs) =>
        createSecureContext({
          cert: fs.readFileSync(values.certificate ?? ''),
          key: fs.readFileSync(values.key ?? ''),
        }),
      )
    : undefined

const END = Buffer.from('\r\n.\r\n')
const SIGNATURE = 'DKIM-Signature:'

function took(content: Buffer): void {
  count++
  lastAt = performance.timeOrigin + performance.now()
  const head = content.toString('latin1', 0, Math.min(content.length, 2048))
  if (head.includes(SIGNATURE)) signed++
  if (values.numbers) {
    const number = Number(/^X-Number: (\d+)/m.exec(content.toString('latin1', 0, 4096))?.[1])
    seen.set(number, (seen.get(number) ?? 0) + 1)
  }
}

function serve(socket: Socket, encrypted: boolean): void {
  let pending: Buffer[] = []
  let inContent = false
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  const say = (text: string) => {
    if (delayMs > 0) setTimeout(() => socket.write(text), delayMs)
    else socket.write(text)
  }
  const command = (line: string): string | undefined => {
    switch (line.slice(0, 4).toUpperCase()) {
      case 'EHLO':
        return `250-sink.example\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n${
          secureContext && !encrypted ? '250-STARTTLS\r\n' : ''
        }250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n`
      case 'DATA':
        inContent = true
        return '354 go\r\n'
      case 'QUIT':
        socket.end('221 2.0.0 bye\r\n')
        return undefined
      default:
        return '250 2.0.0 ok\r\n'
    }
  }
  socket.on('data', (chunk: Buffer) => {
    let data = chunk
    if (pending.length > 0) {
      pending.push(chunk)
      // While content arrives only its end is of interest: look at the last octets first.
      if (inContent && !endsWithDot(pending)) return
      data = Buffer.concat(pending)
      pending = []
    }
    let replies = ''
    while (data.length > 0) {
      if (inContent) {
        const end = data.indexOf(END)
        if (end < 0) break
        took(data.subarray(0, end))
        data = data.subarray(end + END.length)
        inContent = false
        replies += '250 2.0.0 ok\r\n'
        continue
      }
      const end = data.indexOf('\r\n')
      if (end < 0) break
      const line = data.toString('latin1', 0, end)
      data = data.subarray(end + 2)
      if (/^STARTTLS/i.test(line) && secureContext) {
        socket.removeAllListeners('data')
        socket.write('220 2.0.0 go\r\n')
        serve(new TLSSocket(socket, { isServer: true, secureContext }), true)
        return
      }
      replies += command(line) ?? ''
    }
    if (data.length > 0) pending = [data]
    if (replies) say(replies)
  })
  if (!encrypted) say('220 sink.example ESMTP\r\n')
}

function endsWithDot(chunks: readonly Buffer[]): boolean {
  let tail = ''
  for (let i = chunks.length - 1; i >= 0 && tail.length < 5; i--)
    tail = chunks[i]!.toString('latin1', Math.max(0, chunks[i]!.length - 5)) + tail
  return tail.endsWith('\r\n.\r\n')
}

const server = createServer((socket) => serve(socket, false))
server.listen(Number(values.port), '127.0.0.1', 4096, () => process.send?.({ ready: true }))

process.on('message', (message: { ask: string }) => {
  if (message.ask === 'reset') {
    count = signed = lastAt = 0
    seen = new Map()
  }
  const { user, system } = process.cpuUsage()
  process.send?.({
    count,
    signed,
    lastAt,
    cpuMs: (user + system) / 1000,
    distinct: seen.size,
    ...(message.ask === 'numbers' ? { numbers: [...seen] } : {}),
  })
})
process.on('disconnect', () => process.exit(0))
