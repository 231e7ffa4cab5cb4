// One measurement: a server, a load, the sink; rates, CPU of the server's process tree, latencies.

import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Job, JobResult } from './load.ts'
import type { Peer, PeerKind } from './peers/peer.ts'
import { cpuMs, memoryMiB } from './processes.ts'
import { end, sleep } from './wait.ts'

export type Load = {
  readonly bytes: number
  readonly sessions: number
  readonly keep: boolean
  readonly starttls: boolean
  readonly domains: number
  /** How late the sink answers. */
  readonly sinkDelayMs?: number
  /** How much longer every sync of the server takes. */
  readonly syncDelayMs?: number
}

export type Measurement = {
  readonly peer: string
  readonly load: Load
  /** Messages a second, from the first command to the last arrival at the sink. */
  readonly rate: number
  readonly cpuMsPerMessage: number
  readonly memoryMiB: number
  readonly p50: number
  readonly p99: number
  readonly accepted: number
  readonly arrived: number
  readonly signed: number
  readonly refused: number
  readonly loadCpuMsPerMessage: number
  readonly sinkCpuMsPerMessage: number
}

export type Secrets = { certificate: string; key: string; dkimKey: string }

/** A certificate for STARTTLS and an RSA-2048 key for signing, made for this run. */
export function makeSecrets(folder: string): Secrets {
  const at = (name: string) => join(folder, name)
  // Signed by an authority of its own: nobody offers STARTTLS on loopback with a self-signed one.
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const ca = ['-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=bench', '-days', '30']
  const leaf = ['-keyout', at('tls.key'), '-out', at('tls.csr'), '-subj', '/CN=localhost']
  const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '30']
  openssl('req', '-x509', ...curve, ...ca)
  openssl('req', ...curve, ...leaf)
  openssl('x509', '-req', '-in', at('tls.csr'), '-out', at('tls.pem'), ...signed)
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(at('dkim.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  return { certificate: at('tls.pem'), key: at('tls.key'), dkimKey: at('dkim.pem') }
}

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })

type SinkState = { count: number; signed: number; lastAt: number; cpuMs: number; distinct: number }

export class Sink {
  #child: ChildProcess
  readonly port: number

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(port: number, options: readonly string[] = []): Promise<Sink> {
    const child = fork(join(import.meta.dirname, 'sink.ts'), ['--port', `${port}`, ...options])
    await message(child)
    return new Sink(child, port)
  }

  ask<T = SinkState>(what: 'count' | 'reset' | 'numbers'): Promise<T> {
    const answer = message<T>(this.#child)
    this.#child.send({ ask: what })
    return answer
  }

  stop(): Promise<void> {
    return end(this.#child, 1000)
  }
}

function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('a process of the bench ended early'))
    child.once('exit', gone)
    child.once('message', (value) => {
      child.off('exit', gone)
      resolve(value as T)
    })
  })
}

/** Runs one job in a generator process of its own. */
export async function generate(job: Job): Promise<JobResult> {
  const child = fork(join(import.meta.dirname, 'load.ts'))
  await message(child)
  const result = message<JobResult>(child)
  child.send(job)
  const guard = setTimeout(() => child.kill(), LONGEST_JOB_MS)
  try {
    return await result
  } finally {
    clearTimeout(guard)
    child.disconnect()
  }
}

/** A job that takes longer has met a server that does not move. */
const LONGEST_JOB_MS = 300_000

/** More messages than any measurement sends. */
const MANY = 1_000_000
let nextNumber = 1

/**
 * Warms a running server up, its JIT too, with `kind.warmUp` messages or for twice as long as the
 * measurement itself takes, then measures it once for `ms`.
 */
export async function measure(
  peer: Peer,
  load: Load,
  options: { port: number; sink: Sink; ms: number; warmUp: number },
): Promise<Measurement> {
  const { port, sink, ms, warmUp } = options
  const job = { ...load, port, numbers: false }
  const warm = { messages: warmUp, forMs: 2 * ms, firstNumber: nextNumber }
  nextNumber += MANY
  await drained(sink, (await generate({ ...job, ...warm })).accepted)
  const before = await sink.ask('reset')
  const cpuBefore = cpuMs(peer.pids)
  const firstNumber = nextNumber
  nextNumber += MANY
  const result = await generate({ ...job, messages: MANY, forMs: ms, firstNumber })
  const memory = memoryMiB(peer.pids)
  const state = await drained(sink, result.accepted)
  const cpu = cpuMs(peer.pids) - cpuBefore
  const seconds = (Math.max(state.lastAt, result.endedAt) - result.startedAt) / 1000
  return {
    peer: peer.name,
    load,
    rate: state.count / seconds,
    cpuMsPerMessage: cpu / Math.max(1, state.count),
    memoryMiB: memory,
    p50: result.p50,
    p99: result.p99,
    accepted: result.accepted,
    arrived: state.count,
    signed: state.signed,
    refused: result.refused + result.broken,
    loadCpuMsPerMessage: result.cpuMs / Math.max(1, result.accepted),
    sinkCpuMsPerMessage: (state.cpuMs - before.cpuMs) / Math.max(1, state.count),
  }
}

/** Waits until the sink has `expected` messages; gives up when none came for 20 seconds. */
async function drained(sink: Sink, expected: number): Promise<SinkState> {
  let state = await sink.ask('count')
  for (let idle = 0; state.count < expected && idle < 400; idle++) {
    await sleep(50)
    const later = await sink.ask('count')
    if (later.count > state.count) idle = 0
    state = later
  }
  return state
}

/** Starts the kind in an own folder, runs `work`, stops it. */
export async function withPeer<T>(
  kind: PeerKind,
  options: Parameters<PeerKind['start']>[0],
  work: (peer: Peer) => Promise<T>,
): Promise<T> {
  const peer = await kind.start(options)
  try {
    return await work(peer)
  } finally {
    await peer.stop()
  }
}
