// STARTTLS (RFC 3207) and AUTH (RFC 4954): what makes a session trusted, and so what is attacked first.

import { isIP } from 'node:net'
import type { Command } from '../mail/command.ts'
import { formatReply, Refusal, type Reply, refuse, reply } from '../mail/reply.ts'
import { refusalOfLine } from './command-line.ts'
import { LineTooLong } from './input.ts'
import { channelBindingsOf, clientCertificateOf } from './peer.ts'
import { type Claim, exchange, MECHANISMS, type Mechanism } from './sasl.ts'
import type { ChannelBindings } from './scram.ts'
import type { Session } from './session.ts'
import type { Wire } from './wire.ts'

/** STARTTLS may be used now. */
export function offersTls(session: Session): boolean {
  const { tls, certificate } = session.door
  return tls === 'starttls' && session.client.tls === undefined && certificate() !== undefined
}

/** A certificate that proves nothing is no reason to send anybody away, but worth a line. */
export function tellOfCertificate({ wire, door, client }: Session): void {
  const fault = door.certificate()?.asksClient && certificateOf(wire)?.fault
  if (!fault) return
  const { address } = client
  door.log.warn({ door: door.name, client: address, why: fault }, 'client certificate refused')
}

/** AUTH may be used now. */
function offersAuth(session: Session): boolean {
  const { door, client } = session
  if (!door.service.authenticate || client.credential !== undefined) return false
  if (client.tls !== undefined || door.authWithoutTls === true) return true
  return door.authWithoutTls === 'loopback' && isLoopback(client.address)
}

const NO_MECHANISMS: ReadonlySet<Mechanism> = new Set()
const PASSWORDS: ReadonlySet<Mechanism> = new Set(['PLAIN', 'LOGIN'])
const NO_BINDINGS: ChannelBindings = new Map()

/** What AUTH can do on this connection, now, in the order of MECHANISMS. */
export function mechanismsOf(session: Session): ReadonlySet<Mechanism> {
  if (!offersAuth(session)) return NO_MECHANISMS
  const wanted = session.door.service.sasl?.mechanisms() ?? PASSWORDS
  return new Set(
    MECHANISMS.filter((mechanism) => {
      if (!wanted.has(mechanism)) return false
      if (mechanism === 'SCRAM-SHA-256-PLUS') return session.client.tls !== undefined
      return mechanism !== 'EXTERNAL' || clientNames(session).length > 0
    }),
  )
}

function certificateOf({ secured }: Wire) {
  return secured && clientCertificateOf(secured)
}

function clientNames({ wire, door }: Session): readonly string[] {
  return (door.certificate()?.asksClient && certificateOf(wire)?.names) || []
}

/** Only where they are offered may a client be told that somebody has taken them from the list. */
function bindingsOf({ wire, door }: Session): ChannelBindings {
  const offered = door.service.sasl?.mechanisms().has('SCRAM-SHA-256-PLUS')
  return offered && wire.secured ? channelBindingsOf(wire.secured) : NO_BINDINGS
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
  const { secureContext, contextFor, asksClient } = certificate
  const tls = await wire.startTls(
    { side: 'server', secureContext, contextFor, asksClient },
    { timeoutMs: door.limits.tlsMs },
  )
  tellOfCertificate(session)
  // RFC 3207 §4.2: all that was said in the clear is forgotten.
  session.greeted = false
  session.declared = {}
  const { credential, mechanism, ...client } = session.client
  session.client = { ...client, helloName: '', esmtp: false, tls }
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
  const offered = mechanismsOf(session)
  const mechanism = MECHANISMS.find((one) => one === command.mechanism)
  if (!mechanism || !offered.has(mechanism)) {
    throw refuse(504, '5.5.4', `Error: AUTH ${[...offered].join(', ')} are offered, nothing else`)
  }
  const revoked = new Set<string>()
  session.revokedMeanwhile = revoked
  const claim = await exchange(mechanism, command.initialResponse, {
    challenge: (text) => challenge(session, text),
    password: (username, password) => door.service.authenticate!(client, username, password),
    sasl: door.service.sasl,
    bindings: mechanism.startsWith('SCRAM') ? bindingsOf(session) : NO_BINDINGS,
    certificate: clientNames(session),
    hostname: door.hostname,
  })
  const result = await judged(session, claim)
  door.events.onLogin?.(client, { mechanism, username: claim.username, result })
  if (result === 'throttled') throw tooManyFailures(session)
  if (result !== 'ok') return failed(session)
  if (claim.finale) await challenge(session, claim.finale())
  session.revokedMeanwhile = undefined
  if (revoked.has(claim.username)) return failed(session)
  session.client = { ...client, credential: claim.username, mechanism }
  return reply(235, '2.7.0', 'Authentication successful')
}

/** How an attempt to log in ended; `network`: all is right but the place it came from. */
export type LoginResult = 'ok' | 'wrong' | 'network' | 'throttled'

/**
 * Is the claim right? A "no" takes as long whatever is wrong with it, so that names cannot be told
 * from their answers. Throws a 454 Refusal where it cannot be said now.
 */
async function judged(session: Session, claim: Claim): Promise<LoginResult> {
  const { door, client } = session
  const { service, throttle, clock, limits } = door
  if (!(await throttle.attempt(client.address))) return 'throttled'
  const startedAt = clock.elapsed()
  let result: LoginResult = 'ok'
  try {
    if (!(await claim.prove())) result = 'wrong'
    else if (service.admits?.(client, claim.username) === false) result = 'network'
  } catch (error) {
    throttle.ended(client.address, { failed: false })
    if (error instanceof Refusal) throw error
    door.log.error({ err: error, listener: door.name }, 'a credential could not be checked')
    throw refuse(454, '4.7.0', 'Error: the password cannot be checked now, try again')
  }
  throttle.ended(client.address, { failed: result !== 'ok' })
  if (result !== 'ok') await clock.sleep(limits.errorDelayMs - (clock.elapsed() - startedAt))
  return result
}

/** The last failure of a session is the last thing it hears. */
function failed(session: Session): Reply {
  if (++session.authFailures >= session.door.limits.authFailures) throw tooManyFailures(session)
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
