// Who may call. A page in somebody's browser can reach our loopback port, so every request must be
// addressed to a name that is ours (a rebound DNS name is not), and must not come from another
// site's page. What changes something, or shows more than the sandbox, needs the admin token.

import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { Problem } from './problem.ts'

export type Guard = {
  /** Throws a Problem unless the request is addressed to us and not sent by a foreign page. */
  admit(request: FastifyRequest): void
  /** Throws a Problem unless the request carries the admin token. */
  admin(request: FastifyRequest): void
  /** Open on this machine, else as admin. */
  local(request: FastifyRequest): void
}

/** @param names host names of ours, besides localhost and IP addresses */
export function makeGuard(token: string, names: readonly string[]): Guard {
  const ours = new Set(['localhost', ...names.map((name) => name.toLowerCase())])
  const expected = digest(token)

  const admin = (request: FastifyRequest): void => {
    const [, given] =
      /^Bearer ([\x21-\x7e]{1,256})$/i.exec(request.headers.authorization ?? '') ?? []
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return
    throw new Problem(
      401,
      'TOKEN_NEEDED',
      'This needs "Authorization: Bearer …" with the text of the file admin-token in the data folder.',
    )
  }

  return {
    admit(request) {
      const host = hostOf(request.headers.host)
      if (host === undefined || !(isIP(host) || ours.has(host) || host.endsWith('.localhost'))) {
        throw new Problem(
          421,
          'HOST_NOT_ALLOWED',
          'The Host header is not a name of this server. Use localhost or an IP address, or list the name in http.hosts.',
        )
      }
      refuseForeignPages(request)
    },
    admin,
    local(request) {
      const host = hostOf(request.headers.host) ?? ''
      const forwarded = 'x-forwarded-for' in request.headers || 'forwarded' in request.headers
      if (isLoopback(request.ip) && isLoopback(host) && !forwarded) return
      admin(request)
    },
  }
}

function refuseForeignPages(request: FastifyRequest): void {
  const { origin, host } = request.headers
  const site = request.headers['sec-fetch-site']
  const opened =
    request.method === 'GET' &&
    request.headers['sec-fetch-mode'] === 'navigate' &&
    request.headers['sec-fetch-dest'] === 'document'
  const foreignOrigin =
    origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none' && !opened
  if (foreignOrigin || foreignSite) {
    throw new Problem(403, 'CROSS_ORIGIN', 'Pages of other sites may not call this API.')
  }
}

/** The name or address in a Host header, in lower case, without port and brackets. */
export function hostOf(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+?))\.?(?::\d{1,5})?$/i.exec(header ?? '')
  return match ? (match[1] ?? match[2])?.toLowerCase() : undefined
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(host)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
