import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RouteContext } from '../app.ts'
import { notFound } from '../problem.ts'

const newCredential = z.strictObject({
  /** SASLprep leaves these names as they are (RFC 4013), and a terminal shows them. */
  name: z.string().regex(/^[\w.@+-]{1,100}$/, 'letters, digits and . @ + - _, at most 100'),
  domains: z.array(z.string().min(1).max(300)).max(1000).default([]),
})

export function credentialRoutes(app: FastifyInstance, { control, guard }: RouteContext): void {
  app.get('/api/v1/credentials', async (request) => {
    guard.admin(request)
    return { credentials: await control.credentials() }
  })

  app.post('/api/v1/credentials', async (request, reply) => {
    guard.admin(request)
    reply.code(201)
    return control.addCredential(newCredential.parse(request.body))
  })

  app.delete<{ Params: { name: string } }>('/api/v1/credentials/:name', async (request, reply) => {
    guard.admin(request)
    const revoked = await control.revokeCredential(request.params.name)
    if (!revoked) throw notFound('credential', request.params.name)
    return reply.code(204).send()
  })
}
