// One message over one session, from MAIL to the reply that ends it, as one value: everything that
// the peer said, and the fault if the connection broke. With PIPELINING the commands are one write
// and the content another (RFC 2920); a small message to a peer with CHUNKING is a single write
// (RFC 3030). Nothing here judges replies beyond "go on or not": delivery/classify.ts does.

import { DotStuffer } from '../mail/dot.ts'
import type { Recipient } from '../mail/envelope.ts'
import { formatMailbox, needsSmtputf8 } from '../mail/mailbox.ts'
import type { Content, Message } from '../mail/message.ts'
import { formatMailParameters, formatRcptParameters } from '../mail/parameters.ts'
import type { Reply } from '../mail/reply.ts'
import type { ByWish } from '../mail/wishes.ts'
import { type ClientSession, SessionFault } from './client.ts'

/** What is sent: the message's prefix, then its content. */
export type Letter = {
  readonly message: Message
  readonly content: Content
  /** What is left of the time in which delivery is of use, for peers that look after it (RFC 2852). */
  readonly by?: ByWish | undefined
}

/** What was seen. A reply that never came is undefined; so is one to a command that was not sent. */
export type Transaction = {
  mail: Reply | undefined
  /** By the recipient's place in the call. */
  readonly recipients: (Reply | undefined)[]
  data: Reply | undefined
  /** The reply that takes the message over, or does not. */
  content: Reply | undefined
  /** The end of the content is on its way: without a reply nobody knows whether it arrived. */
  contentSent: boolean
  fault: SessionFault | undefined
}

/** Contents up to this size go in one write with their commands to peers with CHUNKING. */
const CORKED_BYTES = 65_536
const NOT_ASCII = /[^\u0000-\u007f]/

/**
 * Sends a message to some of its recipients. The session afterwards says by `usable` and `dirty`
 * what may follow. Throws only what reading the content throws; the session is then destroyed.
 */
export async function transact(
  session: ClientSession,
  letter: Letter,
  recipients: readonly Recipient[],
): Promise<Transaction> {
  const seen: Transaction = {
    mail: undefined,
    recipients: new Array(recipients.length).fill(undefined),
    data: undefined,
    content: undefined,
    contentSent: false,
    fault: undefined,
  }
  session.begin()
  try {
    if (!session.capabilities.pipelining) await stepByStep(session, seen, { letter, recipients })
    else if (isCorked(session, letter)) await corked(session, seen, { letter, recipients })
    else await pipelined(session, seen, { letter, recipients })
  } catch (error) {
    if (!(error instanceof SessionFault)) {
      session.destroy()
      throw error
    }
    seen.fault = error
  }
  return seen
}

type Task = { readonly letter: Letter; readonly recipients: readonly Recipient[] }

async function pipelined(session: ClientSession, seen: Transaction, task: Task): Promise<void> {
  session.write(`${opening(session, task)}DATA\r\n`)
  await openingReplies(session, seen)
  if (session.leaving) return
  seen.data = await session.reply('data')
  if (seen.data.code !== 354) return misunderstood(session, seen.data)
  // RFC 2920 §3.1: a 354 without a recipient is answered by a lone dot, which sends nothing.
  if (isWanted(seen)) await sendContent(session, seen, task.letter)
  else session.write('.\r\n')
  await contentReply(session, seen)
}

async function corked(session: ClientSession, seen: Transaction, task: Task): Promise<void> {
  const { message, content } = task.letter
  if (!content.asIs) {
    // No dots are written here, but what must not leave must not leave this way either.
    const stuffer = new DotStuffer()
    stuffer.push(content.whole!)
    stuffer.end()
  }
  const prefix = prefixOf(session, message)
  const octets = Buffer.byteLength(prefix, 'utf8') + content.size
  session.write(`${opening(session, task)}BDAT ${octets} LAST\r\n${prefix}`)
  session.write(content.whole!)
  seen.contentSent = true
  await openingReplies(session, seen)
  if (session.leaving) return
  const reply = await session.reply('content')
  if (isWanted(seen)) seen.content = reply
  // After a refused chunk the peer may be in any state (RFC 3030 §2).
  session.dirty = !isPositive(reply)
}

/** Without PIPELINING each command waits for the reply to the one before. */
async function stepByStep(session: ClientSession, seen: Transaction, task: Task): Promise<void> {
  if (session.dirty) {
    await session.ask('RSET', 'reset')
    session.dirty = false
  }
  seen.mail = await session.ask(mailFrom(session, task), 'mail')
  if (!isPositive(seen.mail)) return
  session.dirty = true
  for (const [i, recipient] of task.recipients.entries()) {
    seen.recipients[i] = await session.ask(rcptTo(session, recipient), 'rcpt')
    if (session.leaving) return
  }
  if (!seen.recipients.some(isPositive)) return
  seen.data = await session.ask('DATA', 'data')
  if (seen.data.code !== 354) return misunderstood(session, seen.data)
  await sendContent(session, seen, task.letter)
  await contentReply(session, seen)
}

function opening(session: ClientSession, task: Task): string {
  let text = session.dirty ? 'RSET\r\n' : ''
  text += `${mailFrom(session, task)}\r\n`
  for (const recipient of task.recipients) text += `${rcptTo(session, recipient)}\r\n`
  return text
}

async function openingReplies(session: ClientSession, seen: Transaction): Promise<void> {
  if (session.dirty) {
    await session.reply('reset')
    session.dirty = false
    if (session.leaving) return
  }
  seen.mail = await session.reply('mail')
  session.dirty = isPositive(seen.mail)
  for (let i = 0; i < seen.recipients.length && !session.leaving; i++) {
    seen.recipients[i] = await session.reply('rcpt')
  }
}

function mailFrom(session: ClientSession, task: Task): string {
  const { message, by } = task.letter
  const { capabilities } = session
  const { reversePath, priority = 0 } = message
  const parameters = formatMailParameters({
    ...(capabilities.size !== undefined && { declaredSize: message.size }),
    // 8-bit content for a peer without 8BITMIME is sent as it is: to encode it would break the
    // signature, and RFC 6152 §3 leaves only a bounce beside that.
    body: capabilities.eightBitMime ? message.body : '7bit',
    smtputf8: capabilities.smtputf8 && (message.smtputf8 || addressesNeedUtf8(message, task)),
    requireTls: message.requireTls && capabilities.requireTls,
    ...(capabilities.deliverBy !== undefined && by && { by }),
    ...(capabilities.priority && priority !== 0 && { priority }),
    ...(capabilities.dsn && message.ret && { ret: message.ret }),
    ...(capabilities.dsn && message.envelopeId && { envelopeId: message.envelopeId }),
  })
  return `MAIL FROM:<${reversePath ? formatMailbox(reversePath) : ''}>${parameters}`
}

function rcptTo(session: ClientSession, recipient: Recipient): string {
  const parameters = session.capabilities.dsn ? dsnParameters(recipient) : ''
  return `RCPT TO:<${formatMailbox(recipient.mailbox)}>${parameters}`
}

/** An original recipient beyond ASCII can only be of the type utf-8 (RFC 6533 §3). */
function dsnParameters(recipient: Recipient): string {
  const original = recipient.originalRecipient
  if (original === undefined || !NOT_ASCII.test(original)) return formatRcptParameters(recipient)
  const originalRecipient = original.replace(/^[^;]*/, 'utf-8')
  return formatRcptParameters({ ...recipient, originalRecipient })
}

/** Addresses of this transaction that only SMTPUTF8 can carry (RFC 6531 §3.2). */
export function addressesNeedUtf8(
  message: Message,
  task: { readonly recipients: readonly Recipient[] },
): boolean {
  if (message.reversePath && needsSmtputf8(message.reversePath)) return true
  return task.recipients.some((recipient) => needsSmtputf8(recipient.mailbox))
}

async function sendContent(
  session: ClientSession,
  seen: Transaction,
  letter: Letter,
): Promise<void> {
  session.write(prefixOf(session, letter.message))
  const { whole, asIs } = letter.content
  if (whole && asIs) {
    session.write(whole)
    session.write('.\r\n')
    seen.contentSent = true
    return
  }
  const stuffer = new DotStuffer()
  if (whole) {
    for (const piece of stuffer.push(whole)) session.write(piece)
  } else {
    for await (const row of letter.content.rows()) {
      for (const piece of stuffer.push(row)) session.write(piece)
      const slow = session.drain()
      if (slow && (await lostWhileSending(session, seen, slow))) return
    }
  }
  session.write(stuffer.end())
  seen.contentSent = true
}

/** A peer that has had enough may say why and close: then its words count, not the lost connection. */
async function lostWhileSending(
  session: ClientSession,
  seen: Transaction,
  slow: Promise<void>,
): Promise<boolean> {
  try {
    await slow
    return false
  } catch (fault) {
    seen.content = await session.reply('content').catch(() => Promise.reject(fault))
    return true
  }
}

async function contentReply(session: ClientSession, seen: Transaction): Promise<void> {
  if (seen.content) return
  const reply = await session.reply('content')
  session.dirty = false
  if (seen.contentSent) seen.content = reply
}

/** A priority travels in a field through peers that do not know it (RFC 6758 §3.3). */
function prefixOf({ capabilities }: ClientSession, { prefix, priority = 0 }: Message): string {
  if (priority === 0 || capabilities.priority) return prefix
  return `MT-Priority: ${priority}\r\n${prefix}`
}

/** Neither go nor no: we do not know any more where the peer stands. */
function misunderstood(session: ClientSession, reply: Reply): void {
  if (reply.code < 400) session.leaving = true
}

/** A server that refused MAIL and yet took recipients is confused: it gets nothing. */
function isWanted(seen: Transaction): boolean {
  return isPositive(seen.mail) && seen.recipients.some(isPositive)
}

export function isPositive(reply: Reply | undefined): boolean {
  return reply !== undefined && reply.code >= 200 && reply.code < 300
}

function isCorked(session: ClientSession, letter: Letter): boolean {
  const { content, message } = letter
  if (!session.capabilities.chunking || !content.whole) return false
  return message.prefix.length + content.size <= CORKED_BYTES
}
