// The bench that the torments share: a Posthorn process over a data folder, the counting sink as its
// relayhost, the load generator, and the account of what was promised against what arrived.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Job } from '../../bench/load.ts'
import { Sink } from '../../bench/run.ts'
import { end, greeted, sleep } from '../../bench/wait.ts'

const main = join(import.meta.dirname, '../../src/main.ts')

export type Rig = {
  readonly folder: string
  readonly port: number
  readonly sinkPort: number
}

export type ServerOptions = {
  /** Put before node: `strace -f …`, `faketime …`. */
  readonly before?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Further lines of the configuration file. */
  readonly settings?: string
  /** The data folder, when it is not below the rig's own. */
  readonly data?: string
}

export type Server = {
  readonly process: ChildProcess
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>
  /** SIGTERM, and wait; resolves to the exit code. */
  stop(graceMs?: number): Promise<number | null>
  log(): string
}

/** Starts Posthorn, live for sender.example, relaying to the rig's sink; resolves when it greets. */
export async function startServer(rig: Rig, options: ServerOptions = {}): Promise<Server> {
  mkdirSync(rig.folder, { recursive: true })
  const config = join(rig.folder, 'posthorn.yaml')
  writeFileSync(
    config,
    `mode: live
hostname: mail.sender.example
data: ${options.data ?? join(rig.folder, 'data')}
http: { port: ${rig.port + 1} }
smtp: { port: ${rig.port} }
log: { format: json }
domains: { sender.example: { mode: live } }
relayhost: { host: 127.0.0.1, port: ${rig.sinkPort}, tls: none }
retry: { first: 1s, longest: 2s }
${options.settings ?? ''}
`,
  )
  const logFile = join(rig.folder, 'posthorn.log')
  const log = openSync(logFile, 'a')
  const command = [...(options.before ?? []), process.execPath, main, 'serve', '--config', config]
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.environment },
    cwd: rig.folder,
  })
  closeSync(log)
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await Promise.race([
    greeted(rig.port),
    gone.then(() => {
      throw new Error(`the server ended:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
    }),
  ])
  return {
    process: child,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
    async stop(graceMs) {
      await end(child, graceMs)
      return child.exitCode
    },
    log: () => readFileSync(logFile, 'utf8'),
  }
}

/** A job that tells the numbers of what was acknowledged. */
export function job(rig: Rig, options: Partial<Job>): Job {
  return {
    port: rig.port,
    sessions: 20,
    messages: 1_000_000,
    bytes: 5000,
    keep: true,
    starttls: false,
    domains: 5,
    firstNumber: 1,
    forMs: 2000,
    numbers: true,
    ...options,
  }
}

export type Account = {
  readonly acknowledged: number
  readonly arrived: number
  /** Acknowledged and never arrived: must be 0. */
  readonly lost: readonly number[]
  /** Arrivals beyond the first. */
  readonly duplicates: number
  readonly unsigned: number
}

/** What the sink has seen, by number. */
export async function arrivals(sink: Sink): Promise<Map<number, number>> {
  const { numbers } = await sink.ask<{ numbers: [number, number][] }>('numbers')
  return new Map(numbers)
}

/** Waits until everything acknowledged has arrived or `seconds` passed without a new arrival. */
export async function settleAccount(
  sink: Sink,
  acknowledged: readonly number[],
  seconds = 30,
): Promise<Account> {
  let before = -1
  for (let quiet = 0; quiet < seconds * 5; quiet++) {
    const state = await sink.ask('count')
    if (state.distinct >= acknowledged.length) {
      const seen = await arrivals(sink)
      if (acknowledged.every((number) => seen.has(number))) break
    }
    if (state.count !== before) quiet = 0
    before = state.count
    await sleep(200)
  }
  const seen = await arrivals(sink)
  const state = await sink.ask('count')
  let duplicates = 0
  for (const times of seen.values()) duplicates += times - 1
  return {
    acknowledged: acknowledged.length,
    arrived: state.count,
    lost: acknowledged.filter((number) => !seen.has(number)),
    duplicates,
    unsigned: state.count - state.signed,
  }
}

export const startSink = (rig: Rig, options: readonly string[] = []): Promise<Sink> =>
  Sink.start(rig.sinkPort, ['--numbers', ...options])
