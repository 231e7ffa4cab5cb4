import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RouteContext } from '../app.ts'
import { notFound } from '../problem.ts'

const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(200).optional(),
  site: z.string().max(300).optional(),
  state: z.enum(['ready', 'held']).optional(),
})

const selection = z.union([
  z.strictObject({ site: z.string().min(1).max(300), held: z.literal(true).optional() }),
  z.strictObject({ all: z.literal(true), held: z.literal(true).optional() }),
])

type ById = { Params: { id: string } }

export function queueRoutes(app: FastifyInstance, { control, guard }: RouteContext): void {
  app.get('/api/v1/queue', async (request) => {
    guard.admin(request)
    const { limit, after, site, state } = listQuery.parse(request.query)
    const [page, counts] = await Promise.all([
      control.queue({
        limit,
        ...(after === undefined ? {} : { after }),
        ...(site === undefined ? {} : { site }),
        ...(state === undefined ? {} : { state }),
      }),
      control.queueCounts(),
    ])
    return { ...page, counts }
  })

  app.get<ById>('/api/v1/queue/:id', async (request) => {
    guard.admin(request)
    const message = await control.queued(request.params.id)
    if (!message) throw notFound('message', request.params.id)
    return message
  })

  app.post('/api/v1/queue/retry', async (request) => {
    guard.admin(request)
    const { held, ...which } = selection.parse(request.body)
    return { changed: await control.retry({ ...which, ...(held && { held }) }) }
  })

  app.post<ById>('/api/v1/queue/:id/retry', async (request) => {
    guard.admin(request)
    return { changed: await control.retry({ id: request.params.id }) }
  })

  app.post<ById>('/api/v1/queue/:id/cancel', async (request) => {
    guard.admin(request)
    return { changed: await control.cancel({ id: request.params.id }) }
  })
}
