// Access tokens for a relay that wants XOAUTH2: kept until shortly before they end, renewed over HTTP
// with a refresh token (RFC 6749 §6). Whoever asks meanwhile waits for the same answer. What can go
// wrong is the provider: silence, a "no", nonsense; all are a TokenFault, and the mail waits.

import type { Clock } from '../std/clock.ts'
import { responseText } from '../std/response-text.ts'

export type TokenOptions = {
  readonly endpoint: string
  readonly clientId?: string
  readonly clientSecret?: string
  readonly refreshToken: string
  /** Tried first; nobody knows how long it still lives. */
  readonly accessToken?: string
}

export type TokenDeps = {
  readonly clock: Clock
  /** Keeps a refresh token that replaces the one before; must not throw. */
  keep(refreshToken: string): Promise<void>
}

/** Why there is no token, in words for the log. */
export class TokenFault extends Error {
  override readonly name = 'TokenFault'
}

const PATIENCE_MS = 20_000
/** A token that ends while it travels is of no use. */
const MARGIN_MS = 60_000
const USUAL_LIFE_S = 3_600
const LONGEST_ANSWER = 65_536

export class TokenSource {
  readonly #options: TokenOptions
  readonly #deps: TokenDeps
  #refreshToken: string
  #token: string | undefined
  /** In the clock's elapsed time; undefined: unknown. */
  #endsAt: number | undefined
  #running: Promise<string> | undefined

  constructor(options: TokenOptions, deps: TokenDeps) {
    this.#options = options
    this.#deps = deps
    this.#refreshToken = options.refreshToken
    this.#token = options.accessToken
  }

  /** A token that should be good. Rejects with TokenFault. */
  get(): Promise<string> {
    const ended = this.#endsAt !== undefined && this.#deps.clock.elapsed() >= this.#endsAt
    if (this.#token !== undefined && !ended) return Promise.resolve(this.#token)
    this.#running ??= this.#renew().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** The relay did not take it: the next one is a new one. */
  refused(token: string): void {
    if (this.#token === token) this.#token = undefined
  }

  async #renew(): Promise<string> {
    const { endpoint, clientId, clientSecret } = this.#options
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: this.#refreshToken,
      ...(clientId !== undefined && { client_id: clientId }),
      ...(clientSecret !== undefined && { client_secret: clientSecret }),
    })
    const answer = await ask(endpoint, body)
    const { access_token: token, expires_in: seconds, refresh_token: next } = answer
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
      throw new TokenFault(`${endpoint} gave no access token`)
    const life = Number(seconds) > 0 ? Number(seconds) : USUAL_LIFE_S
    this.#token = token
    this.#endsAt = this.#deps.clock.elapsed() + Math.max(life * 1000 - MARGIN_MS, MARGIN_MS)
    if (typeof next === 'string' && next !== '' && next !== this.#refreshToken) {
      this.#refreshToken = next
      await this.#deps.keep(next)
    }
    return token
  }
}

async function ask(endpoint: string, body: URLSearchParams): Promise<Record<string, unknown>> {
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      body,
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    const text = await responseText(response, LONGEST_ANSWER)
    if (!response.ok) throw new TokenFault(`${endpoint} answered ${response.status}${reason(text)}`)
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {}
  } catch (error) {
    if (error instanceof TokenFault) throw error
    const { message, cause } = error as Error
    const why = cause instanceof Error ? cause.message : message
    throw new TokenFault(`no token from ${endpoint}: ${why}`, { cause: error })
  }
}

/** RFC 6749 §5.2: `error`, such as invalid_grant. */
function reason(text: string): string {
  const [, code] = /"error"\s*:\s*"([a-z_]{1,60})"/.exec(text) ?? []
  return code === undefined ? '' : `: ${code}`
}
