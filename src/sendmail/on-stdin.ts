import { connect, type Socket } from 'node:net'
import { parseCommand } from '../mail/command.ts'
import { formatReply, type Reply, reply } from '../mail/reply.ts'
import type { Clock } from '../std/clock.ts'
import type { ServerPlace } from './dialogue.ts'
import { leave } from './drop.ts'
import { EXIT } from './exit.ts'
import type { Place } from './place.ts'

type Ends = {
  readonly hostname: string
  readonly input: AsyncIterable<Buffer>
  write(text: string | Buffer): void
  readonly clock: Clock
}

const CONNECT_MS = 5_000
const LONGEST_LINE = 4096
const MOST_OCTETS = 256 * 1024 * 1024

/** -bs: lends a connection to the server; when it is down, takes mail for the drop folder itself. */
export async function speakOnInput(place: Place, ends: Ends): Promise<number> {
  const socket = place.server && (await open(place.server, ends.clock))
  if (socket) return await lend(socket, ends)
  await new Session(place, ends).run()
  return EXIT.ok
}

function open(server: ServerPlace, clock: Clock): Promise<Socket | undefined> {
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>()
  const socket = connect(server)
  const timer = clock.after(CONNECT_MS, () => socket.destroy())
  socket.once('connect', () => {
    timer.cancel()
    resolve(socket)
  })
  socket.once('error', () => resolve(undefined))
  socket.once('close', () => resolve(undefined))
  return promise
}

async function lend(socket: Socket, { input, write }: Ends): Promise<number> {
  const closed = Promise.withResolvers<void>()
  socket.on('data', (chunk) => write(chunk))
  socket.on('error', () => closed.resolve())
  socket.on('close', () => closed.resolve())
  const pump = async () => {
    for await (const chunk of input) {
      if (socket.destroyed) return
      if (!socket.write(chunk))
        await Promise.race([
          closed.promise,
          new Promise((resolve) => socket.once('drain', resolve)),
        ])
    }
    socket.end()
  }
  await Promise.race([closed.promise, Promise.all([pump(), closed.promise])])
  return EXIT.ok
}

type Transaction = { mail: string; recipients: string[] }

/** A small SMTP server over standard input, for the drop folder. */
class Session {
  readonly #place: Place
  readonly #ends: Ends
  #transaction: Transaction | undefined
  /** The content that is coming, and its octets. */
  #content: string[] | undefined
  #octets = 0
  #done = false

  constructor(place: Place, ends: Ends) {
    this.#place = place
    this.#ends = ends
  }

  async run(): Promise<void> {
    const { drop } = this.#place
    if (drop === undefined) {
      this.#say(reply(421, '4.3.2', 'the server is down, and there is no drop folder'))
      return
    }
    this.#say(reply(220, undefined, `${this.#ends.hostname} ESMTP`))
    let rest = ''
    for await (const chunk of this.#ends.input) {
      rest += chunk.toString('latin1')
      let from = 0
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
        this.#line(rest.slice(from, end).replace(/\r$/, ''), drop)
        from = end + 1
        if (this.#done) return
      }
      rest = rest.slice(from)
      if (rest.length <= LONGEST_LINE || this.#content) continue
      this.#say(reply(500, '5.5.2', 'line too long'))
      return
    }
  }

  #line(line: string, drop: string): void {
    const answer = this.#content ? this.#contentLine(line, drop) : this.#answer(line)
    if (answer) this.#say(answer)
  }

  #answer(line: string): Reply {
    const command = parseCommand(Buffer.from(line, 'latin1').toString('utf8'))
    switch (command.verb) {
      case 'EHLO':
      case 'HELO':
        this.#transaction = undefined
        return reply(
          250,
          undefined,
          this.#ends.hostname,
          ...(command.verb === 'EHLO' ? KEYWORDS : []),
        )
      case 'MAIL':
        this.#transaction = { mail: line, recipients: [] }
        return reply(250, '2.1.0', 'Ok')
      case 'RCPT':
        if (!this.#transaction) return reply(503, '5.5.1', 'MAIL first')
        this.#transaction.recipients.push(line)
        return reply(250, '2.1.5', 'Ok')
      case 'DATA':
        if (!this.#transaction?.recipients.length) return reply(503, '5.5.1', 'RCPT first')
        this.#content = []
        this.#octets = 0
        return reply(354, undefined, 'End data with <CR><LF>.<CR><LF>')
      case 'RSET':
        this.#transaction = undefined
        return reply(250, '2.0.0', 'Ok')
      case 'NOOP':
        return reply(250, '2.0.0', 'Ok')
      case 'VRFY':
        return reply(252, '2.5.0', 'Send the mail and you will see')
      case 'QUIT':
        this.#done = true
        return reply(221, '2.0.0', 'Bye')
      case 'FAULT':
        return command.reply
      default:
        return reply(502, '5.5.1', `${command.verb} is not known here`)
    }
  }

  #contentLine(line: string, drop: string): Reply | undefined {
    if (line !== '.') {
      const plain = line.startsWith('.') ? line.slice(1) : line
      this.#octets += plain.length + 2
      if (this.#octets <= MOST_OCTETS) this.#content!.push(`${plain}\r\n`)
      return undefined
    }
    const content = Buffer.from(this.#content!.join(''), 'latin1')
    const transaction = this.#transaction!
    this.#content = undefined
    this.#transaction = undefined
    const most = this.#place.notice?.size ?? MOST_OCTETS
    if (this.#octets > most) return reply(552, '5.3.4', `Message too big: at most ${most} octets`)
    try {
      leave(drop, transaction, content, this.#ends.clock.now())
      return reply(250, '2.0.0', 'Ok: left for the server')
    } catch (error) {
      return reply(451, '4.3.0', `not taken: ${(error as Error).message}`)
    }
  }

  #say(answer: Reply): void {
    this.#ends.write(formatReply(answer))
  }
}

const KEYWORDS = ['8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES', 'PIPELINING']
