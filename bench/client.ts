// The sending side of a bench: one command, one reply, as smtp-source does. It shares the cores with
// the server that it measures, so it reads into one buffer and takes a reply of one line as it is.

import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A server that says nothing for so long has broken the session. */
const SILENCE_MS = 60_000

/** For all connections of the process: what was read is used up before the next read. */
const READ_BUFFER = Buffer.allocUnsafe(16 * 1024)

/** One connection; `ask` sends and resolves to the reply's code. */
export class Client {
  #socket: Socket
  #waiting: ((code: number) => void) | undefined
  #text = ''
  #dead = false
  /** The beginning of the last refusal. */
  said = ''

  #saidAt = performance.now()

  constructor(port: number) {
    const buffer = READ_BUFFER
    const onread = { buffer, callback: (size: number) => this.#hear(buffer, size) }
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
    this.#listen()
    const watch = setInterval(() => {
      if (performance.now() - this.#saidAt > SILENCE_MS) this.#socket.destroy()
      if (this.#dead) clearInterval(watch)
    }, SILENCE_MS / 10)
    watch.unref()
  }

  static async open(job: { port: number; starttls: boolean }): Promise<Client> {
    const peer = new Client(job.port)
    if ((await peer.reply()) !== 220) throw new Error('no greeting')
    await peer.ask('EHLO load.example\r\n')
    if (job.starttls) {
      if ((await peer.ask('STARTTLS\r\n')) !== 220) throw new Error('no STARTTLS')
      await peer.#secure()
      await peer.ask('EHLO load.example\r\n')
    }
    return peer
  }

  /** True: read on. */
  #hear(octets: Buffer, size: number): boolean {
    if (this.#text === '' && isOneLine(octets, size)) {
      this.#answer(100 * digit(octets, 0) + 10 * digit(octets, 1) + digit(octets, 2), octets)
      return true
    }
    this.#text += octets.toString('latin1', 0, size)
    // The last line of a reply has a space after its code.
    const match = /^(\d{3})(?: [^\n]*)?\r\n$/m.exec(this.#text)
    if (!match || !this.#text.endsWith('\r\n')) return true
    const said = Buffer.from(this.#text, 'latin1')
    this.#text = ''
    this.#answer(Number(match[1]), said)
    return true
  }

  #listen(): void {
    const gone = () => {
      this.#dead = true
      this.#answer(0, Buffer.alloc(0))
    }
    this.#socket.on('error', gone)
    this.#socket.on('close', gone)
  }

  #answer(code: number, reply: Buffer): void {
    this.#saidAt = performance.now()
    if (code >= 400) this.said = reply.toString('latin1', 0, 9)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(code)
  }

  #secure(): Promise<void> {
    const plain = this.#socket
    plain.removeAllListeners()
    return new Promise((resolve, reject) => {
      this.#socket = connectTls({ socket: plain, rejectUnauthorized: false }, resolve)
      this.#socket.once('error', reject)
      this.#socket.on('data', (chunk: Buffer) => this.#hear(chunk, chunk.length))
      this.#listen()
    })
  }

  reply(): Promise<number> {
    if (this.#dead) return Promise.resolve(0)
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  ask(text: string | Buffer): Promise<number> {
    const reply = this.reply()
    this.#socket.write(text)
    return reply
  }

  /** One transaction with a content that is ended already; resolves to the code that decided. */
  async send(recipient: string, content: Buffer): Promise<number> {
    let code = await this.ask('MAIL FROM:<sender@sender.example>\r\n')
    if (code === 250) code = await this.ask(`RCPT TO:<${recipient}>\r\n`)
    if (code === 250) code = await this.ask('DATA\r\n')
    return code === 354 ? this.ask(content) : code
  }

  close(): void {
    this.#socket.on('error', () => {})
    this.#socket.end('QUIT\r\n')
  }
}

const digit = (octets: Buffer, at: number) => octets[at]! - 0x30

/** `250 …` CR LF and nothing behind it. */
const isOneLine = (octets: Buffer, size: number) =>
  size > 5 && octets[3] === 0x20 && octets.indexOf(0x0a) === size - 1
