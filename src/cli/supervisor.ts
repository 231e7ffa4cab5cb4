// What the one who started us may do for us: systemd opens sockets (sd_listen_fds(3)), waits until we
// are ready, and restarts us when we no longer turn (sd_notify(3)). Node has no datagram sockets of
// the local domain, so the words go through systemd's own program.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Config } from '../config/schema.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { Context } from './context.ts'
import { supervisorTexts } from './supervisor.texts.ts'
import { CliFault, EXIT } from './world.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Open sockets that we were started with, by the name of their listener: file descriptors. */
export type PassedSockets = ReadonlyMap<string, readonly number[]>

const FIRST_SOCKET = 3
const MANY_SOCKETS = 256

/** None when they were meant for another process, as LISTEN_PID says. */
export function passedSockets(environment: Environment, processId: number): PassedSockets {
  const sockets = new Map<string, number[]>()
  if (environment.LISTEN_PID !== String(processId)) return sockets
  const count = Math.min(Number(environment.LISTEN_FDS) || 0, MANY_SOCKETS)
  const names = (environment.LISTEN_FDNAMES ?? '').split(':')
  for (let index = 0; index < count; index++) {
    const name = names[index] || 'unknown'
    sockets.set(name, [...(sockets.get(name) ?? []), FIRST_SOCKET + index])
  }
  return sockets
}

/** A socket that no listener takes would leave its clients waiting forever: a CliFault names it. */
export function demandListeners(context: Context, config: Config, sockets: PassedSockets): void {
  const known = ['smtp', ...Object.keys(config.listeners)]
  const stray = [...sockets.keys()].find((name) => !known.includes(name))
  if (stray === undefined) return
  const says = supervisorTexts[context.language].strayingSocket(stray, known)
  throw new CliFault(says, EXIT.config)
}

const PROGRAM = 'systemd-notify'
const PATIENCE_MS = 10_000

/** Who waits for our words; does nothing where nobody does. */
export class Supervisor implements Disposable {
  readonly #environment: Environment
  readonly #clock: Clock
  readonly #log: Log
  readonly #over = new AbortController()

  constructor(environment: Environment, { clock, log }: { clock: Clock; log: Log }) {
    this.#environment = environment
    this.#clock = clock
    this.#log = log
  }

  /** Mail is taken. From now on we say regularly that the event loop turns. */
  async ready(processId: number): Promise<void> {
    await this.#say('READY=1')
    const { WATCHDOG_USEC, WATCHDOG_PID } = this.#environment
    const everyMs = Number(WATCHDOG_USEC) / 2_000
    const meant = WATCHDOG_PID === undefined || WATCHDOG_PID === String(processId)
    if (meant && everyMs > 0) void this.#beat(everyMs)
  }

  async stopping(): Promise<void> {
    this.#over.abort()
    await this.#say('STOPPING=1')
  }

  [Symbol.dispose](): void {
    this.#over.abort()
  }

  async #beat(everyMs: number): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      await this.#say('WATCHDOG=1')
      await this.#clock.sleep(everyMs, signal).catch(() => {})
    }
  }

  async #say(word: string): Promise<void> {
    const { NOTIFY_SOCKET, PATH } = this.#environment
    if (!NOTIFY_SOCKET) return
    const env = { NOTIFY_SOCKET, ...(PATH !== undefined && { PATH }) }
    await promisify(execFile)(PROGRAM, [word], { env, timeout: PATIENCE_MS }).catch((error) => {
      this.#log.warn({ err: error, word }, 'systemd could not be told')
    })
  }
}
