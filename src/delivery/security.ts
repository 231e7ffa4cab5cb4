// How much TLS a session must have: what the route says, raised by what the message demands.

import type { Failure } from '../mail/failure.ts'
import type { Message } from '../mail/message.ts'
import { status } from '../mail/status.ts'
import type { ClientSession } from '../smtp/client.ts'
import type { Login, Security } from '../smtp/open.ts'
import type { Route } from './route.ts'

/** What the walk demands of each host. */
export type Demands = Security & {
  /** The peer must promise to go on likewise (RFC 8689 §4.2). */
  readonly requireTls: boolean
  /** `TLS-Required: No`: what the receiver's side promises of TLS does not matter (RFC 8689 §4.2.2). */
  readonly tlsOptional: boolean
  readonly login?: Login
}

/** Joins route and message. */
export function demandsOf(route: Route, message: Message): Demands {
  const { requireTls, tlsOptional = false } = message
  if (route.kind === 'direct') {
    const security: Security = requireTls
      ? { level: 'required', verify: true }
      : { level: 'opportunistic', verify: false }
    return { ...security, requireTls, tlsOptional }
  }
  const { tls, verify, username, password = '', tokens } = route
  const login =
    username === undefined || (route.password === undefined && !tokens)
      ? undefined
      : { username, password, inTheClear: tls === 'none', ...(tokens && { tokens }) }
  const raised = requireTls && tls !== 'implicit' ? 'required' : tls
  const demands = { verify: verify || requireTls, requireTls, tlsOptional }
  return { level: raised, ...demands, ...(login && { login }) }
}

/** Sessions with the same key are as good as each other. */
export function demandsKey(demands: Demands): string {
  const { level, verify, requireTls, login } = demands
  return `${level}${verify ? ' verified' : ''}${requireTls ? ' requiretls' : ''} ${login?.username ?? ''}`
}

/** A message with REQUIRETLS goes over a session that can keep the promise, or back to its sender. */
export function requireTlsFailure(session: ClientSession): Failure | undefined {
  if (session.tls?.verified && session.capabilities.requireTls) return undefined
  return requireTlsUnmet(`${session.host} does not support REQUIRETLS`)
}

export function requireTlsUnmet(text: string): Failure {
  const cause = { kind: 'local', text: `the message demands TLS all the way: ${text}` } as const
  return { permanence: 'permanent', scope: 'session', status: status('5.7.30'), cause }
}
