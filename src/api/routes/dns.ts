import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { formatZone } from '../../doctor/zone.ts'
import type { RouteContext } from '../app.ts'
import { type DnsQuery, RECORD_GROUPS } from '../dns.ts'
import { languageOf } from '../page.ts'
import { notFound } from '../problem.ts'

const flag = z.enum(['true', 'false']).transform((word) => word === 'true')
const address = z.url({ protocol: /^https$/ }).max(500)
const group = z.enum(RECORD_GROUPS)

const planQuery = z.strictObject({
  format: z.enum(['json', 'bind']).default('json'),
  offline: flag.optional(),
  return_path: flag.optional(),
  mta_sts: flag.optional(),
  tls_rpt: flag.optional(),
  bimi_logo: address.optional(),
  bimi_evidence: address.optional(),
  flatten: flag.optional(),
  prune: flag.optional(),
  only: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(group))
    .optional(),
})

const LONGEST_WAIT_MS = 80_000

const publication = z.strictObject({
  return_path: z.boolean().optional(),
  mta_sts: z.boolean().optional(),
  tls_rpt: z.boolean().optional(),
  bimi_logo: address.optional(),
  bimi_evidence: address.optional(),
  flatten: z.boolean().optional(),
  prune: z.boolean().optional(),
  only: z.array(group).optional(),
  digest: z.string().max(100).optional(),
  wait_ms: z.int().min(0).max(LONGEST_WAIT_MS).optional(),
})

type Asked = Omit<z.output<typeof planQuery>, 'format'> | z.output<typeof publication>

function queryOf(asked: Asked): DnsQuery {
  const { return_path, mta_sts, tls_rpt, bimi_logo, bimi_evidence, flatten, prune, only } = asked
  return {
    ...('offline' in asked && asked.offline && { offline: true }),
    ...(return_path && { returnPath: true }),
    ...(mta_sts && { mtaSts: true }),
    ...(tls_rpt && { tlsRpt: true }),
    ...(bimi_logo && { bimiLogo: bimi_logo }),
    ...(bimi_evidence && { bimiEvidence: bimi_evidence }),
    ...(flatten && { flatten }),
    ...(prune && { prune }),
    ...(only && { only }),
  }
}

type ByName = { Params: { domain: string } }

export function dnsRoutes(app: FastifyInstance, { control, guard }: RouteContext): void {
  app.get<ByName>('/api/v1/domains/:domain/dns', async (request, reply) => {
    guard.admin(request)
    const { format, ...query } = planQuery.parse(request.query)
    const plan = await control.dnsPlan(request.params.domain, queryOf(query))
    if (!plan) throw notFound('domain', request.params.domain)
    if (format === 'json') return plan
    reply.type('text/plain; charset=utf-8')
    return reply.send(formatZone(plan.records, languageOf(request.headers['accept-language'])))
  })

  app.post<ByName>('/api/v1/domains/:domain/dns', async (request) => {
    guard.admin(request)
    const { digest, wait_ms, ...query } = publication.parse(request.body ?? {})
    const made = await control.publishDns(request.params.domain, {
      query: queryOf(query),
      ...(digest !== undefined && { digest }),
      ...(wait_ms !== undefined && { waitMs: wait_ms }),
    })
    if (!made) throw notFound('domain', request.params.domain)
    return made
  })
}
