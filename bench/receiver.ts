// The receiving side of a bench: hears every message out, hands it on and forgets it. It offers what
// the large receivers of today offer, CHUNKING included, and looks at as few octets as it can.

import { createServer, type Server, type Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'

export type ReceiverOptions = {
  /** How late every reply is. */
  readonly delayMs: number
  readonly chunking: boolean
  /** Offers STARTTLS with it. */
  readonly secureContext?: SecureContext | undefined
  /** Hears the octets of each message (with BDAT: of its last chunk), not unstuffed. */
  readonly took: (content: Buffer) => void
}

const END = Buffer.from('\r\n.\r\n')
const OK = '250 2.0.0 ok\r\n'

/** A command is known by its first four letters, without their case. */
const LETTERS = 0xdfdfdfdf
const verbOf = (letters: string) => Buffer.from(letters).readUInt32BE(0) & LETTERS
const EHLO = verbOf('EHLO')
const DATA = verbOf('DATA')
const BDAT = verbOf('BDAT')
const QUIT = verbOf('QUIT')
const STARTTLS = verbOf('STAR')

/** A server that does not listen yet. */
export const receiver = (options: ReceiverOptions): Server =>
  createServer((socket) => new Session(socket, options, 'plain'))

class Session {
  readonly #socket: Socket
  readonly #options: ReceiverOptions
  readonly #extensions: string
  #pending: Buffer[] = []
  #pendingBytes = 0
  /** DATA was said: its end is looked for. */
  #inContent = false
  /** Octets of the chunk that BDAT announced. */
  #chunk: { readonly bytes: number; readonly last: boolean } | undefined
  #replies = ''

  constructor(socket: Socket, options: ReceiverOptions, layer: 'plain' | 'encrypted') {
    this.#socket = socket
    this.#options = options
    const offers = ['PIPELINING', 'SIZE 50000000', 'ENHANCEDSTATUSCODES']
    if (options.secureContext && layer === 'plain') offers.push('STARTTLS')
    if (options.chunking) offers.push('CHUNKING')
    this.#extensions = `250-sink.example\r\n${offers.map((o) => `250-${o}\r\n`).join('')}250 8BITMIME\r\n`
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => this.#hear(chunk))
    if (layer === 'plain') this.#say('220 sink.example ESMTP\r\n')
  }

  #say(text: string): void {
    const { delayMs } = this.#options
    if (delayMs > 0) setTimeout(() => this.#socket.write(text), delayMs)
    else this.#socket.write(text)
  }

  #hear(chunk: Buffer): void {
    let data: Buffer | undefined = chunk
    if (this.#pending.length > 0) {
      this.#pending.push(chunk)
      this.#pendingBytes += chunk.length
      if (!this.#isWorthLooking()) return
      data = Buffer.concat(this.#pending)
      this.#pending = []
    }
    while (data && data.length > 0) {
      const rest = this.#take(data)
      if (!rest) {
        this.#pending = [data]
        this.#pendingBytes = data.length
        break
      }
      data = rest
    }
    const replies = this.#replies
    this.#replies = ''
    if (replies) this.#say(replies)
  }

  /** Of content that arrives only the end is of interest. */
  #isWorthLooking(): boolean {
    if (this.#chunk) return this.#pendingBytes >= this.#chunk.bytes
    return !this.#inContent || endsWithDot(this.#pending)
  }

  /** Takes a command or a content off the beginning and returns the rest; undefined: more must come. */
  #take(data: Buffer): Buffer | undefined {
    if (this.#chunk) {
      const { bytes, last } = this.#chunk
      if (data.length < bytes) return undefined
      if (last) this.#options.took(data.subarray(0, bytes))
      this.#chunk = undefined
      this.#replies += OK
      return data.subarray(bytes)
    }
    if (this.#inContent) {
      const end = data.indexOf(END)
      if (end < 0) return undefined
      this.#options.took(data.subarray(0, end))
      this.#inContent = false
      this.#replies += OK
      return data.subarray(end + END.length)
    }
    const end = data.indexOf(0x0a)
    if (end < 0) return undefined
    this.#obey(data, end)
    return data.subarray(end + 1)
  }

  #obey(data: Buffer, end: number): void {
    switch (end < 4 ? 0 : data.readUInt32BE(0) & LETTERS) {
      case EHLO:
        this.#replies += this.#extensions
        return
      case DATA:
        this.#inContent = true
        this.#replies += '354 go\r\n'
        return
      case BDAT: {
        const [, bytes, last] = data.toString('latin1', 0, end).trim().split(' ')
        this.#chunk = { bytes: Number(bytes), last: last !== undefined }
        return
      }
      case STARTTLS:
        this.#secure()
        return
      case QUIT:
        this.#socket.end('221 2.0.0 bye\r\n')
        return
      default:
        this.#replies += OK
    }
  }

  #secure(): void {
    const { secureContext } = this.#options
    this.#socket.removeAllListeners('data')
    this.#socket.write('220 2.0.0 go\r\n')
    const secured = new TLSSocket(this.#socket, {
      isServer: true,
      ...(secureContext && { secureContext }),
    })
    new Session(secured, this.#options, 'encrypted')
  }
}

function endsWithDot(chunks: readonly Buffer[]): boolean {
  let tail = ''
  for (let i = chunks.length - 1; i >= 0 && tail.length < 5; i--)
    tail = chunks[i]!.toString('latin1', Math.max(0, chunks[i]!.length - 5)) + tail
  return tail.endsWith('\r\n.\r\n')
}
