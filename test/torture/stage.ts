// The stage of the torments that play in the open: a Posthorn process with a configuration of their
// own, its metrics, memory and open files, and a DNS in which every name is somewhere on loopback.

import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer } from 'dns-packet'
import { memoryMiB } from '../../bench/processes.ts'
import { end, greeted } from '../../bench/wait.ts'
import {
  type DnsQuery,
  type DnsReply,
  type ScriptedDns,
  scriptedDns,
} from '../support/dns-server.ts'

const main = join(import.meta.dirname, '../../bin/posthorn.js')

/** A folder of its own below the temporary one. */
export function makeFolder(name: string): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), `posthorn-${name}-`))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A free port below those that the system gives to clients. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    if ((await canListen(port)) && (await canListen(port + 1))) return port
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}

export type Posthorn = {
  readonly pid: number
  readonly port: number
  readonly httpPort: number
  readonly folder: string
  readonly config: string
  /** Milliseconds from the start of the process to its greeting. */
  readonly readyMs: number
  /** Proportional memory of the process, in MiB. */
  memory(): number
  openFiles(): number
  /** The sum over the labels of one metric; `quantile` picks one. */
  metric(name: string, percentile?: string): Promise<number>
  /** How late the event loop ran at worst since the last call of this, in milliseconds. */
  lag(percentile?: '50' | '99' | '100'): Promise<number>
  alive(): boolean
  log(): string
  /** SIGTERM, and after `graceMs` SIGKILL. */
  stop(graceMs?: number): Promise<void>
  kill(): Promise<void>
}

export type PosthornOptions = {
  readonly folder: string
  /** Lines of the configuration beside names, ports and folders. */
  readonly settings: string
  readonly port?: number
  readonly nodeFlags?: readonly string[]
  readonly readySeconds?: number
}

/** Those of `npm start`, or of TORTURE_NODE_FLAGS. */
export function usualFlags(): readonly string[] {
  const given = process.env['TORTURE_NODE_FLAGS']
  if (given !== undefined) return given.split(' ').filter(Boolean)
  const { scripts } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
  ) as { scripts: { start: string } }
  return scripts.start.split(' ').filter((word) => word.startsWith('--'))
}

/** Starts the program as an operator does; resolves when it greets. */
export async function startPosthorn(options: PosthornOptions): Promise<Posthorn> {
  const { folder, settings, nodeFlags = usualFlags() } = options
  const port = options.port ?? (await freePort())
  const httpPort = port + 1
  const config = join(folder, 'posthorn.yaml')
  writeFileSync(
    config,
    `mode: live
hostname: mail.sender.example
data: ${join(folder, 'data')}
http: { port: ${httpPort} }
smtp: { port: ${port} }
log: { format: json }
domains: { sender.example: { mode: live } }
${settings}
`,
  )
  const logFile = join(folder, 'posthorn.log')
  const log = openSync(logFile, 'a')
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...nodeFlags, main, 'serve', '--config', config], {
    stdio: ['ignore', log, log],
    cwd: folder,
  })
  closeSync(log)
  // Whatever becomes of us, it does not outlive us.
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      process.off('exit', kill)
      resolve()
    })
  })
  const tooSoon = gone.then(() => {
    throw new Error(`the server ended:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
  })
  tooSoon.catch(() => {})
  try {
    await Promise.race([greeted(port, options.readySeconds), tooSoon])
  } catch (error) {
    await end(child, 1_000)
    throw error
  }
  const readyMs = performance.now() - startedAt
  return { port, httpPort, folder, config, readyMs, ...viewOf(child, { httpPort, logFile, gone }) }
}

function viewOf(
  child: ChildProcess,
  { httpPort, logFile, gone }: { httpPort: number; logFile: string; gone: Promise<void> },
) {
  const pid = child.pid ?? 0
  const metric = async (name: string, percentile?: string) => {
    const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
    let sum = 0
    for (const line of text.split('\n')) {
      const [, found, labels = '', value] = /^(\w+)(\{[^}]*\})? (\S+)/.exec(line) ?? []
      if (found !== name) continue
      if (percentile === undefined || labels.includes(`"${percentile}"`)) sum += Number(value)
    }
    return sum
  }
  return {
    pid,
    metric,
    memory: () => memoryMiB([pid]),
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
    lag: async (percentile: '50' | '99' | '100' = '100') =>
      (await metric('posthorn_event_loop_lag_seconds', percentile)) * 1000,
    alive: () => child.exitCode === null && child.signalCode === null,
    log: () => readFileSync(logFile, 'utf8'),
    stop: (graceMs?: number) => end(child, graceMs),
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** Names on loopback: what `hosts` says, by the end of the name; `silent` and `fails` by what the world does. */
export type Names = {
  /** `recipient.example` → `127.0.0.1`: that name and all below it have this address and no MX. */
  readonly hosts: Readonly<Record<string, string>>
  /** Asked first; undefined leaves the question to `hosts`. */
  readonly script?: (query: DnsQuery) => DnsReply | undefined
}

export function nameServer({ hosts, script }: Names): Promise<ScriptedDns> {
  const ends = Object.entries(hosts)
  return scriptedDns((query) => {
    const scripted = script?.(query)
    if (scripted !== undefined) return scripted
    const { name, type } = query
    const found = ends.find(([end]) => name === end || name.endsWith(`.${end}`))
    if (!found) return { rcode: 3, authorities: [soa(name)] }
    if (type !== 'A') return { authorities: [soa(name)] }
    return { answers: [{ type: 'A', name, ttl: 300, class: 'IN', data: found[1] }] }
  })
}

/** What makes "there is none" believable. */
export function soa(name: string): Answer {
  return {
    type: 'SOA',
    name,
    class: 'IN',
    ttl: 300,
    data: {
      mname: 'ns.example',
      rname: 'hostmaster.example',
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86400,
      minimum: 300,
    },
  }
}

/** Settings for mail that goes out by DNS, to `port` of loopback addresses. */
export function direct(dns: ScriptedDns, port: number): string {
  return `dns: { servers: ['${dns.server.address}:${dns.server.port}'] }
delivery: { port: ${port}, allow_private_addresses: true }`
}

/** The value below which `share` of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
