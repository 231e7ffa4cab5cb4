// A crowd of clients that hold connections and misbehave, in a process of its own. Over IPC: a
// CrowdJob comes in, {ready, open} goes out when all have connected; then each message 'count' is
// answered by a CrowdCount. It ends when its parent disconnects.

import { connect, type Socket } from 'node:net'
import { pathToFileURL } from 'node:url'

/**
 * idle: silent after EHLO. banner: reads nothing, not even the banner. commands: an octet of a command
 * now and then. data: an octet of content now and then. half: vanished in the middle of a line.
 * deaf: commands without end, replies never read.
 */
export type CrowdMode = 'idle' | 'banner' | 'commands' | 'data' | 'half' | 'deaf'

export type CrowdJob = {
  readonly port: number
  readonly count: number
  readonly mode: CrowdMode
  /** Connections come from this many loopback addresses, from 127.0.`net`.1 on. */
  readonly addresses: number
  readonly net: number
  /** Who is thrown out comes back. */
  readonly insists: boolean
}

export type CrowdCount = {
  readonly open: number
  /** Connections answered 421 in place of a banner. */
  readonly turnedAway: number
  readonly lost: number
}

const AT_ONCE = 100
const PACE_MS = 1_000

const DEAF = Buffer.from('NOOP\r\nVRFY a\r\n'.repeat(500))

class Crowd {
  readonly #job: CrowdJob
  readonly #open = new Set<Socket>()
  /** Past the greeting: from now on it is slow. */
  readonly #dripping = new Set<Socket>()
  #turnedAway = 0
  #lost = 0
  #opening = 0
  #started = 0
  #ready: () => void = () => {}

  constructor(job: CrowdJob) {
    this.#job = job
  }

  /** Resolves when each has had its chance to connect. */
  gather(): Promise<void> {
    setInterval(() => this.#drip(), PACE_MS)
    return new Promise((resolve) => {
      this.#ready = resolve
      this.#more()
    })
  }

  get count(): CrowdCount {
    return { open: this.#open.size, turnedAway: this.#turnedAway, lost: this.#lost }
  }

  #more(): void {
    while (this.#opening < AT_ONCE && this.#started < this.#job.count) {
      this.#opening++
      this.#dial(this.#started++, () => {
        this.#opening--
        this.#more()
      })
    }
    if (this.#opening === 0 && this.#started === this.#job.count) this.#ready()
  }

  /** @param settled called once, when this one has had its chance */
  #dial(number: number, settled: () => void = () => {}): void {
    const { port, addresses, net, mode, insists } = this.#job
    const host = (number % addresses) + 1
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.${net}.${host}` })
    let over = false
    const settle = () => {
      if (over) return
      over = true
      settled()
    }
    let heard = ''
    socket.on('connect', () => {
      this.#open.add(socket)
      if (mode === 'banner') socket.pause()
      if (mode === 'half') socket.write('EHLO crowd.exa')
      if (mode === 'deaf') {
        socket.pause()
        socket.write(DEAF)
      }
      if (mode === 'banner' || mode === 'half' || mode === 'deaf') settle()
    })
    if (mode !== 'banner' && mode !== 'deaf')
      socket.on('data', (chunk: Buffer) => {
        const before = heard
        if (heard.length < 2_000) heard += chunk.toString('latin1')
        if (before === '') this.#greeted(socket, heard)
        if (/^(354|250) /m.test(heard)) this.#dripping.add(socket)
        if (this.#dripping.has(socket) || heard.startsWith('421')) settle()
      })
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.#open.delete(socket)) this.#lost++
      this.#dripping.delete(socket)
      settle()
      if (insists) setTimeout(() => this.#dial(number), 200)
    })
  }

  #greeted(socket: Socket, heard: string): void {
    if (heard.startsWith('421')) {
      this.#turnedAway++
      this.#open.delete(socket)
      return
    }
    const { mode } = this.#job
    if (mode === 'idle' || mode === 'commands' || mode === 'data')
      socket.write('EHLO crowd.example\r\n')
    if (mode === 'data')
      socket.write(
        'MAIL FROM:<sender@sender.example>\r\nRCPT TO:<slow@recipient.example>\r\nDATA\r\n',
      )
  }

  #drip(): void {
    const { mode } = this.#job
    if (mode !== 'commands' && mode !== 'data' && mode !== 'deaf') return
    for (const socket of mode === 'deaf' ? this.#open : this.#dripping) {
      if (!socket.writable) continue
      if (mode !== 'deaf') socket.write('x')
      else if (!socket.writableNeedDrain) socket.write(DEAF)
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  let crowd: Crowd | undefined
  process.on('message', (message: CrowdJob | 'count') => {
    if (message === 'count') {
      process.send?.(crowd?.count)
      return
    }
    crowd = new Crowd(message)
    void crowd.gather().then(() => process.send?.({ ready: true, ...crowd?.count }))
  })
  process.on('disconnect', () => process.exit(0))
}
