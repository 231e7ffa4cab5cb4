// Commands that change nothing and may come at any time (RFC 5321 §4.1.4), also between two chunks of
// a message. They lead nowhere, so a session has only so many of them.

import { type Reply, reply } from '../mail/reply.ts'
import type { Session } from './session.ts'

export type IdleVerb = 'NOOP' | 'VRFY' | 'HELP'

const replies: { readonly [Verb in IdleVerb]: Reply } = {
  NOOP: reply(250, '2.0.0', 'Ok'),
  VRFY: reply(252, '2.5.2', 'Cannot verify, but will take mail and try to deliver it'),
  HELP: reply(
    214,
    '2.0.0',
    'EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT STARTTLS AUTH',
    'RFC 5321 tells the rest',
  ),
}

export function idle(session: Session, { verb }: { readonly verb: IdleVerb }): Reply {
  session.countJunk()
  return replies[verb]
}
