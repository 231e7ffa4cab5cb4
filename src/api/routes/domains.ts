import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { formatZone } from '../../doctor/zone.ts'
import type { RouteContext } from '../app.ts'
import { languageOf } from '../page.ts'
import { notFound } from '../problem.ts'

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

const dnsQuery = z.strictObject({ format: z.enum(['json', 'bind']).default('json') })

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

  app.delete<ByName>('/api/v1/domains/:domain', async (request, reply) => {
    guard.admin(request)
    const removed = await control.removeDomain(request.params.domain)
    if (!removed) throw notFound('domain', request.params.domain)
    return reply.code(204).send()
  })

  app.get<ByName>('/api/v1/domains/:domain/dns', async (request, reply) => {
    guard.admin(request)
    const { format } = dnsQuery.parse(request.query)
    const plan = await control.dnsPlan(request.params.domain)
    if (!plan) throw notFound('domain', request.params.domain)
    if (format === 'json') return plan
    reply.type('text/plain; charset=utf-8')
    return reply.send(formatZone(plan.records, languageOf(request.headers['accept-language'])))
  })
}
