// The receiving server of the torments: takes everything, remembers the number of each message and
// when it came, and looks whether it is what was sent, octet by octet. It can answer late, refuse
// for a while, or be away.

import { createServer, type Server, type Socket } from 'node:net'
import { messageMaker } from '../../bench/message.ts'
import { sleep } from '../../bench/wait.ts'
import { MESSAGE_BYTES } from './rig.ts'

export type Arrivals = {
  /** On the clock of performance.now(). */
  readonly firstAt: number
  lastAt: number
}

/** A message that had come before. */
export type Repeat = { readonly number: number; readonly previousAt: number; readonly at: number }

/** What came first so long before the end was not in flight any more. */
const WINDOW_MS = 1000
/** What was in the socket at a sudden end comes after it. */
const LATE_MS = 200

/** Which sudden end of the server each repeat is owed to; `others` to none. */
export function attribute(
  repeats: readonly Repeat[],
  ends: readonly number[],
): { readonly twice: readonly number[]; readonly others: readonly Repeat[] } {
  const twice = ends.map(() => 0)
  const others: Repeat[] = []
  for (const repeat of repeats) {
    const owner = ends.findIndex((end) => end + LATE_MS >= repeat.previousAt)
    if (owner >= 0 && repeat.previousAt >= ends[owner]! - WINDOW_MS) twice[owner]!++
    else others.push(repeat)
  }
  return { twice, others }
}

export type ReceiverOptions = {
  readonly port: number
  /** Milliseconds before the answer to the content. */
  readonly delayMs?: number
  /** Octets that the message of a number was made with. */
  readonly bytesOf?: (number: number) => number
}

const TURN_MS = 50
const END = Buffer.from('\r\n.\r\n')

export class Receiver implements AsyncDisposable {
  readonly seen = new Map<number, Arrivals>()
  readonly repeats: Repeat[] = []
  /** Messages that are not what was sent, or not signed. */
  damaged = 0
  /** Messages from <>: bounces and notices. */
  notices = 0
  /** What came, repeats included. */
  count = 0
  lastAt = 0
  delayMs: number
  /** The answer to RCPT instead of 250. */
  refusal: string | undefined
  /** Called with each address in RCPT. */
  onRecipient: (address: string) => void = () => {}
  readonly #port: number
  readonly #bytesOf: (number: number) => number
  readonly #bodies = new Map<number, Buffer>()
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  private constructor({ port, delayMs = 0, bytesOf = () => MESSAGE_BYTES }: ReceiverOptions) {
    this.#port = port
    this.delayMs = delayMs
    this.#bytesOf = bytesOf
  }

  /** Made, and listening unless `away`. */
  static async start(options: ReceiverOptions & { readonly away?: true }): Promise<Receiver> {
    const receiver = new Receiver(options)
    if (!options.away) await receiver.open()
    return receiver
  }

  async open(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', 4096, resolve)
    })
  }

  /** Hangs up and does not answer any more. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  /** How many have come since that moment, repeats left out. */
  since(moment: number): number {
    let count = 0
    for (const { firstAt } of this.seen.values()) if (firstAt >= moment) count++
    return count
  }

  missing(numbers: Iterable<number>): number[] {
    return [...numbers].filter((number) => !this.seen.has(number))
  }

  /**
   * Waits until all of these have come, or nothing new came for `quietMs`; then what is missing. Turns
   * are counted and not the clock asked: a machine that stands still for a while proves nothing.
   */
  async await(numbers: readonly number[], quietMs: number): Promise<number[]> {
    let left = this.missing(numbers)
    let before = this.count
    for (let quiet = 0; left.length > 0 && quiet < quietMs / TURN_MS; quiet++) {
      if (this.count !== before) quiet = 0
      before = this.count
      await sleep(TURN_MS)
      left = this.missing(left)
    }
    return left
  }

  /** Resolves at the next arrival; throws when none comes. */
  async next(): Promise<void> {
    const before = this.count
    for (let tries = 0; this.count === before; tries++) {
      if (tries > 2000) throw new Error('nothing arrives')
      await sleep(10)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #take(content: Buffer, isNotice: boolean): void {
    this.count++
    this.lastAt = performance.now()
    if (isNotice) {
      this.notices++
      return
    }
    const end = content.indexOf('\r\n\r\n')
    const head = content.toString('latin1', 0, end)
    const number = Number(/^X-Number: (\d+)\r?$/m.exec(head)?.[1])
    const isWhole =
      content.subarray(end + 4).equals(this.#bodyOf(number)) &&
      /^DKIM-Signature: /m.test(head) &&
      head.includes(`Subject: Load message ${String(number).padStart(12, '0')}`)
    if (!isWhole) this.damaged++
    const seen = this.seen.get(number)
    if (seen) {
      this.repeats.push({ number, previousAt: seen.lastAt, at: this.lastAt })
      seen.lastAt = this.lastAt
    } else this.seen.set(number, { firstAt: this.lastAt, lastAt: this.lastAt })
  }

  /** What stands after the header of such a message, as it was made. */
  #bodyOf(number: number): Buffer {
    const bytes = this.#bytesOf(number)
    let body = this.#bodies.get(bytes)
    if (!body) {
      const whole = messageMaker(bytes)(0)
      body = whole.subarray(whole.indexOf('\r\n\r\n') + 4, whole.length - 3)
      this.#bodies.set(bytes, body)
    }
    return body
  }

  #serve(socket: Socket): void {
    let pending: Buffer = Buffer.alloc(0)
    let inContent = false
    let isNotice = false
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    const answer = (line: string): string => {
      const verb = line.slice(0, 4).toUpperCase()
      if (verb === 'EHLO') return '250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n'
      if (verb === 'MAIL') isNotice = line.startsWith('MAIL FROM:<>')
      if (verb === 'RCPT') this.onRecipient(line.slice('RCPT TO:<'.length, line.indexOf('>')))
      if (verb === 'RCPT' && this.refusal) return `${this.refusal}\r\n`
      if (verb === 'DATA') {
        // A refused transaction gets no invitation, as its client pipelines DATA behind RCPT.
        if (this.refusal) return '554 5.5.1 no valid recipients\r\n'
        inContent = true
        return '354 go\r\n'
      }
      return verb === 'QUIT' ? '221 2.0.0 bye\r\n' : '250 2.0.0 ok\r\n'
    }
    socket.on('data', (chunk: Buffer) => {
      let data = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk
      let replies = ''
      for (;;) {
        const mark = data.indexOf(inContent ? END : '\r\n')
        if (mark < 0) break
        if (inContent) {
          this.#take(data.subarray(0, mark + 2), isNotice)
          replies += '250 2.0.0 ok\r\n'
          data = data.subarray(mark + END.length)
          inContent = false
        } else {
          replies += answer(data.toString('latin1', 0, mark))
          data = data.subarray(mark + 2)
        }
      }
      pending = data
      if (replies) this.#say(socket, replies)
    })
    socket.write('220 sink.example ESMTP\r\n')
  }

  #say(socket: Socket, text: string): void {
    if (this.delayMs > 0) setTimeout(() => socket.writable && socket.write(text), this.delayMs)
    else if (socket.writable) socket.write(text)
  }
}
