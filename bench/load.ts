// The load generator, a process of its own: N sessions that each send messages one after another as
// smtp-source does (a command, a reply), over kept or new connections, plain or with STARTTLS.
//
// Over IPC: a Job comes in, a JobResult goes out; 'stop' ends a job before its time.

import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { messageMaker } from './message.ts'
import { sleep } from './wait.ts'

export type Job = {
  readonly port: number
  readonly sessions: number
  readonly messages: number
  readonly bytes: number
  readonly keep: boolean
  readonly starttls: boolean
  readonly domains: number
  readonly firstNumber: number
  /** Stop sending after so many milliseconds; 0: after all messages, or when told. */
  readonly forMs: number
  /** How long each session rests between two messages; not at all by default. */
  readonly pauseMs?: number
  /** Tell the numbers of accepted messages. */
  readonly numbers: boolean
}

export type JobResult = {
  readonly accepted: number
  readonly refused: number
  /** How often which refusal was heard, such as `452 4.3.1`. */
  readonly refusals: Readonly<Record<string, number>>
  readonly broken: number
  readonly startedAt: number
  readonly endedAt: number
  readonly cpuMs: number
  /** Milliseconds from MAIL to the final 250: median and 99th percentile. */
  readonly p50: number
  readonly p99: number
  readonly acknowledged: readonly number[]
}

let stopped = false
/** A server that says nothing for so long has broken the session. */
const SILENCE_MS = 60_000

const now = () => performance.timeOrigin + performance.now()

/** One connection; `ask` sends and resolves to the reply's code. */
class Peer {
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

  static async open(job: Job): Promise<Peer> {
    const socket = connect({ port: job.port, host: '127.0.0.1', noDelay: true })
    const peer = new Peer(socket)
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

  close(): void {
    this.#socket.on('error', () => {})
    this.#socket.end('QUIT\r\n')
  }
}

async function run(job: Job): Promise<JobResult> {
  const make = messageMaker(job.bytes)
  const cpuBefore = process.cpuUsage()
  const startedAt = now()
  const latencies: number[] = []
  const acknowledged: number[] = []
  let next = 0
  let accepted = 0
  let refused = 0
  const refusals: Record<string, number> = {}
  let broken = 0

  const sendOne = async (peer: Peer, number: number): Promise<boolean> => {
    const began = now()
    const rcpt = `user${number % 100}@d${number % job.domains}.recipient.example`
    let code = await peer.ask('MAIL FROM:<sender@sender.example>\r\n')
    if (code === 250) code = await peer.ask(`RCPT TO:<${rcpt}>\r\n`)
    if (code === 250) code = await peer.ask('DATA\r\n')
    if (code === 354) code = await peer.ask(make(number))
    if (code === 250) {
      accepted++
      latencies.push(now() - began)
      if (job.numbers) acknowledged.push(number)
    } else if (code === 0) broken++
    else {
      refused++
      refusals[peer.said] = (refusals[peer.said] ?? 0) + 1
    }
    return code === 250
  }
  const session = async () => {
    let peer: Peer | undefined
    while (!stopped && next < job.messages && (job.forMs === 0 || now() - startedAt < job.forMs)) {
      const number = job.firstNumber + next++
      try {
        peer ??= await Peer.open(job)
        const taken = await sendOne(peer, number)
        if (job.pauseMs) await sleep(job.pauseMs)
        if (taken && job.keep) continue
      } catch {
        broken++
        await sleep(20)
      }
      peer?.close()
      peer = undefined
    }
    peer?.close()
  }
  await Promise.all(Array.from({ length: job.sessions }, session))
  const { user, system } = process.cpuUsage(cpuBefore)
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? 0
  return {
    accepted,
    refused,
    refusals,
    broken,
    startedAt,
    endedAt: now(),
    cpuMs: (user + system) / 1000,
    p50: at(0.5),
    p99: at(0.99),
    acknowledged,
  }
}

process.on('message', (job: Job | 'stop') => {
  if (job === 'stop') stopped = true
  else void run(job).then((result) => process.send?.(result))
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true })
