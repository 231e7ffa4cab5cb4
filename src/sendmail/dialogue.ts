import { connect, type Socket } from 'node:net'
import { formatReply, type Reply, ReplyReader } from '../mail/reply.ts'
import type { Clock, Timer } from '../std/clock.ts'
import type { No } from './exit.ts'
import type { Wish } from './flags.ts'
import type { Letter } from './letter.ts'
import { commandsFor } from './transaction.ts'

export type ServerPlace = { readonly host: string; readonly port: number }

/** `later`: nothing was promised, and the message may be tried again. */
export type Outcome =
  | { readonly kind: 'taken'; readonly text: string }
  | { readonly kind: 'refused'; readonly no: No; readonly recipient?: string }
  | { readonly kind: 'later'; readonly why: string }

type Said = { readonly code: number; readonly text: string }

const LONGEST_LINE = 4096
const CONNECT_MS = 5_000
const REPLY_MS = 60_000
/** RFC 5321 §4.5.3.2.6: giving up too early sends the message twice. */
const FINAL_MS = 600_000

/** What is said differs in its content only: all of it, or none where addresses are verified. */
export type Speech = {
  readonly letter: Omit<Letter, 'content'> & { readonly content?: Buffer }
  readonly wish: Wish
  /** For EHLO. */
  readonly ourName: string
  readonly clock: Clock
}

/** Hands a message over, whole or not at all. Rejects with nothing: the world's faults are `later`. */
export async function speak(place: ServerPlace, speech: Speech): Promise<Outcome> {
  using talk = new Talk(place, speech.clock)
  try {
    return await converse(talk, speech)
  } catch (error) {
    return { kind: 'later', why: (error as Error).message }
  }
}

async function converse(talk: Talk, { letter, wish, ourName }: Speech): Promise<Outcome> {
  const greeting = await talk.reply(REPLY_MS)
  if (greeting.code !== 220) return no('greeting', greeting)
  const hello = await talk.say(`EHLO ${ourName}`)
  if (hello.code !== 250) return no('greeting', hello)
  const keywords = new Set(hello.text.split('\n').map((line) => line.split(' ')[0]!.toUpperCase()))
  if (wish.requireTls && !keywords.has('REQUIRETLS'))
    return { kind: 'later', why: 'REQUIRETLS is not offered here' }
  const commands = commandsFor(letter, wish, (keyword) => keywords.has(keyword))
  const mail = await talk.say(commands.mail)
  if (mail.code !== 250) return no('MAIL', mail)
  for (const [i, command] of commands.recipients.entries()) {
    const said = await talk.say(command)
    if (said.code !== 250 && said.code !== 251) return no('RCPT', said, letter.recipients[i])
  }
  if (!letter.content) return { kind: 'taken', text: '' }
  const data = await talk.say('DATA')
  if (data.code !== 354) return no('DATA', data)
  await talk.content(letter.content)
  const end = await talk.reply(FINAL_MS)
  if (end.code !== 250) return no('DATA', end)
  talk.end()
  return { kind: 'taken', text: end.text }
}

/** Who must log in to the server may still use the drop folder, where users are known by their files. */
function no(at: No['at'], { code, text }: Said, recipient?: string): Outcome {
  if (code < 500 || code === 530 || at === 'greeting')
    return { kind: 'later', why: `${code} ${text}` }
  return { kind: 'refused', no: { at, code, text }, ...(recipient !== undefined && { recipient }) }
}

/** One connection: lines in, lines out. */
class Talk implements Disposable {
  readonly #socket: Socket
  readonly #reader = new ReplyReader()
  readonly #replies: Reply[] = []
  #rest = ''
  #fault: Error | undefined
  readonly #clock: Clock
  #timer: Timer
  #wake: (() => void) | undefined

  constructor({ host, port }: ServerPlace, clock: Clock) {
    this.#clock = clock
    this.#socket = connect({ host, port })
    this.#timer = this.#alarm(CONNECT_MS)
    this.#socket.on('connect', () => {
      this.#timer.cancel()
      this.#timer = this.#alarm(REPLY_MS)
    })
    this.#socket.on('data', (chunk) => this.#take(chunk))
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server hung up')))
  }

  async say(line: string): Promise<Said> {
    this.#socket.write(`${line}\r\n`)
    return await this.reply(REPLY_MS)
  }

  async reply(timeoutMs: number): Promise<Said> {
    if (!this.#socket.connecting) {
      this.#timer.cancel()
      this.#timer = this.#alarm(timeoutMs)
    }
    while (this.#replies.length === 0) {
      if (this.#fault) throw this.#fault
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const reply = this.#replies.shift()!
    const lines = formatReply(reply).trimEnd().split('\r\n')
    return { code: reply.code, text: lines.map((line) => line.slice(4)).join('\n') }
  }

  /** Sends content with its dots doubled and the final one (RFC 5321 §4.5.2). */
  async content(content: Buffer): Promise<void> {
    const stuffed = content.toString('latin1').replace(/^\./gm, '..')
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.once('close', () => resolve())
    this.#socket.write(Buffer.from(`${stuffed}.\r\n`, 'latin1'), () => resolve())
    await promise
  }

  end(): void {
    this.#socket.end('QUIT\r\n')
  }

  [Symbol.dispose](): void {
    this.#timer.cancel()
    this.#socket.destroySoon()
    this.#socket.unref()
  }

  #alarm(ms: number): Timer {
    return this.#clock.after(ms, () => this.#fail(new Error('the server is silent')))
  }

  #take(chunk: Buffer): void {
    this.#rest += chunk.toString('utf8')
    const lines = this.#rest.split('\n')
    this.#rest = lines.pop()!
    const read = lines.map((line) => this.#reader.push(line.replace(/\r$/, '')))
    for (const reply of read) {
      if (reply === undefined) continue
      if ('fault' in reply) this.#fail(new Error(reply.fault))
      else this.#replies.push(reply)
    }
    if (this.#rest.length > LONGEST_LINE) this.#fail(new Error('not an SMTP server'))
    this.#wake?.()
  }

  #fail(error: Error): void {
    this.#fault ??= error
    this.#socket.destroy()
    this.#wake?.()
  }
}
