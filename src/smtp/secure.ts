// STARTTLS (RFC 3207) and AUTH (RFC 4954): what makes a session trusted, and so what is attacked first.

import { isIP } from 'node:net'
import type { Command } from '../mail/command.ts'
import { formatReply, Refusal, type Reply, refuse, reply } from '../mail/reply.ts'
import { refusalOfLine } from './command-line.ts'
import { type Credentials, exchange, isMechanism } from './sasl.ts'
import type { Session } from './session.ts'
import { LineTooLong } from './wire.ts'

/** STARTTLS may be used now. */
export function offersTls(session: Session): boolean {
  const { tls, certificate } = session.door
  return tls === 'starttls' && session.client.tls === undefined && certificate() !== undefined
}

/** AUTH may be used now. */
export function offersAuth(session: Session): boolean {
  const { door, client } = session
  if (!door.service.authenticate || client.credential !== undefined) return false
  return client.tls !== undefined || door.authWithoutTls
}

/** Answers itself, since its answer is the last thing in the clear. */
export async function starttls(session: Session): Promise<undefined> {
  const { wire, door } = session
  const certificate = door.certificate()
  if (session.client.tls) throw refuse(503, '5.5.1', 'Error: TLS is active already')
  if (!certificate || !offersTls(session)) throw refuse(502, '5.5.1', 'Error: TLS is not offered')
  if (wire.buffered > 0) {
    // Commands that came with STARTTLS were sent by whoever can write into the clear text.
    throw new Refusal(reply(554, '5.5.0', 'Error: text after STARTTLS'), { hangUp: true })
  }
  wire.write(formatReply(reply(220, '2.0.0', 'Ready to start TLS')))
  const { secureContext, contextFor } = certificate
  const tls = await wire.startTls(
    { side: 'server', secureContext, contextFor },
    { timeoutMs: door.limits.tlsMs },
  )
  // RFC 3207 §4.2: all that was said in the clear is forgotten.
  session.greeted = false
  const { address, port, listener } = session.client
  session.client = { address, port, listener, helloName: '', esmtp: false, tls }
  return undefined
}

export async function auth(
  session: Session,
  command: Extract<Command, { verb: 'AUTH' }>,
): Promise<Reply> {
  const { door, client } = session
  if (client.credential !== undefined) throw refuse(503, '5.5.1', 'Error: already authenticated')
  if (!door.service.authenticate) throw refuse(502, '5.5.1', 'Error: AUTH is not offered')
  if (!offersAuth(session)) throw refuse(538, '5.7.11', 'Error: send STARTTLS first, then AUTH')
  if (!isMechanism(command.mechanism)) {
    throw refuse(504, '5.5.4', 'Error: only AUTH PLAIN and AUTH LOGIN are offered')
  }
  const credentials = await exchange(command.mechanism, command.initialResponse, (text) =>
    challenge(session, text),
  )
  if (!door.throttle.attempt(client.address)) throw tooManyFailures(session)
  if (await check(session, credentials)) {
    door.throttle.succeeded(client.address)
    session.client = { ...client, credential: credentials.username }
    return reply(235, '2.7.0', 'Authentication successful')
  }
  door.events.onAuthFailure?.(client, credentials.username)
  door.log.warn(
    { listener: door.name, client: client.address, username: credentials.username },
    'authentication failed',
  )
  return failed(session)
}

async function check(session: Session, credentials: Credentials): Promise<boolean> {
  const { door, client } = session
  try {
    return await door.service.authenticate!(client, credentials.username, credentials.password)
  } catch (error) {
    door.throttle.succeeded(client.address)
    if (error instanceof Refusal) throw error
    door.log.error({ err: error, listener: door.name }, 'a credential could not be checked')
    throw refuse(454, '4.7.0', 'Error: the password cannot be checked now, try again')
  }
}

/** Each failure costs time; the last one of a session is the last thing it hears. */
async function failed(session: Session): Promise<Reply> {
  const { limits, clock } = session.door
  await clock.sleep(limits.errorDelayMs)
  if (++session.authFailures >= limits.authFailures) throw tooManyFailures(session)
  return reply(535, '5.7.8', 'Error: authentication failed: wrong user name or password')
}

function tooManyFailures(session: Session): Refusal {
  const { hostname } = session.door
  return refuse(421, '4.7.0', `${hostname} Error: too many failed authentications, try again later`)
}

async function challenge(session: Session, text: string): Promise<string> {
  session.wire.write(`334 ${text}\r\n`)
  try {
    return await session.readLine(session.door.limits.authOctets)
  } catch (error) {
    const refusal = refusalOfLine(session, error)
    // RFC 4954 §4 has a status of its own for a line that is too long.
    if (error instanceof LineTooLong && !refusal.hangUp) {
      throw refuse(500, '5.5.6', 'Error: the authentication line is too long')
    }
    throw refusal
  }
}

/** Where the other side of a connection can only be this machine. */
export function isLoopback(address: string): boolean {
  return isIP(address) === 4 ? address.startsWith('127.') : address === '::1'
}
