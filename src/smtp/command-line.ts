import { type Command, type CommandFault, parseCommand } from '../mail/command.ts'
import { Refusal, refuse, reply } from '../mail/reply.ts'
import { LineMalformed, LineTooLong } from './input.ts'
import type { Session } from './session.ts'

const HANG_UP = { hangUp: true }

/** What the client says next. A line that cannot be read is a command too: one that earns a refusal. */
export async function nextCommand(session: Session): Promise<Command | CommandFault> {
  try {
    return parseCommand(await session.readLine(session.door.limits.commandOctets))
  } catch (error) {
    const refusal = refusalOfLine(session, error)
    return { verb: 'FAULT', fault: refusal.hangUp ? 'foreign' : 'syntax', reply: refusal.reply }
  }
}

/** The answer to a line that the wire would not read; rethrows everything else. */
export function refusalOfLine(session: Session, error: unknown): Refusal {
  if (error instanceof LineTooLong) {
    return ++session.longLines < session.door.limits.longLines
      ? refuse(500, '5.5.2', 'Error: line too long')
      : refuse(421, '4.7.0', `${session.door.hostname} Error: too many lines that are too long`)
  }
  if (!(error instanceof LineMalformed)) throw error
  switch (error.fault) {
    case 'without end':
      return new Refusal(reply(500, '5.5.2', 'Error: a line without end'), HANG_UP)
    case 'not UTF-8':
      return refuse(500, '5.5.2', 'Error: the line is neither ASCII nor UTF-8')
    case 'mixed line ends':
      return new Refusal(reply(550, '5.6.11', 'Error: lines end in different ways'), HANG_UP)
    default:
      return new Refusal(reply(500, '5.5.2', 'Error: a line must end with CR LF'), HANG_UP)
  }
}
