// A client of the torments: says what it is told, hears codes, is never surprised. And the honest
// ones, whose patience is measured while others misbehave.

import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { sleep } from '../../bench/wait.ts'
import { percentile } from './stage.ts'

export type CallOptions = {
  readonly port: number
  /** The local address to call from. */
  readonly from?: string
  readonly tls?: boolean
  readonly timeoutMs?: number
}

const PATIENCE_MS = 20_000

export class Caller {
  #socket: Socket
  #text = ''
  #replies: string[] = []
  #waiting: ((reply: string) => void)[] = []
  #closed = false
  readonly #timeoutMs: number

  constructor(socket: Socket, timeoutMs = PATIENCE_MS) {
    this.#socket = socket
    this.#timeoutMs = timeoutMs
    this.#listen()
  }

  /** Connects; the greeting is the first reply. */
  static call({ port, from, tls, timeoutMs }: CallOptions): Caller {
    const target = { port, host: '127.0.0.1', noDelay: true, ...(from && { localAddress: from }) }
    const socket = tls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target)
    return new Caller(socket, timeoutMs)
  }

  get socket(): Socket {
    return this.#socket
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Replies that came and nobody asked for. */
  get unread(): readonly string[] {
    return this.#replies
  }

  /** The next reply whole, lines joined by LF; '' when the connection ended or nothing came in time. */
  reply(): Promise<string> {
    const ready = this.#replies.shift()
    if (ready !== undefined || this.#closed) return Promise.resolve(ready ?? '')
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(''), this.#timeoutMs)
      const settle = (reply: string) => {
        clearTimeout(timer)
        this.#waiting = this.#waiting.filter((waiting) => waiting !== settle)
        resolve(reply)
      }
      this.#waiting.push(settle)
    })
  }

  /** The next reply's code; 0 when there is none. */
  async code(): Promise<number> {
    return Number((await this.reply()).slice(0, 3))
  }

  write(text: string | Buffer): void {
    if (!this.#closed) this.#socket.write(text)
  }

  /** A line and its reply's code. */
  ask(line: string): Promise<number> {
    this.write(`${line}\r\n`)
    return this.code()
  }

  /** The handshake after STARTTLS was answered; false when it failed. */
  secure(): Promise<boolean> {
    const plain = this.#socket
    plain.removeAllListeners()
    plain.on('error', () => {})
    return new Promise((resolve) => {
      const fail = () => {
        this.#gone()
        resolve(false)
      }
      this.#socket = connectTls({ socket: plain, rejectUnauthorized: false }, () => {
        this.#socket.off('error', fail)
        this.#socket.off('close', fail)
        this.#listen()
        resolve(true)
      })
      this.#socket.on('error', fail)
      this.#socket.on('close', fail)
    })
  }

  hangUp(): void {
    this.#socket.destroy()
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      for (;;) {
        const found = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/.exec(this.#text)
        if (!found) break
        this.#text = this.#text.slice(found[0].length)
        this.#heard(found[0].replaceAll('\r', '').trimEnd())
      }
    })
    this.#socket.on('error', () => this.#gone())
    this.#socket.on('close', () => this.#gone())
    this.#socket.on('end', () => this.#gone())
  }

  #heard(reply: string): void {
    const waiting = this.#waiting[0]
    if (waiting) waiting(reply)
    else this.#replies.push(reply)
  }

  #gone(): void {
    this.#closed = true
    for (const waiting of this.#waiting) waiting('')
  }
}

const BODY = `${'The quick brown fox jumps over the lazy dog; mail moves on.\r\n'.repeat(80)}.\r\n`

/** A message with its envelope over an open session; resolves to the last code. */
export async function submit(
  caller: Caller,
  {
    to,
    from = 'sender@sender.example',
    subject = 'hello',
  }: { to: string; from?: string; subject?: string },
): Promise<number> {
  let code = await caller.ask(`MAIL FROM:<${from}>`)
  if (code === 250) code = await caller.ask(`RCPT TO:<${to}>`)
  if (code === 250) code = await caller.ask('DATA')
  if (code !== 354) return code
  caller.write(`From: <${from}>\r\nTo: <${to}>\r\nSubject: ${subject}\r\n\r\n${BODY}`)
  return caller.code()
}

export type Honest = {
  readonly sessions: number
  readonly worked: number
  /** From the connect to the 250 after the dot; a failure counts as the whole patience. */
  readonly p50: number
  readonly p95: number
}

/** Honest clients, `atOnce` of them, each with a connection per message, until `forMs` are over or `until` says so. */
export async function behaveWell(
  port: number,
  options: {
    forMs: number
    atOnce?: number
    pauseMs?: number
    from?: string
    domain?: string
    until?: AbortSignal
  },
): Promise<Honest> {
  const {
    forMs,
    atOnce = 4,
    pauseMs = 25,
    from = '127.0.0.1',
    domain = 'recipient.example',
  } = options
  const end = performance.now() + forMs
  const times: number[] = []
  let worked = 0
  const one = async () => {
    while (performance.now() < end && !options.until?.aborted) {
      const began = performance.now()
      const caller = Caller.call({ port, from, timeoutMs: 10_000 })
      const greeted =
        (await caller.code()) === 220 && (await caller.ask('EHLO honest.example')) === 250
      const code = greeted ? await submit(caller, { to: `honest@${domain}` }) : 0
      if (code === 250) worked++
      times.push(code === 250 ? performance.now() - began : 10_000)
      if (!caller.closed) caller.write('QUIT\r\n')
      caller.socket.end()
      await sleep(pauseMs)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return {
    sessions: times.length,
    worked,
    p50: percentile(times, 0.5),
    p95: percentile(times, 0.95),
  }
}
