// Programs that other people wrote, run as their users run them; ports and folders for them.

import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve as resolvePath } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** Debian's own, which has its mail modules; others on the path may not. */
export const PYTHON = '/usr/bin/python3'

const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^POSTHORN_/.test(name))),
  PATH: [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter),
  LC_ALL: 'C.UTF-8',
  PYTHONDONTWRITEBYTECODE: '1',
}

export type Ran = { readonly code: number; readonly out: string; readonly err: string }

export type RunOptions = {
  readonly input?: string | Buffer
  readonly environment?: Readonly<Record<string, string>>
  readonly folder?: string
  readonly seconds?: number
}

/** Runs a program to its end. Only one that cannot be started, or does not end, rejects. */
export function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const settings = {
      cwd: options.folder ?? tmpdir(),
      env: { ...environment, ...options.environment },
      timeout: (options.seconds ?? 60) * 1_000,
      maxBuffer: 64 * 2 ** 20,
    }
    const child = execFile(program, args, settings, (error, out, err) => {
      if (!error) resolve({ code: 0, out, err })
      else if (typeof error.code === 'number') resolve({ code: error.code, out, err })
      else reject(new Error(`${program}: ${error.message}\n${out}${err}`))
    })
    child.stdin!.on('error', () => {})
    child.stdin!.end(options.input ?? '')
  })
}

/** The reason to skip, or false: `{ skip: missing('swaks') }`. */
export function missing(...programs: readonly string[]): string | false {
  const folders = environment.PATH.split(delimiter)
  const absent = programs.filter(
    (program) => !folders.some((folder) => existsSync(resolvePath(folder, program))),
  )
  return absent.length > 0 && `needs ${absent.join(' and ')}`
}

/** The same for modules of Python. */
export function missingModule(...names: readonly string[]): string | false {
  const absent = names.filter((name) => {
    const found = spawnSync(PYTHON, ['-c', `import ${name}`], { stdio: 'ignore', env: environment })
    return found.status !== 0
  })
  return absent.length > 0 && `needs ${PYTHON} with ${absent.join(' and ')}`
}

/** A folder that is gone when the scope ends. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'posthorn-test-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

const tried = new Set<number>()

/** For programs that cannot take port 0: below the range from which the system gives ports out. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (!tried.has(port) && (await canListen(port))) {
      tried.add(port)
      return port
    }
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

/** Waits until something takes connections on a port. */
export async function opened(port: number, seconds = 30, address = '127.0.0.1'): Promise<void> {
  await until(() => connects(port, address), `port ${port} opens`, seconds)
}

function connects(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Asks until the answer is not false or undefined, and gives it. Throws after so many seconds. */
export async function until<T>(
  ask: () => T | Promise<T>,
  what: string,
  seconds = 30,
): Promise<Exclude<T, undefined | false>> {
  for (let tries = seconds * 20; tries > 0; tries--) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>
    await pause(50)
  }
  throw new Error(`waited ${seconds} s in vain until ${what}`)
}
