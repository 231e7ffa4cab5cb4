import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RouteContext } from '../app.ts'

const address = z.string().max(500)

const question = z.strictObject({
  from: address,
  to: z.array(address).min(1).max(100),
  client: z.union([z.ipv4(), z.ipv6()]).optional(),
  credential: z.string().max(300).optional(),
})

export function policyRoutes(app: FastifyInstance, { control, guard }: RouteContext): void {
  app.post('/api/v1/policy/test', async (request) => {
    guard.admin(request)
    const { from, to, client, credential } = question.parse(request.body)
    return control.testPolicy({
      from,
      to,
      ...(client !== undefined && { client }),
      ...(credential !== undefined && { credential }),
    })
  })
}
