import type { FastifyInstance } from 'fastify'
import type { RouteContext } from '../app.ts'
import { homePage, languageOf } from '../page.ts'

export function healthRoutes(app: FastifyInstance, { control, guard }: RouteContext): void {
  app.get('/', async (request, reply) => {
    const language = languageOf(request.headers['accept-language'])
    reply.type('text/html; charset=utf-8').header('vary', 'Accept-Language')
    reply.header('content-language', language)
    return homePage(control.about(), language)
  })

  // Alive: the event loop turns. What may be wrong beyond that is readiness, so that nobody
  // restarts a server for a full disk.
  app.get('/livez', async () => ({ status: 'ok' }))

  // Ready: mail is taken. When it does not get out, clients are still served, and the check says so.
  app.get('/readyz', async (_request, reply) => {
    const checks = await control.checks()
    const ready = checks.every((check) => check.ok || check.about === 'delivery')
    reply.code(ready ? 200 : 503)
    return { status: ready ? 'ok' : 'not ready', checks }
  })

  app.get('/metrics', async (_request, reply) => {
    reply.type('text/plain; version=0.0.4; charset=utf-8')
    return control.metrics()
  })

  app.get('/api/v1/about', async (request) => {
    guard.admin(request)
    return control.about()
  })
}
