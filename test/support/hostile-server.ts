// An SMTP peer that does what a script says: for each phase of the dialogue a reply, or a fault. It
// keeps what it heard, so that tests can judge order and grouping. Real sockets, real TLS; no rule
// of the protocol is enforced here, for it must be able to break all of them.

import { createServer, type Server, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { testCertificate, testKey } from './certificate.ts'

export type Phase =
  | 'banner'
  | 'ehlo'
  | 'helo'
  | 'starttls'
  | 'handshake'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'bdat'
  | 'content'
  | 'rset'
  | 'quit'

/** What the peer does when a phase comes. `say` takes whole lines, CRLF is added. */
export type Act =
  | { readonly kind: 'say'; readonly text: string; readonly after?: 'close' | 'reset' | 'stall' }
  | {
      readonly kind: 'raw'
      readonly bytes: Uint8Array
      readonly after?: 'close' | 'reset' | 'stall'
    }
  | { readonly kind: 'slow'; readonly text: string; readonly pauseMs: number }
  | { readonly kind: 'stall' }
  | { readonly kind: 'close' }
  | { readonly kind: 'reset' }

export const say = (text: string): Act => ({ kind: 'say', text })
export const sayAndClose = (text: string): Act => ({ kind: 'say', text, after: 'close' })
export const slowly = (text: string, pauseMs: number): Act => ({ kind: 'slow', text, pauseMs })
export const stall: Act = { kind: 'stall' }
export const close: Act = { kind: 'close' }
export const reset: Act = { kind: 'reset' }
export const garbage: Act = {
  kind: 'raw',
  bytes: Buffer.from(
    '\u0000\u0001\u0002 what is this?\r\nHTTP/1.1 400 Bad Request\r\n\r\n',
    'latin1',
  ),
  after: 'stall',
}
/** Twenty thousand lines of one reply. */
export const hugeReply = (code: number): Act =>
  say(`${`${code}-${'x'.repeat(60)}\r\n`.repeat(20_000)}${code} end`)
/** One line of four MiB. */
export const hugeLine = (code: number): Act => say(`${code} ${'x'.repeat(4 * 1024 * 1024)}`)

/** What the script may look at. */
export type Moment = {
  /** From 1. */
  readonly connection: number
  /** How many times this phase has come on this connection, from 1. */
  readonly time: number
  readonly line: string
  readonly secure: boolean
}

export type Script = Partial<Record<Phase, Act | ((moment: Moment) => Act | undefined)>>

export type HostileOptions = {
  readonly script?: Script
  /** EHLO keywords; STARTTLS disappears by itself after the handshake. */
  readonly keywords?: readonly string[]
  readonly address?: string
  readonly implicitTls?: boolean
  readonly port?: number
}

export type Heard = {
  readonly from: string
  readonly to: readonly string[]
  /** As it came, without the dot line; still stuffed after DATA. */
  readonly content: string
  readonly by: 'data' | 'bdat'
  readonly secure: boolean
}

export type HostileServer = AsyncDisposable & {
  readonly port: number
  readonly address: string
  /** One array a connection: every command line. */
  readonly commands: string[][]
  /** One array a connection: every chunk as the socket gave it. */
  readonly chunks: string[][]
  /** Messages that were answered 250; empty ones do not count. */
  readonly messages: Heard[]
  readonly connections: number
  /** Connections that are open now. */
  readonly open: number
}

const KEYWORDS = ['PIPELINING', '8BITMIME', 'ENHANCEDSTATUSCODES', 'SMTPUTF8', 'SIZE 1000000']

export async function startHostileServer(options: HostileOptions = {}): Promise<HostileServer> {
  const sockets = new Set<Socket>()
  const state = {
    commands: [] as string[][],
    chunks: [] as string[][],
    messages: [] as Heard[],
    connections: 0,
  }
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    state.connections++
    new Peer(socket, options, { ...state, connection: state.connections }).start()
  })
  const address = options.address ?? '127.0.0.1'
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, address, resolve)
  })
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('no port')
  return {
    port: bound.port,
    address,
    commands: state.commands,
    chunks: state.chunks,
    messages: state.messages,
    get connections() {
      return state.connections
    },
    get open() {
      return sockets.size
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

type Records = {
  readonly commands: string[][]
  readonly chunks: string[][]
  readonly messages: Heard[]
  readonly connection: number
}

const REPLIES: Record<Phase, string> = {
  banner: '220 hostile.example ESMTP',
  ehlo: '',
  helo: '250 hostile.example',
  starttls: '220 2.0.0 go',
  handshake: '',
  auth: '235 2.7.0 welcome',
  mail: '250 2.1.0 ok',
  rcpt: '250 2.1.5 ok',
  data: '354 go',
  bdat: '250 2.0.0 chunk',
  content: '250 2.0.0 taken',
  rset: '250 2.0.0 forgotten',
  quit: '221 2.0.0 bye',
}

const PHASE_OF: Readonly<Record<string, Phase>> = {
  EHLO: 'ehlo',
  HELO: 'helo',
  STARTTLS: 'starttls',
  AUTH: 'auth',
  MAIL: 'mail',
  RCPT: 'rcpt',
  DATA: 'data',
  RSET: 'rset',
  QUIT: 'quit',
}

class Peer {
  readonly #options: HostileOptions
  readonly #records: Records
  readonly #commands: string[] = []
  readonly #chunks: string[] = []
  readonly #times = new Map<Phase, number>()
  readonly #plain: Socket
  #socket: Socket
  #secure = false
  #input = Buffer.alloc(0)
  #mode: 'lines' | 'data' | 'bdat' | 'auth' | 'deaf' = 'lines'
  #bdatLeft = 0
  #from = ''
  #to: string[] = []
  #content = ''
  #busy = false
  #upgrading = false

  constructor(socket: Socket, options: HostileOptions, records: Records) {
    this.#plain = socket
    this.#socket = socket
    this.#options = options
    this.#records = records
    records.commands.push(this.#commands)
    records.chunks.push(this.#chunks)
  }

  start(): void {
    this.#listen(this.#socket)
    if (this.#options.implicitTls) this.#secureNow()
    this.#act('banner', '')
  }

  #listen(socket: Socket): void {
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk.toString('latin1'))
      this.#input = Buffer.concat([this.#input, chunk])
      this.#read()
    })
  }

  #read(): void {
    while (!this.#busy && this.#input.length > 0) {
      if (this.#mode === 'deaf') return
      if (this.#mode === 'bdat') {
        const part = this.#input.subarray(0, this.#bdatLeft)
        this.#content += part.toString('latin1')
        this.#input = this.#input.subarray(part.length)
        this.#bdatLeft -= part.length
        if (this.#bdatLeft > 0) return
        this.#mode = 'lines'
        this.#end('bdat')
        continue
      }
      if (this.#mode === 'data') {
        const all = `\r\n${this.#input.toString('latin1')}`
        const dot = all.indexOf('\r\n.\r\n')
        if (dot < 0) return
        this.#content = all.slice(2, Math.max(dot + 2, 2))
        this.#input = this.#input.subarray(dot + 3)
        this.#mode = 'lines'
        this.#end('data')
        continue
      }
      const end = this.#input.indexOf('\r\n')
      if (end < 0) return
      const line = this.#input.toString('utf8', 0, end)
      this.#input = this.#input.subarray(end + 2)
      this.#commands.push(line)
      this.#command(line)
    }
  }

  #command(line: string): void {
    if (this.#mode === 'auth') {
      this.#act('auth', line)
      return
    }
    const verb = line.split(' ')[0]!.toUpperCase()
    if (verb === 'BDAT') {
      this.#bdatLeft = Number(line.split(' ')[1])
      this.#mode = 'bdat'
      return
    }
    const phase = PHASE_OF[verb]
    if (phase) this.#act(phase, line)
    else this.#write('500 5.5.1 what?\r\n')
  }

  #end(by: 'data' | 'bdat'): void {
    const heard: Heard = {
      from: this.#from,
      to: this.#to,
      content: this.#content,
      by,
      secure: this.#secure,
    }
    this.#content = ''
    this.#act(by === 'bdat' ? 'bdat' : 'content', '', heard)
    this.#from = ''
    this.#to = []
  }

  #act(phase: Phase, line: string, heard?: Heard): void {
    const time = (this.#times.get(phase) ?? 0) + 1
    this.#times.set(phase, time)
    const scripted = this.#options.script?.[phase]
    const moment = { connection: this.#records.connection, time, line, secure: this.#secure }
    const act = (typeof scripted === 'function' ? scripted(moment) : scripted) ?? this.#usual(phase)
    this.#remember(phase, line, { act, ...(heard && { heard }) })
    this.#perform(phase, act)
  }

  #usual(phase: Phase): Act {
    if (phase === 'handshake') return { kind: 'raw', bytes: Buffer.alloc(0) }
    return say(phase === 'ehlo' ? this.#greeting() : REPLIES[phase])
  }

  #greeting(): string {
    const keywords = (this.#options.keywords ?? KEYWORDS).filter(
      (keyword) => !(this.#secure && keyword === 'STARTTLS'),
    )
    return ['hostile.example', ...keywords]
      .map((word, i) => `250${i === keywords.length ? ' ' : '-'}${word}`)
      .join('\r\n')
  }

  #remember(phase: Phase, line: string, happening: { act: Act; heard?: Heard }): void {
    const { act, heard } = happening
    const text = act.kind === 'say' || act.kind === 'slow' ? act.text : ''
    const positive = /^[23]/.test(text)
    if (phase === 'mail' && positive) this.#from = line.slice('MAIL FROM:'.length)
    if (phase === 'rcpt' && positive) this.#to.push(line.slice('RCPT TO:'.length))
    if (phase === 'data' && text.startsWith('354')) this.#mode = 'data'
    if (phase === 'starttls') this.#upgrading = text.startsWith('220')
    if (phase === 'auth') this.#mode = text.startsWith('334') ? 'auth' : 'lines'
    if (heard && text.startsWith('2') && heard.content !== '') this.#records.messages.push(heard)
  }

  #perform(phase: Phase, act: Act): void {
    if (act.kind === 'slow') {
      this.#busy = true
      this.#dribble(`${act.text}\r\n`, act.pauseMs, () => {
        this.#busy = false
        this.#finish(phase, undefined)
        this.#read()
      })
    } else if (act.kind === 'say' || act.kind === 'raw') {
      this.#write(act.kind === 'say' ? `${act.text}\r\n` : act.bytes)
      this.#finish(phase, act.after)
    } else {
      this.#finish(phase, act.kind)
    }
  }

  #finish(phase: Phase, after: 'close' | 'reset' | 'stall' | undefined): void {
    if (after === 'stall') this.#mode = 'deaf'
    else if (after === 'reset') this.#plain.resetAndDestroy()
    else if (after === 'close' || phase === 'quit') this.#socket.end()
    else if (phase === 'starttls' && this.#upgrading) this.#act('handshake', '')
    else if (phase === 'handshake') this.#secureNow()
  }

  #secureNow(): void {
    const plain = this.#socket
    plain.removeAllListeners('data')
    this.#input = Buffer.alloc(0)
    const secured = new TLSSocket(plain, { isServer: true, key: testKey, cert: testCertificate })
    secured.on('_tlsError', () => {})
    this.#socket = secured
    this.#secure = true
    this.#listen(secured)
  }

  #write(data: string | Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(data)
  }

  /** One octet at a time. */
  #dribble(text: string, pauseMs: number, done: () => void): void {
    if (text === '' || this.#socket.destroyed) {
      done()
      return
    }
    this.#write(text[0]!)
    setTimeout(() => this.#dribble(text.slice(1), pauseMs, done), pauseMs)
  }
}
