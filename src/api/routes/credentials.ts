import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RouteContext } from '../app.ts'
import type { CredentialTerms } from '../credentials.ts'
import { notFound } from '../problem.ts'

/** SASLprep leaves these names as they are (RFC 4013), and a terminal shows them. */
const name = z.string().regex(/^[\w.@+-]{1,100}$/, 'letters, digits and . @ + - _, at most 100')
const texts = z.array(z.string().min(1).max(320)).max(1000)
const limit = z.number().int().min(1).max(1_000_000_000).nullable()

const termsShape = {
  domains: texts.optional(),
  addresses: texts.optional(),
  networks: texts.optional(),
  certificates: texts.optional(),
  per_minute: limit.optional(),
  per_hour: limit.optional(),
  per_day: limit.optional(),
  stream: z.enum(['transactional', 'broadcast']).nullable().optional(),
  priority: z.number().int().min(1).max(9).nullable().optional(),
}
const newTerms = z.strictObject(termsShape)
const newCredential = z.strictObject({
  name,
  ...termsShape,
  password: z.string().max(1000).optional(),
  certificate_only: z.boolean().default(false),
  cram_md5: z.boolean().default(false),
})
const fileOfCredentials = z.strictObject({
  text: z.string(),
  format: z.enum(['passwd', 'list']).default('passwd'),
  replace: z.boolean().default(false),
  terms: newTerms.default({}),
})

const LARGEST_FILE = 4 * 2 ** 20

type ByName = { Params: { name: string } }

export function credentialRoutes(app: FastifyInstance, { control, guard }: RouteContext): void {
  app.get('/api/v1/credentials', async (request) => {
    guard.admin(request)
    return { credentials: await control.credentials() }
  })

  app.post('/api/v1/credentials', async (request, reply) => {
    guard.admin(request)
    const { password, certificate_only, cram_md5, ...rest } = newCredential.parse(request.body)
    const made = await control.addCredential({
      name: rest.name,
      ...termsOf(rest),
      certificateOnly: certificate_only,
      cramMd5: cram_md5,
      ...(password !== undefined && { password }),
    })
    reply.code(201).header('location', `/api/v1/credentials/${rest.name}`)
    return made
  })

  app.post('/api/v1/credentials/import', { bodyLimit: LARGEST_FILE }, async (request) => {
    guard.admin(request)
    const { terms, ...file } = fileOfCredentials.parse(request.body)
    return control.importCredentials({ ...file, terms: termsOf(terms) })
  })

  app.get<ByName>('/api/v1/credentials/:name', async (request) => {
    guard.admin(request)
    return found(await control.credential(request.params.name), request.params.name)
  })

  app.post<ByName>('/api/v1/credentials/:name', async (request) => {
    guard.admin(request)
    const terms = termsOf(newTerms.parse(request.body))
    return found(await control.changeCredential(request.params.name, terms), request.params.name)
  })

  app.post<ByName>('/api/v1/credentials/:name/rotate', async (request) => {
    guard.admin(request)
    return found(await control.rotateCredential(request.params.name), request.params.name)
  })

  app.delete<ByName>('/api/v1/credentials/:name', async (request, reply) => {
    guard.admin(request)
    const revoked = await control.revokeCredential(request.params.name)
    if (!revoked) throw notFound('credential', request.params.name)
    return reply.code(204).send()
  })
}

function found<T>(one: T | undefined, asked: string): T {
  if (one === undefined) throw notFound('credential', asked)
  return one
}

/** What is named, and nothing else: a term that is absent is left as it is. */
function termsOf(terms: z.output<typeof newTerms>): Partial<CredentialTerms> {
  const { domains, addresses, networks, certificates, stream, priority } = terms
  const { per_minute: perMinute, per_hour: perHour, per_day: perDay } = terms
  const lists = { domains, addresses, networks, certificates }
  const named = { ...lists, stream, priority, perMinute, perHour, perDay }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
}
