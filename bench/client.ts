// The sending side of a bench: one command, one reply, as smtp-source does.

import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A server that says nothing for so long has broken the session. */
const SILENCE_MS = 60_000

/** One connection; `ask` sends and resolves to the reply's code. */
export class Client {
  #socket: Socket
  #waiting: ((code: number) => void) | undefined
  #text = ''
  #dead = false
  /** The beginning of the last reply. */
  said = ''

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setTimeout(SILENCE_MS, () => socket.destroy())
    this.#listen()
  }

  static async open(job: { port: number; starttls: boolean }): Promise<Client> {
    const socket = connect({ port: job.port, host: '127.0.0.1', noDelay: true })
    const peer = new Client(socket)
    if ((await peer.reply()) !== 220) throw new Error('no greeting')
    await peer.ask('EHLO load.example\r\n')
    if (job.starttls) {
      if ((await peer.ask('STARTTLS\r\n')) !== 220) throw new Error('no STARTTLS')
      await peer.#secure()
      await peer.ask('EHLO load.example\r\n')
    }
    return peer
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      // The last line of a reply has a space after its code.
      const match = /^(\d{3})(?: [^\n]*)?\r\n$/m.exec(this.#text)
      if (!match || !this.#text.endsWith('\r\n')) return
      this.said = this.#text.slice(0, 9)
      this.#text = ''
      this.#answer(Number(match[1]))
    })
    const gone = () => {
      this.#dead = true
      this.#answer(0)
    }
    this.#socket.on('error', gone)
    this.#socket.on('close', gone)
  }

  #answer(code: number): void {
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
