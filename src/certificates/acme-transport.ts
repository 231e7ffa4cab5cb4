// HTTPS for the ACME client, instead of the one that it brings: bounded in time and size, ended by a
// signal, trusting one more root where the authority is private, and saying what went wrong.

import { type RequestOptions, request } from 'node:https'
import { getCACertificates } from 'node:tls'

export type AcmeAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly data: unknown
}

/** The authority asks us to wait (RFC 8555 §6.6), or is out of order. */
export class AcmeBusy extends Error {
  override readonly name = 'AcmeBusy'
  /** Milliseconds; 0 when it did not say. */
  readonly retryAfterMs: number

  constructor(text: string, retryAfterMs: number) {
    super(text)
    this.retryAfterMs = retryAfterMs
  }
}

export type AcmeTransport = (
  url: string,
  method: string,
  options?: { readonly headers?: Readonly<Record<string, string>>; readonly data?: unknown },
) => Promise<AcmeAnswer>

const IDLE_MS = 30_000
const LARGEST_OCTETS = 1_000_000
const LONGEST_WAIT_MS = 7 * 86_400_000

/** @param trust a PEM root beside the usual ones */
export function acmeTransport(options: {
  readonly signal: AbortSignal
  readonly userAgent: string
  readonly trust?: string
}): AcmeTransport {
  const { signal, userAgent, trust } = options
  const ca = trust === undefined ? {} : { ca: [...getCACertificates('default'), trust] }
  return async (url, method, { headers = {}, data } = {}) => {
    const body = data === undefined ? undefined : JSON.stringify(data)
    const sent = {
      'user-agent': userAgent,
      'content-type': 'application/jose+json',
      ...headers,
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
    }
    const settings = {
      method: method.toUpperCase(),
      headers: sent,
      signal,
      timeout: IDLE_MS,
      ...ca,
    }
    const answer = await exchange(url, settings, body)
    if (answer.status === 429 || answer.status === 503) throw busy(answer)
    return answer
  }
}

function exchange(url: string, settings: RequestOptions, body: string | undefined) {
  return new Promise<AcmeAnswer>((resolve, reject) => {
    if (!url.startsWith('https://')) return reject(new Error(`${url} is no https address`))
    const fail = (error: NodeJS.ErrnoException) =>
      reject(new Error(`${new URL(url).host}: ${error.code ?? error.message}`, { cause: error }))
    const asked = request(url, settings, (response) => {
      const chunks: Buffer[] = []
      let octets = 0
      response.on('data', (chunk: Buffer) => {
        octets += chunk.length
        if (octets > LARGEST_OCTETS) asked.destroy(new Error('the answer is too long'))
        else chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const headers = response.headers as Record<string, string | undefined>
        resolve({ status: response.statusCode ?? 0, headers, data: parsed(text, headers) })
      })
    })
    asked.on('error', fail)
    asked.on('timeout', () => asked.destroy(new Error(`silent for ${IDLE_MS / 1_000} seconds`)))
    asked.end(body)
  })
}

function parsed(text: string, headers: AcmeAnswer['headers']): unknown {
  if (!/^application\/(?:[\w.-]+\+)?json/.test(headers['content-type'] ?? '')) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function busy({ status, headers, data }: AcmeAnswer): AcmeBusy {
  const { detail } = (typeof data === 'object' && data !== null ? data : {}) as { detail?: unknown }
  const text = typeof detail === 'string' ? detail : `HTTP ${status}`
  // A date would need the authority's clock; Let's Encrypt and its like send seconds.
  const seconds = Number(headers['retry-after'])
  const waitMs = Number.isFinite(seconds) ? Math.min(seconds * 1_000, LONGEST_WAIT_MS) : 0
  return new AcmeBusy(text, Math.max(0, waitMs))
}
