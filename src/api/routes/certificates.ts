import type { FastifyInstance } from 'fastify'
import type { RouteContext } from '../app.ts'
import { notFound } from '../problem.ts'

export function certificateRoutes(app: FastifyInstance, { control, guard }: RouteContext): void {
  // Public, as every root is: clients that are to trust our certificates fetch it.
  app.get('/ca.pem', async (_request, reply) => {
    const root = await control.rootCertificate()
    if (root === undefined) throw notFound('root certificate', 'ca.pem')
    reply.type('application/x-pem-file')
    reply.header('content-disposition', 'attachment; filename="posthorn-ca.pem"')
    return reply.send(root)
  })

  app.get<{ Params: { token: string } }>(
    '/.well-known/acme-challenge/:token',
    async (request, reply) => {
      const text = control.acmeAnswer(request.params.token)
      if (text === undefined) throw notFound('challenge', request.params.token)
      reply.type('text/plain')
      return reply.send(text)
    },
  )

  app.get('/api/v1/certificates', async (request) => {
    guard.admin(request)
    return { certificates: await control.certificates() }
  })

  app.post('/api/v1/certificates/renew', async (request) => {
    guard.admin(request)
    return { certificates: await control.renewCertificates() }
  })

  app.post('/api/v1/certificates/root', async (request) => {
    guard.admin(request)
    return { pem: await control.rootCertificate({ make: true }) }
  })
}
