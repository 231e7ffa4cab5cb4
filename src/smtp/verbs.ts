// What a client may say: one entry a verb, with when it is allowed and what it does.

import { formatCapabilities } from '../mail/capabilities.ts'
import type { Command, CommandFault } from '../mail/command.ts'
import { Refusal, type Reply, refuse, reply } from '../mail/reply.ts'
import { XCLIENT_ATTRIBUTES } from '../mail/xclient.ts'
import { bdat, data } from './data.ts'
import { idle } from './idle.ts'
import { auth, mechanismsOf, offersTls, starttls } from './secure.ts'
import type { Session } from './session.ts'
import { mail, rcpt } from './transaction.ts'
import { holdLine } from './wishes.ts'
import { xclient } from './xclient.ts'

type Verb<Name extends Command['verb']> = {
  /** EHLO or HELO must have been said. */
  readonly greeted?: true
  /** Not while a transaction runs. */
  readonly outside?: true
  readonly run: (
    session: Session,
    command: Extract<Command, { verb: Name }>,
  ) => Reply | Promise<Reply | undefined>
}

const OK = reply(250, '2.0.0', 'Ok')
const BYE = reply(221, '2.0.0', 'Bye')

const verbs: { readonly [Name in Command['verb']]: Verb<Name> } = {
  EHLO: { run: (session, { name }) => hello(session, { name, esmtp: true }) },
  HELO: { run: (session, { name }) => hello(session, { name, esmtp: false }) },
  MAIL: { greeted: true, run: mail },
  RCPT: { greeted: true, run: rcpt },
  DATA: { greeted: true, run: data },
  BDAT: { run: bdat },
  RSET: {
    run(session) {
      session.countJunk()
      session.endTransaction()
      return OK
    },
  },
  NOOP: { run: idle },
  VRFY: { run: idle },
  HELP: { run: idle },
  QUIT: {
    run(session) {
      session.open = false
      session.hasQuit = true
      return BYE
    },
  },
  STARTTLS: { greeted: true, outside: true, run: starttls },
  AUTH: { greeted: true, outside: true, run: auth },
  XCLIENT: { outside: true, run: xclient },
}

/** Runs one command; undefined when it has answered itself. Throws a Refusal where the answer is no. */
export function obey(
  session: Session,
  command: Command | CommandFault,
): Reply | Promise<Reply | undefined> {
  if (command.verb === 'FAULT') {
    const { bare } = command
    const mailbox = bare && session.door.service.completes?.(bare.localPart, bare.role)
    if (mailbox) return obey(session, bare.completed(mailbox))
    throw new Refusal(command.reply, {
      hangUp: command.fault === 'foreign' || command.reply.code === 421,
    })
  }
  // The table's own type says that each verb gets its own command; the compiler cannot follow it through the index.
  const verb = verbs[command.verb] as Verb<Command['verb']>
  if (verb.greeted && !session.greeted) throw refuse(503, '5.5.1', 'Error: send EHLO or HELO first')
  if (verb.outside && session.transaction) {
    throw refuse(503, '5.5.1', 'Error: a mail transaction is in progress')
  }
  return verb.run(session, command)
}

/** Each hello begins anew (RFC 5321 §4.1.4). */
function hello(session: Session, said: { readonly name: string; readonly esmtp: boolean }): Reply {
  session.endTransaction()
  if (session.greeted) session.countJunk()
  session.greeted = true
  // What a proxy says of its client stands, whatever it calls itself.
  const { helloName = said.name, esmtp = said.esmtp } = session.declared
  session.client = { ...session.client, helloName, esmtp }
  const { hostname } = session.door
  return said.esmtp
    ? reply(250, undefined, hostname, ...announce(session))
    : reply(250, undefined, hostname)
}

/** Only what holds on this connection, now. */
function announce(session: Session): string[] {
  const { limits, dsn, offers } = session.door
  const lines = formatCapabilities({
    pipelining: true,
    size: limits.messageOctets,
    starttls: offersTls(session),
    auth: mechanismsOf(session),
    enhancedStatusCodes: true,
    eightBitMime: true,
    smtputf8: true,
    dsn,
    chunking: true,
    requireTls: session.client.tls !== undefined,
    ...(offers.deliverBySeconds !== undefined && { deliverBy: offers.deliverBySeconds }),
    priority: offers.priority === true,
    limits: { rcptMax: limits.recipients },
  })
  lines.push(...holdLine(session.door))
  if (session.mayXclient) lines.push(`XCLIENT ${XCLIENT_ATTRIBUTES}`)
  return lines
}
