import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { parseDuration } from '../../config/units.ts'
import type { Clock } from '../../std/clock.ts'
import type { RouteContext } from '../app.ts'
import type { Control, SandboxMessage } from '../control.ts'
import { notFound, Problem } from '../problem.ts'

const LONGEST_WAIT_MS = 60_000
const MOST_WAITING = 100

const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  before: z.string().max(100).optional(),
  after: z.string().max(100).optional(),
  wait: z
    .string()
    .transform((text, context) => {
      const ms = parseDuration(text)
      if (ms !== undefined && ms <= LONGEST_WAIT_MS) return ms
      context.issues.push({
        code: 'custom',
        input: text,
        message: 'a duration such as 5s, at most 60s',
      })
      return z.NEVER
    })
    .default(0),
})

type ListQuery = z.output<typeof listQuery>

export function sandboxRoutes(app: FastifyInstance, { control, guard, clock }: RouteContext): void {
  const waiting = new Set<() => void>()
  app.addHook('preClose', async () => {
    for (const wake of waiting) wake()
  })

  app.get('/api/v1/sandbox/messages', async (request, reply) => {
    guard.local(request)
    const query = listQuery.parse(request.query)
    const messages = await page(control, query)
    if (messages.length > 0 || query.wait === 0) return { messages }
    if (waiting.size >= MOST_WAITING) {
      throw new Problem(
        503,
        'TOO_MANY_WAITING',
        'Too many requests wait already; try without wait.',
      )
    }
    const gone = Promise.withResolvers<void>()
    reply.raw.once('close', gone.resolve)
    waiting.add(gone.resolve)
    try {
      return { messages: await nextPage(control, query, { clock, gone: gone.promise }) }
    } finally {
      waiting.delete(gone.resolve)
    }
  })

  app.delete('/api/v1/sandbox/messages', async (request, reply) => {
    guard.admin(request)
    await control.clearSandbox()
    return reply.code(204).send()
  })

  app.get<{ Params: { id: string } }>('/api/v1/sandbox/messages/:id', async (request) => {
    guard.local(request)
    const message = await control.sandboxMessage(request.params.id)
    if (!message) throw notFound('captured message', request.params.id)
    return message
  })

  app.get<{ Params: { id: string } }>(
    '/api/v1/sandbox/messages/:id/raw',
    async (request, reply) => {
      guard.local(request)
      const raw = await control.sandboxRaw(request.params.id)
      if (!raw) throw notFound('captured message', request.params.id)
      reply.type('message/rfc822')
      reply.header('content-disposition', 'attachment; filename="message.eml"')
      return reply.send(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength))
    },
  )
}

/** Newest first; `after` cuts at the message that the caller has seen already. */
async function page(control: Control, query: ListQuery): Promise<readonly SandboxMessage[]> {
  const { limit, before, after } = query
  const messages = await control.sandboxMessages({
    limit,
    ...(before === undefined ? {} : { before }),
  })
  const seen = after === undefined ? -1 : messages.findIndex((message) => message.id === after)
  return seen < 0 ? messages : messages.slice(0, seen)
}

/** Waits for captures until the page has something, the time is over or nobody listens any more. */
async function nextPage(
  control: Control,
  query: ListQuery,
  { clock, gone }: { clock: Clock; gone: Promise<void> },
): Promise<readonly SandboxMessage[]> {
  const end = clock.elapsed() + query.wait
  let over = false
  const stopWaiting = gone.then(() => {
    over = true
  })
  for (;;) {
    const captured = Promise.withResolvers<void>()
    const stop = control.onCaptured(captured.resolve)
    const timer = clock.after(end - clock.elapsed(), () => {
      over = true
      captured.resolve()
    })
    try {
      // Looked at after listening, so that nothing slips between.
      const messages = await page(control, query)
      if (messages.length > 0 || over) return messages
      await Promise.race([captured.promise, stopWaiting])
    } finally {
      stop()
      timer.cancel()
    }
  }
}
