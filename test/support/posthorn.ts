// The whole program under test: as a process of its own, as a user starts it, or built in this one.
// Both take a configuration as the file has it, in a folder that is gone afterwards, and are asked
// over their own HTTP door.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from '../../src/api/control.ts'
import { noteRunning } from '../../src/cli/running.ts'
import { loadConfig } from '../../src/config/load.ts'
import { startServer } from '../../src/server.ts'
import { systemClock } from '../../src/std/clock.ts'
import type { Log } from '../../src/std/log.ts'
import { testAuthority, testCertificate, testKey } from './certificate.ts'
import { type Ran, type RunOptions, run, temporaryFolder, until } from './tools.ts'

/** As the configuration file has it. */
export type Settings = Readonly<Record<string, unknown>>

/** A message that the sandbox has captured, as the API tells it. */
export type Captured = {
  readonly id: string
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  readonly subject: string
  readonly authentication: { readonly dkim: string; readonly spf: string; readonly dmarc: string }
  readonly size: number
  readonly received_at: string
}

export type Waiting = {
  readonly id: string
  readonly to: string
  readonly attempts: number
  readonly state: string
  readonly world: string
  readonly last_failure: string | null
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly message: string }

/** A server that runs, and its HTTP door. */
export class Running {
  readonly folder: string
  readonly data: string
  /** Of the SMTP listeners by name; the main one is `smtp`. */
  readonly ports: Readonly<Record<string, number>>
  readonly http: string
  readonly #log: () => readonly LogLine[]

  constructor(place: {
    folder: string
    ports: Readonly<Record<string, number>>
    http: string
    log: () => readonly LogLine[]
  }) {
    this.folder = place.folder
    this.data = join(place.folder, 'data')
    this.ports = place.ports
    this.http = place.http
    this.#log = place.log
  }

  /** Of the main listener. */
  get port(): number {
    return this.ports.smtp!
  }

  /** What was logged so far. */
  log(message?: string): readonly LogLine[] {
    return this.#log().filter((line) => message === undefined || line.message === message)
  }

  /** The body of an answer; throws on every status of 400 and above. */
  async ask<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
    const response = await this.#fetch(path, method, body)
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  /** The same where it is no JSON. */
  async text(path: string): Promise<string> {
    return await (await this.#fetch(path, 'GET')).text()
  }

  /** Newest first. */
  async captured(): Promise<readonly Captured[]> {
    return (await this.ask<{ messages: Captured[] }>('/api/v1/sandbox/messages?limit=500')).messages
  }

  /** Waits for a captured message by its subject, or by what `is` says of it. */
  async capture(is: string | ((one: Captured) => boolean), seconds = 30): Promise<Captured> {
    const wanted = typeof is === 'string' ? (one: Captured) => one.subject === is : is
    const what = `${typeof is === 'string' ? JSON.stringify(is) : 'the message'} is captured`
    return until(async () => (await this.captured()).find(wanted), what, seconds)
  }

  /** A captured message as the receiver got it, as octets in latin-1. */
  async raw(id: string): Promise<string> {
    const response = await this.#fetch(`/api/v1/sandbox/messages/${id}/raw`, 'GET')
    return Buffer.from(await response.arrayBuffer()).toString('latin1')
  }

  async queue(): Promise<readonly Waiting[]> {
    return (await this.ask<{ entries: Waiting[] }>('/api/v1/queue?limit=1000')).entries
  }

  async emptyQueue(seconds = 30): Promise<void> {
    await until(async () => (await this.queue()).length === 0, 'the queue is empty', seconds)
  }

  async readiness(): Promise<{ status: string; checks: readonly Check[] }> {
    return (await (await this.#fetch('/readyz', 'GET')).json()) as never
  }

  /** `posthorn` beside it, as another process, with the same configuration. */
  command(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return posthorn(args, { folder: this.folder, ...options })
  }

  #fetch(path: string, method: string, body?: unknown): Promise<Response> {
    const token = readFileSync(join(this.data, 'admin-token'), 'utf8').trim()
    return fetch(this.http + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }
}

export const MAIN = join(import.meta.dirname, '../../bin/posthorn.js')

/** The command line, in a folder; `posthorn.yaml` there is read. */
export function posthorn(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return run(process.execPath, [MAIN, ...args], {
    ...options,
    environment: { POSTHORN_LANG: 'en', ...options.environment },
  })
}

/** Two more listeners, with the certificate that is in every folder: add it to the settings. */
export const TLS_LISTENERS: Settings = {
  tls: { certificate: 'certificate.pem', key: 'key.pem' },
  listeners: {
    submission: { address: '127.0.0.1', port: 0, tls: 'starttls', auth: 'optional' },
    submissions: { address: '127.0.0.1', port: 0, tls: 'implicit', auth: 'optional' },
  },
}

/**
 * Writes `posthorn.yaml`: what is given over ports that the system chooses. JSON is YAML too. Beside
 * it lie `certificate.pem` and `key.pem`, and `authority.pem` for clients that verify.
 */
export function writeSettings(folder: string, settings: Settings): void {
  const own = { data: join(folder, 'data'), smtp: { port: 0 }, http: { port: 0 } }
  writeFileSync(join(folder, 'posthorn.yaml'), JSON.stringify({ ...own, ...settings }, null, 2))
  writeFileSync(join(folder, 'certificate.pem'), testCertificate)
  writeFileSync(join(folder, 'key.pem'), testKey)
  writeFileSync(join(folder, 'authority.pem'), testAuthority)
}

export type ProcessOptions = {
  readonly settings?: Settings
  /** Where an earlier one ran: its settings and data are used again, and stay. */
  readonly folder?: string
  /** The command line; `serve` when nothing is said. */
  readonly args?: (folder: string) => readonly string[]
  /** The script to run instead of our sources. */
  readonly program?: string
  /** Further variables, given its folder. */
  readonly environment?: (folder: string) => Readonly<Record<string, string>>
}

/** A server in a process of its own. */
export class PosthornProcess extends Running implements AsyncDisposable {
  readonly child: ChildProcess
  /** All that it printed. */
  readonly said: () => string
  readonly #folder: Disposable | undefined
  readonly #ended: Promise<void>

  private constructor(
    place: ConstructorParameters<typeof Running>[0],
    life: {
      child: ChildProcess
      said: () => string
      ended: Promise<void>
      folder: Disposable | undefined
    },
  ) {
    super(place)
    this.child = life.child
    this.said = life.said
    this.#ended = life.ended
    this.#folder = life.folder
  }

  /** Resolves when it is ready to take mail; rejects with what it said when it ends before that. */
  static async start(options: ProcessOptions = {}): Promise<PosthornProcess> {
    const own = options.folder === undefined ? temporaryFolder() : undefined
    const folder = options.folder ?? own!.path
    if (own) writeSettings(folder, { log: { format: 'json' }, ...options.settings })
    const args = options.args?.(folder) ?? ['serve']
    const child = spawn(process.execPath, [options.program ?? MAIN, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, POSTHORN_LANG: 'en', ...options.environment?.(folder) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const ready = until(() => {
      const line = parseLog(text).find(({ message }) => message === 'ready') ?? readyOf(text)
      if (!line && child.exitCode !== null) throw new Error(`the server ended:\n${text}`)
      return line
    }, 'the server is ready')
    try {
      const { ports, http } = placesOf(await ready)
      const place = { folder, ports, http, log: () => parseLog(text) }
      return new PosthornProcess(place, { child, said: () => text, ended, folder: own })
    } catch (error) {
      child.kill('SIGKILL')
      await ended
      own?.[Symbol.dispose]()
      throw error
    }
  }

  /** Sends a signal and waits for the end; gives the exit code, null after SIGKILL. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal)
    await this.#ended
    return this.child.exitCode
  }

  /** Resident memory in MiB. */
  memoryMiB(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const patience = setTimeout(() => this.child.kill('SIGKILL'), 20_000)
    await this.end()
    clearTimeout(patience)
    this.#folder?.[Symbol.dispose]()
  }
}

function parseLog(text: string): LogLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine)
}

/** The same of a log in the form of syslog. */
function readyOf(text: string): LogLine | undefined {
  const [line] = /^.* posthorn\[\d+\]: ready .*$/m.exec(text) ?? []
  if (line === undefined) return undefined
  const value = (name: string): unknown =>
    JSON.parse(new RegExp(` ${name}="([^"]*)"`).exec(line)![1]!.replaceAll("'", '"'))
  return { message: 'ready', http: value('http'), listeners: value('listeners') }
}

function placesOf(ready: LogLine) {
  const { http, listeners } = ready as unknown as {
    http: { address: string; port: number }
    listeners: { name: string; port: number }[]
  }
  return {
    http: `http://${http.address}:${http.port}`,
    ports: Object.fromEntries(listeners.map(({ name, port }) => [name, port])),
  }
}

export type PosthornHere = Running & AsyncDisposable

/** A server in this process: quicker, and enough where signals, memory and exit codes do not matter. */
export async function startHere(
  settings: Settings = {},
  options: { readonly folder?: string } = {},
): Promise<PosthornHere> {
  await using parts = new AsyncDisposableStack()
  const folder = options.folder ?? parts.use(temporaryFolder()).path
  writeSettings(folder, settings)
  const { config, faults } = loadConfig({
    environment: {},
    workingDirectory: folder,
    machineName: 'mail.sender.example',
  })
  if (!config) throw new Error(JSON.stringify(faults))
  const lines: LogLine[] = []
  const server = parts.use(await startServer(config, { log: listLog(lines), clock: systemClock }))
  parts.defer(await noteRunning(config.data, server.http))
  const { address, port } = server.http
  const running = new Running({
    folder,
    http: `http://${address}:${port}`,
    ports: Object.fromEntries(server.control.about().listeners.map((one) => [one.name, one.port])),
    log: () => lines,
  })
  const all = parts.move()
  return Object.assign(running, { [Symbol.asyncDispose]: () => all.disposeAsync() })
}

function listLog(lines: LogLine[]): Log {
  const add = (fields: object, message: string) => void lines.push({ ...fields, message })
  return { debug: add, info: add, warn: add, error: add, child: () => listLog(lines) }
}
