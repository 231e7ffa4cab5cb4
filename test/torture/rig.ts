// The bench that the torments share: a folder and ports of its own, Posthorn processes over a data
// folder, and what must be undone in the end. Nothing stays behind, however a torment ends: what is
// started or mounted is undone in reverse order, also when this process is made to leave.

import { type ChildProcess, fork, spawn } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Job, JobResult } from '../../bench/load.ts'
import { messageMaker } from '../../bench/message.ts'
import { end, greeted, sleep } from '../../bench/wait.ts'
import { Peer } from '../support/transcript.ts'

const main = join(import.meta.dirname, '../../bin/posthorn.js')

export type Rig = AsyncDisposable & {
  readonly folder: string
  /** Of SMTP; the HTTP door has the next one. */
  readonly port: number
  /** Of the receiving server, which is everybody's relay. */
  readonly sinkPort: number
  /** Orders something to be undone in the end; it must be quick and synchronous. */
  undo(step: () => void): void
}

export type ServerOptions = {
  /** Put before node: `strace -f …`, `prlimit …`. */
  readonly before?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Further lines of the configuration file. */
  readonly settings?: string
  /** Deliveries at once to the relay. */
  readonly connections?: number
  readonly retry?: string
  /** The data folder, when it is not below the rig's own. */
  readonly data?: string
  /** Starts as at home, without the cache of compiled sources that saves the torments time. */
  readonly cold?: true
}

export type Server = {
  readonly process: ChildProcess
  /** Milliseconds from the start to the greeting. */
  readonly greetedMs: number
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>
  /** SIGTERM, and wait; resolves to the exit code, null when it had to be killed. */
  stop(graceMs?: number): Promise<number | null>
  /** The end of its log. */
  log(): string
}

/** A folder below the temporary one, two ports that are free, and a list of what to undo. */
export async function openRig(name: string): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), `posthorn-${name}-`))
  const steps: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })]
  const leave = () => {
    for (const step of steps.splice(0).reverse())
      try {
        step()
      } catch (error) {
        process.stderr.write(`left behind after ${name}: ${error}\n`)
      }
  }
  process.once('exit', leave)
  const port = await freePorts(3)
  return {
    folder,
    port,
    sinkPort: port + 2,
    undo: (step) => void steps.push(step),
    async [Symbol.asyncDispose]() {
      process.off('exit', leave)
      leave()
    },
  }
}

/** So many ports in a row, below those that the system lends to clients: nobody borrows them between two starts. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 1_200) * 10
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)))
    if (free.every(Boolean)) return first
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

/** Starts Posthorn, live for sender.example, relaying to the rig's sink; resolves when it greets. */
export async function startServer(rig: Rig, options: ServerOptions = {}): Promise<Server> {
  const config = join(rig.folder, 'posthorn.yaml')
  writeFileSync(config, configuration(rig, options))
  const logFile = join(rig.folder, 'posthorn.log')
  const log = openSync(logFile, 'w')
  const command = [...(options.before ?? []), process.execPath, main, 'serve', '--config', config]
  const startedAt = performance.now()
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...(options.cold ? {} : warm(rig)), ...options.environment },
    cwd: rig.folder,
  })
  closeSync(log)
  rig.undo(() => void (isRunning(child) && child.kill('SIGKILL')))
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const text = () => readFileSync(logFile, 'utf8')
  await Promise.race([
    greeted(rig.port),
    gone.then(() => {
      throw new Error(`the server ended:\n${text().slice(-2000)}`)
    }),
  ])
  return {
    process: child,
    greetedMs: performance.now() - startedAt,
    async kill() {
      if (isRunning(child)) child.kill('SIGKILL')
      await gone
    },
    async stop(graceMs) {
      await end(child, graceMs)
      return child.exitCode
    },
    log: text,
  }
}

const warm = (rig: Rig) => ({ NODE_COMPILE_CACHE: join(rig.folder, 'cache') })

export const isRunning = (child: ChildProcess): boolean =>
  child.exitCode === null && child.signalCode === null

function configuration(rig: Rig, options: ServerOptions): string {
  const { connections = 20, retry = '{ first: 1s, longest: 2s }', settings = '' } = options
  return `mode: live
hostname: mail.sender.example
data: ${options.data ?? join(rig.folder, 'data')}
http: { port: ${rig.port + 1} }
smtp: { port: ${rig.port} }
log: { format: json }
domains: { sender.example: { mode: live } }
relayhost: { host: 127.0.0.1, port: ${rig.sinkPort}, tls: none, connections: ${connections} }
retry: ${retry}
${settings}
`
}

/** Makes a folder below the rig's. */
export function folderIn(rig: Rig, name: string): string {
  const folder = join(rig.folder, name)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** One of the server's own words about itself; waits a little for the door, which opens last. */
export async function ask(rig: Rig, path: string): Promise<string> {
  for (let tries = 0; ; tries++)
    try {
      return await askOnce(rig.port + 1, path)
    } catch (error) {
      if (tries === 100) throw error
      await sleep(50)
    }
}

function askOnce(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ port, path, host: '127.0.0.1', agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve(text))
      response.on('error', reject)
    })
    request.on('error', reject)
  })
}

/** A gauge or counter of /metrics; 0 when it is not there. */
export async function metric(rig: Rig, name: string, label?: string): Promise<number> {
  const wanted = label === undefined ? `${name} ` : `${name}{${label}} `
  const lines = (await ask(rig, '/metrics')).split('\n')
  return Number(lines.find((line) => line.startsWith(wanted))?.slice(wanted.length) ?? 0)
}

/** Resolves when the queue is empty, so that nothing more can come twice. */
export async function emptied(rig: Rig, seconds = 30): Promise<void> {
  for (let tries = seconds * 20; tries > 0; tries--) {
    if ((await metric(rig, 'posthorn_queue_messages', 'state="ready"')) === 0) return
    await sleep(50)
  }
  throw new Error(`the queue is not empty after ${seconds} s`)
}

export const MESSAGE_BYTES = 5000

/** Sends one message by itself; resolves to the reply that ended it, or to '' when the server hung up. */
export async function submit(rig: Rig, number: number): Promise<string> {
  const peer = new Peer(rig.port)
  let reply = await peer.line()
  const steps = [
    'EHLO load.example\r\n',
    'MAIL FROM:<sender@sender.example>\r\n',
    'RCPT TO:<user@d0.recipient.example>\r\n',
    'DATA\r\n',
    messageMaker(MESSAGE_BYTES)(number).toString('latin1'),
  ]
  for (const step of steps) {
    if (!/^[23]/.test(reply)) break
    await peer.say(step)
    do reply = await peer.line()
    while (reply[3] === '-')
  }
  peer.leave()
  return reply === '(closed)' ? '' : reply
}

/** Clients that send until they are told to stop, in a process of their own; they come back when the server does. */
export class Load {
  readonly #child: ChildProcess
  readonly #result: Promise<JobResult>

  private constructor(child: ChildProcess, job: Job) {
    this.#child = child
    this.#result = nextMessage<JobResult>(child)
    this.#result.catch(() => {})
    child.send(job)
  }

  static async start(rig: Rig, options: Partial<Job> = {}): Promise<Load> {
    const child = fork(join(import.meta.dirname, '../../bench/load.ts'))
    rig.undo(() => void (isRunning(child) && child.kill('SIGKILL')))
    await nextMessage(child)
    return new Load(child, {
      port: rig.port,
      sessions: 20,
      messages: 1_000_000_000,
      bytes: MESSAGE_BYTES,
      keep: true,
      starttls: false,
      domains: 5,
      firstNumber: 1,
      forMs: 0,
      numbers: true,
      ...options,
    })
  }

  /** Ends what goes on, and tells what came of it. */
  async stop(): Promise<JobResult> {
    if (this.#child.connected) this.#child.send('stop')
    const result = await this.#result
    this.#child.disconnect()
    return result
  }

  /** What came of a load that ends by itself. */
  async end(): Promise<JobResult> {
    const result = await this.#result
    this.#child.disconnect()
    return result
  }
}

function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('the load generator ended early'))
    child.once('exit', gone)
    child.once('message', (value) => {
      child.off('exit', gone)
      resolve(value as T)
    })
  })
}
