// DATA and BDAT: the content goes from the wire to the service, and the service's word ends the
// transaction. Whatever happens, the transaction is over afterwards.

import type { Command, CommandFault } from '../mail/command.ts'
import type { Envelope } from '../mail/envelope.ts'
import { formatReply, Refusal, type Reply, refuse, reply } from '../mail/reply.ts'
import { nextCommand } from './command-line.ts'
import { type ContentLimits, Incoming, readChunk, readContent } from './content.ts'
import { idle } from './idle.ts'
import type { ContentSink } from './service.ts'
import type { Session, Transaction } from './session.ts'

type Bdat = Extract<Command, { verb: 'BDAT' }>

const START = formatReply(reply(354, undefined, 'End data with <CR><LF>.<CR><LF>'))
const OK = reply(250, '2.0.0', 'Ok')
const OUT_OF_PLACE = reply(503, '5.5.1', 'Error: chunks are coming; BDAT or RSET')

/** The transaction was given up between two chunks: with a command that is still to be obeyed, or by us, who have hung up. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned'
  readonly command: Command | undefined
  constructor(command?: Command) {
    super(`abandoned by ${command?.verb ?? 'the server'}`)
    this.command = command
  }
}

/** DATA (RFC 5321 §4.1.1.4). The invitation is sent when the service asks for the content, so it may refuse before. */
export function data(session: Session): Promise<Reply> {
  return transfer(session, readyForContent(session), async (incoming) => {
    session.wire.write(START)
    await readContent(session.wire, incoming)
  })
}

/** BDAT (RFC 3030 §2): the first chunk begins a dialogue that ends with LAST, with RSET, or with a failure. */
export async function bdat(session: Session, command: Bdat): Promise<Reply> {
  let begun = false
  try {
    if (!session.greeted) throw refuse(503, '5.5.1', 'Error: send EHLO or HELO first')
    return await transfer(session, readyForContent(session), async (incoming) => {
      begun = true
      await readChunks(session, command, incoming)
    })
  } catch (error) {
    // Its octets are on their way, whatever we say.
    if (!begun) await dropChunk(session, command)
    throw error
  }
}

function readyForContent(session: Session): Transaction {
  const { transaction } = session
  if (!transaction) throw refuse(503, '5.5.1', 'Error: need MAIL command')
  if (transaction.recipients.length > 0) return transaction
  if (transaction.refused > 0) throw refuse(554, '5.5.1', 'Error: no valid recipients')
  throw refuse(503, '5.5.1', 'Error: need RCPT command')
}

/** Lets the service take the content; ends the transaction whatever comes of it. */
async function transfer(
  session: Session,
  transaction: Transaction,
  read: (incoming: Incoming) => Promise<void>,
): Promise<Reply> {
  let reading: Promise<void> | undefined
  let incoming: Incoming | undefined
  const content = (sink: ContentSink): Promise<void> => {
    incoming = new Incoming(session.wire, sink, contentLimits(session))
    reading = read(incoming)
    reading.catch(() => {}) // it is looked at below even when the service forgets it
    return reading
  }
  try {
    const text = await session.door.service.accept(session.client, envelopeOf(transaction), content)
    await reading
    if (!reading) throw new Error('the service accepted a message without reading it')
    session.countAccepted()
    return reply(250, '2.0.0', text)
  } catch (error) {
    // What went wrong on the wire counts for more than what the service made of it.
    await reading?.catch((seen) => {
      if (seen !== incoming?.sinkFailure) throw seen
    })
    throw asRefusal(session, error)
  } finally {
    session.endTransaction()
  }
}

function asRefusal(session: Session, error: unknown): Refusal {
  if (error instanceof Refusal) return error
  session.door.log.error({ err: error, listener: session.door.name }, 'a message was not accepted')
  return refuse(451, '4.3.0', 'Error: local problem, the message was not accepted, try again later')
}

function envelopeOf({ request, recipients }: Transaction): Envelope {
  const { declaredSize, ...envelope } = request
  return { ...envelope, recipients }
}

function contentLimits(session: Session): ContentLimits {
  const { limits, clock, scan } = session.door
  const { messageOctets, contentGraceMs, minimumOctetsPerSecond } = limits
  const idleMs = () => session.idleMs
  return { messageOctets, contentGraceMs, minimumOctetsPerSecond, clock, scan, idleMs }
}

async function readChunks(session: Session, first: Bdat, incoming: Incoming): Promise<void> {
  const { wire } = session
  for (let chunk = first; ; chunk = await nextChunk(session)) {
    refuseEndless(session, chunk)
    await readChunk(wire, chunk.size, incoming)
    if (chunk.last) return await incoming.finish()
    if (incoming.failure !== undefined) throw incoming.failure
    if (chunk.size === 0) session.countJunk()
    await session.answer('BDAT', OK)
  }
}

/** Between chunks only another one moves on; RSET, QUIT and a new hello give the message up. */
async function nextChunk(session: Session): Promise<Bdat> {
  while (session.open) {
    const command: Command | CommandFault = await nextCommand(session)
    switch (command.verb) {
      case 'BDAT':
        return command
      case 'RSET':
      case 'QUIT':
      case 'EHLO':
      case 'HELO':
        throw new Abandoned(command)
      case 'NOOP':
      case 'VRFY':
      case 'HELP':
        await session.answer(command, idle(session, command))
        break
      case 'FAULT':
        if (command.fault === 'foreign') throw new Refusal(command.reply, { hangUp: true })
        await session.answer(command, command.reply)
        break
      default:
        // Also a RCPT counts as an error here: it could be repeated for ever.
        await session.answer('BDAT', OUT_OF_PLACE)
    }
  }
  throw new Abandoned()
}

/** A chunk that nobody wants: read to its end, as the next command comes after it. */
async function dropChunk(session: Session, chunk: Bdat): Promise<void> {
  refuseEndless(session, chunk)
  const incoming = new Incoming(session.wire, () => undefined, contentLimits(session))
  await readChunk(session.wire, chunk.size, incoming)
}

/** Nobody waits for the end of a chunk that is much too big. */
function refuseEndless(session: Session, chunk: Bdat): void {
  const { messageOctets } = session.door.limits
  if (chunk.size <= messageOctets * 4) return
  const text = `Error: message too big; the limit is ${messageOctets} octets`
  throw new Refusal(reply(552, '5.3.4', text), { hangUp: true })
}
