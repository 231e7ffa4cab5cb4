import type { Command } from '../mail/command.ts'
import type { Recipient } from '../mail/envelope.ts'
import { type Reply, refuse, reply } from '../mail/reply.ts'
import type { MailRequest } from './service.ts'
import type { Session } from './session.ts'
import { granted } from './wishes.ts'

const MAIL_OK = reply(250, '2.1.0', 'Ok')
const RCPT_OK = reply(250, '2.1.5', 'Ok')
const NOT_ASCII = /[^\x00-\x7f]/

/** MAIL FROM (RFC 5321 §4.1.1.2): begins a transaction, or says why not. */
export async function mail(
  session: Session,
  command: Extract<Command, { verb: 'MAIL' }>,
): Promise<Reply> {
  if (session.transaction) throw refuse(503, '5.5.1', 'Error: nested MAIL command')
  requireRights(session)
  const { reversePath, parameters } = command
  const request: MailRequest = { reversePath, ...granted(session, parameters) }
  const { messageOctets } = session.door.limits
  if ((request.declaredSize ?? 0) > messageOctets) {
    throw refuse(552, '5.3.4', `Error: message too big; the limit is ${messageOctets} octets`)
  }
  if (request.requireTls && !session.client.tls) {
    throw refuse(530, '5.7.10', 'Error: REQUIRETLS needs a TLS session: send STARTTLS first')
  }
  if (reversePath && !request.smtputf8) refuseNotAscii(reversePath.localPart)
  await session.door.service.mail(session.client, request)
  session.begin(request)
  const { priority = 0 } = request
  return (parameters.priority ?? 0) === priority ? MAIL_OK : lowered(priority)
}

/** RFC 6710: less urgent than was wished. */
function lowered(priority: number): Reply {
  return reply(250, '2.3.6', 'Ok', `${priority} is the new priority assigned to the message`)
}

/** RCPT TO (RFC 5321 §4.1.1.3). */
export async function rcpt(
  session: Session,
  command: Extract<Command, { verb: 'RCPT' }>,
): Promise<Reply> {
  const { transaction } = session
  if (!transaction) throw refuse(503, '5.5.1', 'Error: need MAIL command')
  try {
    const limit = session.door.limits.recipients
    if (transaction.recipients.length >= limit) {
      // RFC 5321 §4.5.3.1.10; who does not listen hears it so often and no more.
      if (transaction.refused >= limit) throw refuse(421, '4.7.0', 'Error: too many recipients')
      throw refuse(452, '4.5.3', `Error: too many recipients; the limit is ${limit}`)
    }
    transaction.recipients.push(await admit(session, transaction.request, command))
    return RCPT_OK
  } catch (error) {
    transaction.refused++
    throw error
  }
}

function admit(
  session: Session,
  request: MailRequest,
  command: Extract<Command, { verb: 'RCPT' }>,
): Recipient | Promise<Recipient> {
  const { service, hostname } = session.door
  const mailbox =
    command.mailbox === 'postmaster'
      ? { localPart: 'postmaster', domain: hostname }
      : command.mailbox
  if (!request.smtputf8) refuseNotAscii(mailbox.localPart)
  return service.recipient(session.client, request, { mailbox, ...command.parameters })
}

function requireRights(session: Session): void {
  const { door, client } = session
  if (!door.requireAuth || client.credential !== undefined) return
  if (door.tls === 'starttls' && !client.tls && !door.authWithoutTls) {
    throw refuse(530, '5.7.0', 'Error: must issue a STARTTLS command first')
  }
  throw refuse(530, '5.7.0', 'Error: authentication required')
}

/** RFC 6531 §3.7.4: 553 for an address that needs SMTPUTF8. */
function refuseNotAscii(localPart: string): void {
  if (!NOT_ASCII.test(localPart)) return
  throw refuse(553, '5.6.7', 'Error: this address needs SMTPUTF8 in the MAIL command')
}
