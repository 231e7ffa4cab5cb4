// A test that reads like a session. `C:` lines are sent with CRLF, those in a row in one segment;
// `R:` is raw text with \r \n \0 \xHH escapes; `S:` lines must come back, `*` in them stands for
// anything; `S: ...` stands for any lines until the next one matches; `S: (closed)` is the end.
// `T:` upgrades to TLS.

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export type ConverseOptions = {
  /** Everything is sent in segments of so many octets. */
  readonly segment?: number
  /** TLS from the first octet. */
  readonly implicitTls?: boolean
  /** `C:` lines end with this. */
  readonly lineEnd?: string
  readonly localAddress?: string
}

/** Holds the conversation; rejects where the server departs from it. Returns what it said. */
export async function converse(
  port: number,
  script: string,
  options: ConverseOptions = {},
): Promise<string> {
  const peer = new Peer(port, options)
  let glued = ''
  const say = async () => {
    await peer.say(glued, options.segment)
    glued = ''
  }
  let skipping = false
  for (const line of script.split('\n').map((text) => text.trimStart())) {
    const [kind, text] = [line.slice(0, 2), line.slice(3)]
    if (kind !== 'C:' && kind !== 'R:' && glued !== '') await say()
    if (kind === 'C:') glued += text + (options.lineEnd ?? '\r\n')
    else if (kind === 'R:') glued += unescapeText(text)
    else if (kind === 'T:') await peer.upgrade()
    else if (kind === 'S:' && text === '...') skipping = true
    else if (kind === 'S:') {
      await peer.expect(text, skipping)
      skipping = false
    } else assert.equal(line, '', `not a transcript line: ${line}`)
  }
  if (glued !== '') await say()
  peer.leave()
  return peer.heard
}

function unescapeText(text: string): string {
  return text.replace(/\\(r|n|0|x([0-9a-f]{2}))/g, (_, name: string, hex?: string) =>
    hex ? String.fromCharCode(Number.parseInt(hex, 16)) : { r: '\r', n: '\n', 0: '\0' }[name]!,
  )
}

/** The client's end of a connection, as bare as can be. */
export class Peer {
  heard = ''
  #socket: Socket
  #unread = ''
  #closed = false
  #wake = () => {}

  constructor(port: number, options: ConverseOptions = {}) {
    const where = { port, host: '127.0.0.1', ...options }
    this.#socket = options.implicitTls
      ? connectTls({ ...where, rejectUnauthorized: false })
      : connect(where)
    this.#attach()
  }

  async say(text: string, segment = Number.POSITIVE_INFINITY): Promise<void> {
    const octets = Buffer.from(text, /[^\0-\xff]/.test(text) ? 'utf8' : 'latin1')
    this.#socket.setNoDelay(true)
    for (let at = 0; at < octets.length; at += segment) {
      this.#socket.write(octets.subarray(at, at + segment))
      if (segment < octets.length) await new Promise(setImmediate)
    }
  }

  async expect(pattern: string, skipping = false): Promise<void> {
    for (;;) {
      const line = await this.line()
      if (matches(pattern, line)) return
      if (!skipping || line === '(closed)') assert.equal(line, pattern)
    }
  }

  /** The next line without CRLF; `(closed)` at the end. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#unread.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#unread.slice(0, end)
        this.#unread = this.#unread.slice(end + 2)
        return line
      }
      if (this.#closed) return this.#unread || '(closed)'
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async upgrade(): Promise<void> {
    const plain = this.#socket
    plain.removeAllListeners()
    plain.on('error', () => {})
    this.#socket = connectTls({ socket: plain, rejectUnauthorized: false })
    this.#attach()
    await new Promise((resolve, reject) => {
      this.#socket.once('secureConnect', resolve)
      this.#socket.once('error', reject)
    })
  }

  leave(): void {
    this.#socket.destroy()
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }

  get socket(): Socket {
    return this.#socket
  }

  #attach(): void {
    const close = () => {
      this.#closed = true
      this.#wake()
    }
    this.#socket.on('data', (chunk) => {
      this.heard += chunk
      this.#unread += chunk
      this.#wake()
    })
    this.#socket.on('end', close)
    this.#socket.on('close', close)
    this.#socket.on('error', close)
  }
}

function matches(pattern: string, line: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(line)
}
