// A small SMTP client that behaves like an application's, not like our delivery: it sends one
// message to one server, checks certificates, and can show the conversation (RFC 5321, RFC 4954).

import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '../std/clock.ts'

export type Submission = {
  readonly host: string
  readonly port: number
  readonly helloName: string
  /** implicit: TLS from the first octet; offered: STARTTLS where the server has it. */
  readonly tls: 'none' | 'offered' | 'implicit'
  /** Accept any certificate, and send the password without TLS to other machines. */
  readonly insecure: boolean
  readonly credential?: { readonly username: string; readonly password: string }
  readonly from: string
  readonly to: string
  /** Header and body, any line ends. */
  readonly message: string
  readonly timeoutMs: number
  readonly clock: Clock
  /** Called for every line of the conversation, without its end; passwords are masked. */
  readonly transcript?: (direction: 'C' | 'S', line: string) => void
}

/** Why it did not work; `kind` names the sentence, `text` what the server or the system said. */
export class DialogueFault extends Error {
  override readonly name = 'DialogueFault'
  readonly kind:
    | 'unreachable'
    | 'closed'
    | 'timeout'
    | 'notSmtp'
    | 'noAuth'
    | 'noTlsForPassword'
    | 'certificate'
    | 'badAddress'
    | 'authFailed'
    | 'refused'
  constructor(kind: DialogueFault['kind'], text: string) {
    super(text)
    this.kind = kind
  }
}

type Reply = { readonly code: number; readonly lines: readonly string[] }

const MOST_REPLY_OCTETS = 64 * 1024

/** Sends the message; resolves to the text of the final 250. Throws a DialogueFault. */
export async function submit(submission: Submission): Promise<string> {
  for (const text of [submission.from, submission.to, submission.helloName]) {
    if (/[\s<>\u0000-\u001f\u007f]/.test(text)) throw new DialogueFault('badAddress', text)
  }
  await using talk = await Conversation.open(submission)
  await talk.expect(220)
  let offers = await hello(talk, submission)
  if (submission.tls === 'offered' && offers.has('STARTTLS')) {
    await talk.command('STARTTLS', 220)
    await talk.secure()
    offers = await hello(talk, submission)
  }
  if (submission.credential) await authenticate(talk, submission, offers)
  const utf8 = /[^\u0000-\u007f]/.test(submission.from + submission.to) ? ' SMTPUTF8' : ''
  await talk.command(`MAIL FROM:<${submission.from}>${utf8}`, 250)
  await talk.command(`RCPT TO:<${submission.to}>`, 250)
  await talk.command('DATA', 354)
  const lines = submission.message.split(/\r\n|\r|\n/)
  if (lines.at(-1) === '') lines.pop()
  for (const line of lines) talk.write(line.startsWith('.') ? `.${line}` : line)
  const reply = await talk.command('.', 250)
  await talk.command('QUIT', 221).catch(() => undefined) // accepted is accepted
  return reply.lines.join(' ')
}

async function hello(talk: Conversation, { helloName }: Submission): Promise<Set<string>> {
  const reply = await talk.command(`EHLO ${helloName}`, 250)
  return new Set(reply.lines.slice(1).map((line) => line.toUpperCase()))
}

async function authenticate(
  talk: Conversation,
  { credential, host, insecure }: Submission,
  offers: ReadonlySet<string>,
): Promise<void> {
  const { username, password } = credential!
  const local = host === 'localhost' || host === '::1' || /^127\./.test(host)
  if (!talk.encrypted && !local && !insecure) throw new DialogueFault('noTlsForPassword', host)
  const mechanisms = [...offers].find((line) => line.startsWith('AUTH '))?.split(' ') ?? []
  if (!mechanisms.includes('PLAIN')) throw new DialogueFault('noAuth', '')
  const plain = Buffer.from(`\0${username}\0${password}`).toString('base64')
  const reply = await talk.ask(`AUTH PLAIN ${plain}`, { shown: 'AUTH PLAIN ********' })
  if (reply.code !== 235) throw new DialogueFault('authFailed', format(reply))
}

function format(reply: Reply): string {
  return `${reply.code} ${reply.lines.join(' ')}`
}

class Conversation {
  #socket: Socket
  #received = ''
  #ended: DialogueFault | undefined
  #wake: () => void = () => {}
  readonly #submission: Submission
  encrypted: boolean

  static async open(submission: Submission): Promise<Conversation> {
    const { host, port } = submission
    const talk = new Conversation(submission, connectTcp({ host, port }))
    await talk.#until('connect', 'unreachable')
    if (submission.tls === 'implicit') await talk.secure()
    talk.#listen()
    return talk
  }

  constructor(submission: Submission, socket: Socket) {
    this.#submission = submission
    this.#socket = socket
    this.encrypted = false
    socket.on('error', () => {}) // told by #until and #listen
  }

  /** Turns TLS on. What the server sent before is dropped: it was not protected. */
  async secure(): Promise<void> {
    const { host, insecure } = this.#submission
    this.#socket.removeAllListeners('data').removeAllListeners('close')
    this.#received = ''
    this.#socket = connectTls({
      socket: this.#socket,
      rejectUnauthorized: !insecure,
      ...(isIP(host) ? { host } : { servername: host }),
    })
    this.#socket.on('error', () => {})
    await this.#until('secureConnect', 'certificate')
    this.encrypted = true
    this.#listen()
  }

  write(line: string): void {
    this.#submission.transcript?.('C', line)
    this.#socket.write(`${line}\r\n`)
  }

  async command(line: string, wanted: number): Promise<Reply> {
    return this.#check(await this.ask(line), wanted)
  }

  async expect(wanted: number): Promise<Reply> {
    return this.#check(await this.#reply(), wanted)
  }

  async ask(line: string, options?: { shown: string }): Promise<Reply> {
    this.#submission.transcript?.('C', options?.shown ?? line)
    this.#socket.write(`${line}\r\n`)
    return this.#reply()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
  }

  #check(reply: Reply, wanted: number): Reply {
    if (Math.floor(reply.code / 100) === Math.floor(wanted / 100)) return reply
    throw new DialogueFault('refused', format(reply))
  }

  async #reply(): Promise<Reply> {
    const lines: string[] = []
    for (;;) {
      const line = await this.#line()
      this.#submission.transcript?.('S', line)
      const match = /^(\d{3})(?:([ -])(.*))?$/.exec(line)
      if (!match || lines.length > 1000) throw new DialogueFault('notSmtp', line.slice(0, 80))
      lines.push(match[3] ?? '')
      if (match[2] !== '-') return { code: Number(match[1]), lines }
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf('\n')
      if (end >= 0) {
        const line = this.#received.slice(0, end).replace(/\r$/, '')
        this.#received = this.#received.slice(end + 1)
        return line
      }
      if (this.#ended) throw this.#ended
      if (this.#received.length > MOST_REPLY_OCTETS) {
        throw new DialogueFault('notSmtp', this.#received.slice(0, 80))
      }
      const woken = Promise.withResolvers<void>()
      this.#wake = woken.resolve
      const { clock, timeoutMs } = this.#submission
      const timer = clock.after(timeoutMs, () => this.#end(new DialogueFault('timeout', '')))
      try {
        await woken.promise
      } finally {
        timer.cancel()
      }
    }
  }

  #listen(): void {
    const socket = this.#socket
    socket.setEncoding('utf8')
    socket.removeAllListeners('data').removeAllListeners('close')
    socket.on('data', (text) => {
      this.#received += text
      this.#wake()
    })
    socket.on('close', () => {
      if (socket === this.#socket) this.#end(new DialogueFault('closed', ''))
    })
  }

  #end(fault: DialogueFault): void {
    this.#ended ??= fault
    this.#wake()
  }

  /** Waits for an event of the socket; an error or silence is the named fault. */
  async #until(event: string, kind: DialogueFault['kind']): Promise<void> {
    const socket = this.#socket
    const { clock, timeoutMs } = this.#submission
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = clock.after(timeoutMs, () => reject(new DialogueFault('timeout', '')))
    socket.once(event, () => resolve())
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(new DialogueFault(kind, kind === 'unreachable' ? (error.code ?? '') : error.message)),
    )
    socket.once('close', () => reject(new DialogueFault('closed', '')))
    try {
      await promise
    } catch (error) {
      socket.destroy()
      throw error
    } finally {
      timer.cancel()
    }
  }
}
