import type { Command } from '../mail/command.ts'
import { type Reply, refuse, reply } from '../mail/reply.ts'
import type { Session } from './session.ts'

/**
 * XCLIENT: from here on the session is that of the client for whom a trusted proxy speaks, and begins
 * anew. Whether the proxy may say so is judged by where its connection comes from, never by what an
 * earlier XCLIENT claimed. What the real client is shown to be counts for limits, rights and traces.
 */
export function xclient(
  session: Session,
  { attributes }: Extract<Command, { verb: 'XCLIENT' }>,
): Reply {
  const { door, client } = session
  const { hostname, service } = door
  if (!session.mayXclient) {
    throw refuse(550, '5.7.0', `Error: XCLIENT is not for ${session.wire.remoteAddress}`)
  }
  const { login, helloName, esmtp } = attributes
  const address = attributes.address === null ? 'unknown' : (attributes.address ?? client.address)
  const port = attributes.port === null ? 0 : (attributes.port ?? client.port)
  const { credential, mechanism, ...kept } = client
  const next = { ...kept, address, port, helloName: '', esmtp: false }
  if (login && service.admits?.(next, login) === false) {
    throw refuse(550, '5.7.1', `Error: the credential ${login} may not be used from ${address}`)
  }
  if (!door.move(session.seat, address)) {
    throw refuse(421, '4.7.0', `${hostname} Error: too many connections from your address`)
  }
  session.seat = address
  session.countJunk()
  session.greeted = false
  session.declared = { ...(helloName && { helloName }), ...(esmtp != null && { esmtp }) }
  session.client = login ? { ...next, credential: login } : next
  return reply(220, undefined, `${hostname} ESMTP Posthorn`)
}
