// How commands reach the server: over HTTP when it runs, else the same application in this process.
// One code path for both, so that what works with a server works without.

import { randomBytes } from 'node:crypto'
import { access } from 'node:fs/promises'
import { fromWire } from '../api/json.ts'
import { readToken, tokenFile } from '../api/token.ts'
import type { Config } from '../config/schema.ts'
import type { Context } from './context.ts'
import { openLog } from './log.ts'
import { baseUrl, readRunning } from './running.ts'
import { CliFault, EXIT } from './world.ts'

export type Method = 'GET' | 'POST' | 'DELETE'

export type Client = AsyncDisposable & {
  /** Where the running server is; absent when there is none. */
  readonly base?: string
  /** The answer with names and times as in Control; throws a CliFault for a problem. */
  call<T>(method: Method, path: string, body?: unknown): Promise<T>
  /** The answer as it came, for --json. */
  raw(method: Method, path: string, body?: unknown): Promise<unknown>
}

/** An API problem, in words; `code` is the API's. */
export class ApiFault extends CliFault {
  readonly code: string
  constructor(code: string, text: string) {
    super(text)
    this.code = code
  }
}

type Answer = { readonly status: number; readonly text: string }
type Send = (method: Method, path: string, body: unknown) => Promise<Answer>

const PROBE_MS = 3000
const REQUEST_MS = 90_000

/**
 * Finds the server of the configured data folder.
 * @param options.server the command makes no sense without a running one
 * @param options.create a data folder may be made when there is none
 */
export async function connect(
  context: Context,
  options: { readonly server?: boolean; readonly create?: boolean } = {},
): Promise<Client> {
  const config = context.config()
  const { texts, world } = context
  const token = await tokenOf(config, context)
  const bases = await candidates(config)
  for (const base of token === undefined ? [] : bases) {
    const send = overHttp(base, token!)
    if (await answers(send)) return makeClient(context, send, { base })
  }
  if (options.server) {
    throw new CliFault(texts.faults.notRunning(bases[0]!, world.program), EXIT.unreachable)
  }
  if (!options.create && !(await exists(config.data))) {
    throw new CliFault(texts.faults.noData(config.data), EXIT.unreachable)
  }
  return inProcess(context, config, bases[0]!)
}

async function tokenOf(config: Config, { texts }: Context): Promise<string | undefined> {
  try {
    return await readToken(config.data)
  } catch {
    throw new CliFault(texts.faults.tokenUnreadable(tokenFile(config.data)))
  }
}

async function candidates(config: Config): Promise<string[]> {
  const noted = await readRunning(config.data)
  const configured = baseUrl(config.http.address, config.http.port)
  return [...new Set(noted === undefined ? [configured] : [noted, configured])]
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** Ours is the one that knows our token. */
async function answers(send: (...args: Parameters<Send>) => Promise<Answer>): Promise<boolean> {
  try {
    return (await send('GET', '/api/v1/about', undefined)).status === 200
  } catch {
    return false
  }
}

function overHttp(base: string, token: string): Send {
  return async (method, path, body) => {
    const response = await fetch(base + path, {
      method,
      headers: headers(token, body),
      redirect: 'error',
      signal: AbortSignal.timeout(path === '/api/v1/about' ? PROBE_MS : REQUEST_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, text: await response.text() }
  }
}

function headers(token: string, body: unknown): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
}

async function inProcess(context: Context, config: Config, base: string): Promise<Client> {
  const { world, texts } = context
  const log = openLog(world, { format: 'plain', level: 'error' })
  const engine = await world.engine()
  const control = await engine.openControl(config, { log, clock: world.clock }).catch((error) => {
    if ((error as Error).name !== 'FolderLocked') throw error
    throw new CliFault(texts.faults.lockedButSilent(config.data, base), EXIT.unreachable)
  })
  const token = randomBytes(32).toString('base64url')
  // Loaded only here: most commands find a server, and should start as fast as they can.
  const { makeApp } = await import('../api/app.ts')
  const app = makeApp(control, { token, hosts: [], clock: world.clock, log })
  const send: Send = async (method, path, body) => {
    const answer = await app.inject({
      method,
      url: path,
      headers: { ...headers(token, body), host: 'localhost' },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    })
    return { status: answer.statusCode, text: answer.body }
  }
  return makeClient(context, send, {
    async close() {
      await app.close()
      await control[Symbol.asyncDispose]()
      await log[Symbol.asyncDispose]()
    },
  })
}

function makeClient(
  context: Context,
  send: Send,
  options: { readonly base?: string; readonly close?: () => Promise<void> },
): Client {
  const { texts } = context
  const raw = async (method: Method, path: string, body?: unknown): Promise<unknown> => {
    const answer = await send(method, path, body).catch((error: Error) => {
      throw new CliFault(texts.faults.unexpected(error.message), EXIT.unreachable)
    })
    const parsed: unknown = answer.text === '' ? undefined : parse(answer.text)
    if (answer.status < 400) return parsed
    const problem = (parsed ?? {}) as { code?: string; detail?: string }
    const code = problem.code ?? String(answer.status)
    const known = Object.hasOwn(texts.faults.codes, code) ? texts.faults.codes[code] : undefined
    throw new ApiFault(code, known ?? problem.detail ?? code)
  }
  return {
    ...(options.base === undefined ? {} : { base: options.base }),
    raw,
    call: async <T>(method: Method, path: string, body?: unknown) =>
      fromWire<T>(await raw(method, path, body)),
    [Symbol.asyncDispose]: async () => options.close?.(),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
