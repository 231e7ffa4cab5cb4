import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RouteContext } from '../app.ts'
import { languageOf } from '../page.ts'
import { notFound } from '../problem.ts'
import { inWords } from '../words.ts'

const newDomain = z.strictObject({
  domain: z.string().min(1).max(300),
  world: z.enum(['live', 'sandbox']).default('sandbox'),
  ed25519: z.boolean().default(false),
  import_pem: z.string().max(20_000).optional(),
  selector: z.string().max(200).optional(),
  flags: z
    .array(z.enum(['y', 's']))
    .max(2)
    .default([]),
})

const goLive = z.strictObject({ force: z.boolean().default(false) })
const nothing = z.strictObject({})

type ByName = { Params: { domain: string } }

export function domainRoutes(app: FastifyInstance, { control, guard }: RouteContext): void {
  app.get('/api/v1/domains', async (request) => {
    guard.admin(request)
    return { domains: await control.domains() }
  })

  app.post('/api/v1/domains', async (request, reply) => {
    guard.admin(request)
    const { import_pem, selector, ...wanted } = newDomain.parse(request.body)
    const made = await control.addDomain({
      ...wanted,
      ...(import_pem === undefined ? {} : { importPem: import_pem }),
      ...(selector === undefined ? {} : { selector }),
    })
    reply.code(201).header('location', `/api/v1/domains/${made.domain}`)
    return made
  })

  app.post<ByName>('/api/v1/domains/:domain/live', async (request, reply) => {
    guard.admin(request)
    const { domain } = request.params
    const gone = await control.goLive(domain, goLive.parse(request.body ?? {}))
    if (!gone) throw notFound('domain', domain)
    const language = languageOf(request.headers['accept-language'])
    reply.header('vary', 'Accept-Language').header('content-language', language)
    return { ...gone, demands: inWords(gone.demands, language) }
  })

  app.post<ByName>('/api/v1/domains/:domain/sandbox', async (request) => {
    guard.admin(request)
    const { domain } = request.params
    nothing.parse(request.body ?? {})
    const gone = await control.goSandbox(domain)
    if (!gone) throw notFound('domain', domain)
    return gone
  })

  app.delete<ByName>('/api/v1/domains/:domain', async (request, reply) => {
    guard.admin(request)
    const removed = await control.removeDomain(request.params.domain)
    if (!removed) throw notFound('domain', request.params.domain)
    return reply.code(204).send()
  })
}
