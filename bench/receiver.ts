// The receiving side of a bench: hears every message out, hands it on and forgets it.

import { createServer, type Server, type Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'

export type ReceiverOptions = {
  /** How late every reply is. */
  readonly delayMs: number
  /** Offers STARTTLS with it. */
  readonly secureContext?: SecureContext | undefined
  /** Hears the octets of each message, not unstuffed. */
  readonly took: (content: Buffer) => void
}

const END = Buffer.from('\r\n.\r\n')

/** A command is known by its first four letters, without their case. */
const LETTERS = 0xdfdfdfdf
const verbOf = (letters: string) => Buffer.from(letters).readUInt32BE(0) & LETTERS
const EHLO = verbOf('EHLO')
const DATA = verbOf('DATA')
const QUIT = verbOf('QUIT')
const STARTTLS = verbOf('STAR')

/** A server that does not listen yet. */
export const receiver = (options: ReceiverOptions): Server =>
  createServer((socket) => serve(socket, false, options))

function serve(socket: Socket, encrypted: boolean, options: ReceiverOptions): void {
  const { delayMs, secureContext, took } = options
  let pending: Buffer[] = []
  let inContent = false
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  const say = (text: string) => {
    if (delayMs > 0) setTimeout(() => socket.write(text), delayMs)
    else socket.write(text)
  }
  const command = (verb: number): string => {
    switch (verb) {
      case EHLO:
        return `250-sink.example\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n${
          secureContext && !encrypted ? '250-STARTTLS\r\n' : ''
        }250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n`
      case DATA:
        inContent = true
        return '354 go\r\n'
      case QUIT:
        socket.end('221 2.0.0 bye\r\n')
        return ''
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
      const end = data.indexOf(0x0a)
      if (end < 0) break
      const verb = end < 4 ? 0 : data.readUInt32BE(0) & LETTERS
      data = data.subarray(end + 1)
      if (verb === STARTTLS && secureContext) {
        socket.removeAllListeners('data')
        socket.write('220 2.0.0 go\r\n')
        serve(new TLSSocket(socket, { isServer: true, secureContext }), true, options)
        return
      }
      replies += command(verb)
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
