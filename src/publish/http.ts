// One call of a provider's API: with a limit of time and size, and every "no" in words.

import type { Clock } from '../std/clock.ts'
import { responseText } from '../std/response-text.ts'
import { PublishFault } from './publisher.ts'

export type ApiSettings = {
  /** Without a slash at its end. */
  readonly base: string
  readonly clock: Clock
}

export type ApiCall = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Behind the base, with its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal | undefined
}

export type ApiAnswer = { readonly status: number; readonly text: string }

const TIMEOUT_MS = 20_000
const MOST_OCTETS = 8 * 1024 * 1024

/** Rejects with UNREACHABLE when no whole answer came; any status is an answer. */
export async function callApi({ base, clock }: ApiSettings, call: ApiCall): Promise<ApiAnswer> {
  const giveUp = new AbortController()
  const timer = clock.after(TIMEOUT_MS, () => giveUp.abort(new Error('no answer in time')))
  const signals = call.signal ? [giveUp.signal, call.signal] : [giveUp.signal]
  try {
    const response = await fetch(base + call.path, {
      method: call.method,
      headers: { 'user-agent': 'posthorn', ...call.headers },
      redirect: 'error', // our secret goes to nobody else
      signal: AbortSignal.any(signals),
      ...(call.body === undefined ? {} : { body: call.body }),
    })
    return { status: response.status, text: await responseText(response, MOST_OCTETS) }
  } catch (error) {
    throw new PublishFault('UNREACHABLE', `${hostOf(base)}: ${reasonOf(error)}`)
  } finally {
    timer.cancel()
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException }
  return cause?.code ?? cause?.message ?? message
}

export function hostOf(base: string): string {
  return URL.canParse(base) ? new URL(base).host : base
}

/** The fault for an answer that is no success; `says` is the API's own explanation. */
export function refusal(base: string, { status }: ApiAnswer, says: string): PublishFault {
  const code = status === 401 || status === 403 ? 'UNAUTHORIZED' : 'REFUSED'
  const hint = code === 'UNAUTHORIZED' ? ' (may these credentials edit the zone?)' : ''
  const why = says === '' ? `status ${status}` : `${says.slice(0, 300)} (status ${status})`
  return new PublishFault(code, `${hostOf(base)}: ${why}${hint}`)
}

/** A JSON API with a bearer token, as three of the four have. */
export type JsonApi = {
  /** The answer's JSON; undefined for 404. Rejects with a PublishFault for every other "no". */
  call<T>(
    method: ApiCall['method'],
    path: string,
    options?: { readonly body?: unknown; readonly signal?: AbortSignal | undefined },
  ): Promise<T | undefined>
}

/** @param explain finds the API's words in the JSON of a "no" */
export function jsonApi(
  settings: ApiSettings,
  { token, explain }: { readonly token: string; explain(answer: unknown): string | undefined },
): JsonApi {
  return {
    async call<T>(
      method: ApiCall['method'],
      path: string,
      { body, signal }: { readonly body?: unknown; readonly signal?: AbortSignal | undefined } = {},
    ) {
      const answer = await callApi(settings, {
        method,
        path,
        signal,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const value = parse(answer.text)
      if (answer.status === 404) return undefined
      if (answer.status < 200 || answer.status > 299)
        throw refusal(settings.base, answer, explain(value) ?? '')
      if (answer.text !== '' && value === undefined)
        throw new PublishFault('REFUSED', `${hostOf(settings.base)} answered no JSON`)
      return value as T
    },
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
