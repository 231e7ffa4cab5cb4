// How the API says no: problem+json (RFC 9457) with a stable `code` for programs.

import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Refusal } from '../mail/reply.ts'
import { formatStatus } from '../mail/status.ts'
import type { Log } from '../std/log.ts'
import { ControlFault, type ControlFaultCode } from './control.ts'

/** Thrown by routes; `detail` says what was wrong and what to do. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly code: string
  readonly more: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, detail: string, more: Record<string, unknown> = {}) {
    super(detail)
    this.status = status
    this.code = code
    this.more = more
  }
}

/** `throw notFound('message', id)` */
export function notFound(what: string, name: string): Problem {
  return new Problem(404, 'NOT_FOUND', `There is no ${what} ${JSON.stringify(name)}.`)
}

const faultStatus: Record<ControlFaultCode, number> = {
  NOT_A_DOMAIN: 400,
  DOMAIN_EXISTS: 409,
  DOMAIN_IN_CONFIG: 409,
  MODE_IN_CONFIG: 409,
  KEYS_CHANGED: 409,
  BAD_KEY: 400,
  BAD_SELECTOR: 400,
  SELECTOR_EXISTS: 409,
  KEY_IN_CONFIG: 409,
  LAST_KEY: 409,
  CREDENTIAL_EXISTS: 409,
  CREDENTIAL_IN_CONFIG: 409,
  BAD_TERMS: 400,
  WEAK_PASSWORD: 400,
  BAD_CURSOR: 400,
  NOT_AN_ADDRESS: 400,
  NO_CREDENTIAL: 404,
  NO_PUBLISHER: 409,
  PUBLISH_FAILED: 502,
  CHANGES_DIFFER: 409,
}

/** Turns anything thrown into a Problem; what only we must know goes to the log. */
export function problemOf(error: unknown, log: Log): Problem {
  if (error instanceof Problem) return error
  if (error instanceof ControlFault) {
    return new Problem(faultStatus[error.code], error.code, error.message)
  }
  if (error instanceof Refusal) return refused(error)
  if (error instanceof z.ZodError) {
    return new Problem(400, 'BAD_REQUEST', 'The request has faults.', {
      errors: error.issues.map((issue) => ({
        path: issue.path.join('.'),
        detail: issue.message,
      })),
    })
  }
  const status = (error as FastifyError).statusCode
  if (status !== undefined && status >= 400 && status < 500) {
    return new Problem(status, 'BAD_REQUEST', (error as Error).message)
  }
  log.error({ error }, 'an API request failed')
  return new Problem(500, 'INTERNAL', 'This is our fault; the log has the details.')
}

/** The same refusal that SMTP would send, with its codes. */
function refused({ reply }: Refusal): Problem {
  return new Problem(reply.code < 500 ? 503 : 422, 'REFUSED', reply.text.join(' '), {
    smtpCode: reply.code,
    ...(reply.status ? { enhancedStatus: formatStatus(reply.status) } : {}),
  })
}

/** Sends the problem. `about:blank` means that the title is the status' own (RFC 9457 §4.2.1). */
export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply) {
  const { smtpCode, enhancedStatus, ...more } = problem.more
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: 'about:blank',
        title: STATUS_CODES[problem.status] ?? 'Error',
        status: problem.status,
        code: problem.code,
        detail: problem.message,
        instance: request.url.split('?')[0],
        ...(smtpCode === undefined ? {} : { smtp_code: smtpCode }),
        ...(enhancedStatus === undefined ? {} : { enhanced_status: enhancedStatus }),
        ...more,
      }),
    )
}
