// The HTTP application over a Control. It does not listen: server.ts gives it a port, tests and
// the command line call inject().

import { type FastifyInstance, fastify } from 'fastify'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { Control } from './control.ts'
import { type Guard, makeGuard } from './guard.ts'
import { toWire } from './json.ts'
import { STYLE_HASH } from './page.ts'
import { notFound, problemOf, sendProblem } from './problem.ts'
import { certificateRoutes } from './routes/certificates.ts'
import { credentialRoutes } from './routes/credentials.ts'
import { dnsRoutes } from './routes/dns.ts'
import { doctorRoutes } from './routes/doctor.ts'
import { domainRoutes } from './routes/domains.ts'
import { healthRoutes } from './routes/health.ts'
import { keyRoutes } from './routes/keys.ts'
import { policyRoutes } from './routes/policy.ts'
import { queueRoutes } from './routes/queue.ts'
import { sandboxRoutes } from './routes/sandbox.ts'

export type AppOptions = {
  readonly token: string
  /** Our host names, besides localhost and IP addresses. */
  readonly hosts: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

export type RouteContext = {
  readonly control: Control
  readonly guard: Guard
  readonly clock: Clock
}

const BODY_BYTES = 64 * 1024
const REQUEST_TIMEOUT_MS = 30_000
const MOST_CONNECTIONS = 500

/** Makes the application; the caller closes it. */
export function makeApp(control: Control, options: AppOptions): FastifyInstance {
  const guard = makeGuard(options.token, options.hosts)
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: 120_000,
    keepAliveTimeout: 15_000,
    maxRequestsPerSocket: 10_000,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    routerOptions: { maxParamLength: 300 },
    http: { maxHeaderSize: 16 * 1024 },
  })
  app.server.maxConnections = MOST_CONNECTIONS
  app.removeContentTypeParser('text/plain')
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'content-security-policy': `default-src 'none'; style-src ${STYLE_HASH}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    })
    guard.admit(request)
  })
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error, options.log)
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="posthorn"')
    return sendProblem(problem, request, reply)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(notFound('page', request.url.split('?')[0]!.slice(0, 200)), request, reply),
  )
  app.addHook('preSerialization', async (_request, _reply, payload) => toWire(payload))
  const context: RouteContext = { control, guard, clock: options.clock }
  for (const routes of [
    healthRoutes,
    sandboxRoutes,
    policyRoutes,
    queueRoutes,
    domainRoutes,
    dnsRoutes,
    doctorRoutes,
    keyRoutes,
    credentialRoutes,
    certificateRoutes,
  ]) {
    routes(app, context)
  }
  return app
}
