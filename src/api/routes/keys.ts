import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RouteContext } from '../app.ts'
import { notFound } from '../problem.ts'

const BITS = [1024, 2048, 3072, 4096] as const

const newKey = z.strictObject({
  algorithm: z.enum(['rsa-sha256', 'ed25519-sha256']).default('rsa-sha256'),
  bits: z.literal(BITS).optional(),
  selector: z.string().min(1).max(200).optional(),
  flags: z
    .array(z.enum(['y', 's']))
    .max(2)
    .default([]),
  import_pem: z.string().max(20_000).optional(),
})

const rotation = z.strictObject({ bits: z.literal(BITS).optional() })
const retirement = z.strictObject({ at_once: z.boolean().default(false) })

type ByDomain = { Params: { domain: string } }
type ByKey = { Params: { domain: string; selector: string } }

/** The signing keys of a domain; `rotation` is a thing that can be begun, looked at and given up. */
export function keyRoutes(app: FastifyInstance, { control, guard }: RouteContext): void {
  const keysOrNone = <T>(keys: T | undefined, domain: string): { keys: T } => {
    if (keys === undefined) throw notFound('domain', domain)
    return { keys }
  }

  app.get('/api/v1/keys', async (request) => {
    guard.admin(request)
    return { keys: (await control.keys()) ?? [] }
  })

  app.get<ByDomain>('/api/v1/domains/:domain/keys', async (request) => {
    guard.admin(request)
    const { domain } = request.params
    return keysOrNone(await control.keys(domain), domain)
  })

  app.post<ByDomain>('/api/v1/domains/:domain/keys', async (request, reply) => {
    guard.admin(request)
    const { domain } = request.params
    const { import_pem, selector, bits, ...wanted } = newKey.parse(request.body)
    const made = await control.addKey(domain, {
      ...wanted,
      ...(bits === undefined ? {} : { bits }),
      ...(selector === undefined ? {} : { selector }),
      ...(import_pem === undefined ? {} : { importPem: import_pem }),
    })
    if (!made) throw notFound('domain', domain)
    reply.code(201)
    return made
  })

  app.post<ByDomain>('/api/v1/domains/:domain/rotation', async (request) => {
    guard.admin(request)
    const { domain } = request.params
    const { bits } = rotation.parse(request.body ?? {})
    return keysOrNone(await control.rotateKeys(domain, bits ? { bits } : {}), domain)
  })

  app.post<ByDomain>('/api/v1/domains/:domain/rotation/check', async (request) => {
    guard.admin(request)
    const { domain } = request.params
    return keysOrNone(await control.checkKeys(domain), domain)
  })

  app.delete<ByDomain>('/api/v1/domains/:domain/rotation', async (request) => {
    guard.admin(request)
    const { domain } = request.params
    return keysOrNone(await control.abortRotation(domain), domain)
  })

  app.post<ByKey>('/api/v1/domains/:domain/keys/:selector/retire', async (request) => {
    guard.admin(request)
    const { domain, selector } = request.params
    const { at_once } = retirement.parse(request.body ?? {})
    const key = await control.retireKey(domain, selector, { atOnce: at_once })
    if (!key) throw notFound('key', `${selector}._domainkey.${domain}`)
    return key
  })

  app.post<ByKey>('/api/v1/domains/:domain/keys/:selector/export', async (request) => {
    guard.admin(request)
    const { domain, selector } = request.params
    const found = await control.exportKey(domain, selector)
    if (!found) throw notFound('key', `${selector}._domainkey.${domain}`)
    return found
  })
}
