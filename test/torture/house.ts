// The whole program inside the torment's own process, where its time can run faster than ours: an
// hour of time-outs and retries passes in half a minute, and nothing of the program is replaced.
// Peers and names are on loopback. What must not be doubled or lost is told by where it arrives.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../bench/wait.ts'
import type { Control } from '../../src/api/control.ts'
import { loadConfig } from '../../src/config/load.ts'
import { startServer } from '../../src/server.ts'
import type { Clock, Timer } from '../../src/std/clock.ts'
import { silentLog } from '../../src/std/log.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { Caller } from './caller.ts'
import { makeFolder } from './stage.ts'

/** A turn of the event loop that takes longer than this was the machine's, not the program's. */
const LONGEST_TURN_MS = 10

type Waiting = { readonly at: number; readonly then: () => void }

/**
 * A clock on which `speed` seconds pass in one. Peers and program share one process, so while the
 * process has to wait for the machine no time passes on it: or minutes would pass for nothing.
 */
export class HastyClock implements Clock {
  readonly #speed: number
  readonly #wall = Date.now()
  readonly #waiting = new Set<Waiting>()
  readonly #timer: NodeJS.Timeout
  #real = performance.now()
  #elapsed = 0

  constructor(speed: number) {
    this.#speed = speed
    this.#timer = setInterval(() => this.#tick(), 2)
  }

  readonly elapsed = (): number => this.#elapsed
  readonly now = (): number => Math.round(this.#wall + this.#elapsed)

  readonly after = (ms: number, then: () => void): Timer => {
    const waiting = { at: this.#elapsed + Math.max(0, ms), then }
    this.#waiting.add(waiting)
    return { cancel: () => void this.#waiting.delete(waiting) }
  }

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = () => {
        timer.cancel()
        reject(signal?.reason)
      }
      const timer = this.after(ms, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      signal?.addEventListener('abort', abort, { once: true })
    })

  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const real = performance.now()
    this.#elapsed += Math.min(real - this.#real, LONGEST_TURN_MS) * this.#speed
    this.#real = real
    const due = [...this.#waiting].filter(({ at }) => at <= this.#elapsed)
    for (const waiting of due.sort((a, b) => a.at - b.at))
      if (this.#waiting.delete(waiting)) waiting.then()
  }
}

export type House = AsyncDisposable & {
  readonly control: Control
  readonly clock: Clock
  /** Of the listener that is named. */
  port(listener?: string): number
}

/** @param settings the configuration file, without data folder and ports */
export async function openHouse(settings: string, speed = 1): Promise<House> {
  const { folder, remove } = makeFolder('house')
  const file = join(folder, 'posthorn.yaml')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    file,
    `mode: live
hostname: mail.sender.example
data: ${join(folder, 'data')}
http: { port: 0 }
domains: { sender.example: { mode: live } }
${settings}
`,
  )
  const { config, faults } = loadConfig({
    file,
    environment: {},
    workingDirectory: folder,
    machineName: 'mail.sender.example',
  })
  if (!config) throw new Error(`a fault in the configuration: ${JSON.stringify(faults)}`)
  const clock = new HastyClock(speed)
  const server = await startServer(config, { clock, log: silentLog })
  const { control } = server
  return {
    control,
    clock,
    port: (listener = 'smtp') =>
      control.about().listeners.find(({ name }) => name === listener)?.port ?? 0,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      clock.close()
      remove()
    },
  }
}

/** Hands a message in; resolves to its id, or undefined when it was not taken. */
export async function post(
  house: House,
  { from, to }: { from: string; to: readonly string[] },
): Promise<string | undefined> {
  const caller = Caller.call({ port: house.port() })
  try {
    await caller.reply()
    await caller.ask('EHLO torment.example')
    await caller.ask(`MAIL FROM:<${from}>`)
    for (const recipient of to) await caller.ask(`RCPT TO:<${recipient}>`)
    if ((await caller.ask('DATA')) !== 354) return undefined
    caller.write(
      `From: <${from}>\r\nTo: <${to[0]}>\r\nSubject: a torment\r\n\r\nDear all,\r\nbear it.\r\n.\r\n`,
    )
    return /queued as (\w+)/.exec(await caller.reply())?.[1]
  } finally {
    caller.write('QUIT\r\n')
    caller.socket.end()
  }
}

/** Waits until nothing is queued; false when that takes longer than `seconds`. */
export async function emptied({ control }: House, seconds: number): Promise<boolean> {
  for (let tries = seconds * 20; tries > 0; tries--) {
    const { ready, held } = await control.queueCounts()
    if (ready + held === 0) return true
    await sleep(50)
  }
  return false
}

/** What the first attempt at each recipient came to, in the order of the report; '' when none was made. */
export async function firstResults({ control }: House, id: string): Promise<readonly string[]> {
  const message = await control.queued(id)
  return message?.attempts[0]?.results.map(({ result }) => result) ?? []
}

/** A peer that takes everything: for bounces, and as a place that must stay empty. */
export function friend(address: string, port: number): Promise<HostileServer> {
  return startHostileServer({ address, port })
}

/** How many messages a peer took for an address. */
export function copies(peer: HostileServer, address: string): number {
  return peer.messages.filter(({ to }) => to.some((one) => one.includes(`<${address}>`))).length
}
