// Opens a TCP connection as a mail server would, hears who answers, and hangs up: enough to tell a
// closed way from an open one, what sits in the middle, and under which address we are seen.

import { connect, type Socket } from 'node:net'
import type { Clock } from '../std/clock.ts'

export type Peer = { readonly address: string; readonly port: number }

export type Dialled =
  /** The connection opened. The banner is the greeting's first line, empty where nobody spoke. */
  | {
      readonly kind: 'answered'
      readonly banner: string
      /** Our address as the peer sees it, where it says so in its reply to EHLO. */
      readonly seenAs?: string
    }
  /** Nothing came back: something on the way drops. */
  | { readonly kind: 'silent' }
  /** Somebody said no, or there is no way there. */
  | { readonly kind: 'refused'; readonly why: string }

export type Dial = (
  peer: Peer,
  options: {
    /** Speak SMTP: hear the greeting, say EHLO with this name, and QUIT. */
    readonly hello?: string
    readonly signal: AbortSignal
  },
) => Promise<Dialled>

export type DialOptions = {
  readonly clock: Clock
  /** For the connection, and again for the conversation. */
  readonly patienceMs: number
  /** Where mail leaves from, when the system does not choose. */
  readonly sourceIpv4?: string
  readonly sourceIpv6?: string
}

const MOST_OCTETS = 8192
const FAREWELL_MS = 2000

/** The dialler of the real network. What it makes never rejects. */
export function makeDial(options: DialOptions): Dial {
  return ({ address, port }, { hello, signal }) => {
    const { promise, resolve } = Promise.withResolvers<Dialled>()
    const source = address.includes(':') ? options.sourceIpv6 : options.sourceIpv4
    const socket = connect({ host: address, port, ...(source && { localAddress: source }) })
    let heard: Dialled = { kind: 'silent' }
    const giveUp = () => socket.destroy()
    let timer = options.clock.after(options.patienceMs, giveUp)
    signal.addEventListener('abort', giveUp, { once: true })
    if (signal.aborted) giveUp()
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (heard.kind === 'silent' && error.code !== 'ETIMEDOUT')
        heard = { kind: 'refused', why: error.code ?? error.message }
    })
    socket.on('close', () => {
      timer.cancel()
      signal.removeEventListener('abort', giveUp)
      resolve(heard)
    })
    socket.on('connect', () => {
      heard = { kind: 'answered', banner: '' }
      timer.cancel()
      timer = options.clock.after(hello === undefined ? 0 : options.patienceMs, giveUp)
    })
    if (hello !== undefined)
      converse(socket, hello, (said) => {
        heard = said
        timer.cancel()
        timer = options.clock.after(FAREWELL_MS, giveUp)
      })
    return promise
  }
}

/** Greeting, EHLO, QUIT; tells what was heard after each reply. */
function converse(socket: Socket, hello: string, tell: (said: Dialled) => void): void {
  let text = ''
  let banner: string | undefined
  let over = false
  const quit = () => {
    over = true
    socket.end('QUIT\r\n')
  }
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    if (over) return
    text += chunk
    const whole = /^\d{3}(?: |\r?$)/m.test(text) && text.endsWith('\n')
    if (!whole && text.length < MOST_OCTETS) return
    const [first = ''] = text.split(/\r?\n/)
    if (banner === undefined) {
      banner = first.slice(0, 200)
      tell({ kind: 'answered', banner })
      if (first.startsWith('220')) socket.write(`EHLO ${hello}\r\n`)
      else quit()
    } else {
      const [, seenAs] = /\[(?:IPv6:)?([0-9a-f.:]+)\]/i.exec(first) ?? []
      tell({ kind: 'answered', banner, ...(seenAs && { seenAs }) })
      quit()
    }
    text = ''
  })
}
