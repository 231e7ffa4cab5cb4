// Whom to tell what, and in which words. A notice goes to the reverse-path, never to anyone else and
// never when that is null: there is no bounce of a bounce (RFC 5321 §4.5.5). NOTIFY decides for each
// recipient (RFC 3461 §4.1), RET how much of the message goes back (§4.3).

import type { Batch } from '../mail/batch.ts'
import type { Domain } from '../mail/domain.ts'
import type { QueueEntry } from '../mail/entry.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import { describeCause, type Failure } from '../mail/failure.ts'
import { bodyStart, fieldValue, findField, splitHeader } from '../mail/header.ts'
import type { Mailbox } from '../mail/mailbox.ts'
import { type Content, formatMessageId, type Message } from '../mail/message.ts'
import { describeReply, type Reply } from '../mail/reply.ts'
import { buildReport, type ReportAction, type ReportedRecipient } from '../mail/report.ts'
import { status } from '../mail/status.ts'
import type { NewMessage } from '../store/store.ts'
import { type Language, noticeSubject, noticeText } from './words.ts'

/** Makes a notice a message of the queue (fields, signature, entries) without storing it. Rejects with a Refusal when it cannot. */
export type Compose = (
  envelope: Envelope,
  content: Uint8Array,
  options: { readonly about: Pick<Message, 'fromDomain' | 'world'> },
) => Promise<NewMessage>

/** What a sender is to hear of one recipient. */
export type Owed = {
  readonly entry: QueueEntry
  readonly action: Extract<ReportAction, 'failed' | 'delayed' | 'relayed'>
  readonly failure?: Failure
  readonly reply?: Reply
  /** Given up for its age, not for an answer. */
  readonly expired?: boolean
  /** And that because the sender had no use for it after this. */
  readonly by?: number
  readonly lastAttemptAt?: number
  readonly willRetryUntil?: number
}

export type NoticeOptions = {
  readonly hostname: Domain
  readonly compose: Compose
  /** English comes first in any case. */
  readonly languages: readonly Language[]
  readonly at: number
}

/** A message that is returned whole is at most so large. */
const LARGEST_RETURNED = 64 * 1024
const LARGEST_HEADER = 256 * 1024

/** Does the sender want to hear of this? By default of failure and delay, not of success (RFC 3461 §4.1). */
export function wants(recipient: Recipient, what: 'success' | 'failure' | 'delay'): boolean {
  const { notify } = recipient
  if (notify === undefined) return what !== 'success'
  return notify !== 'never' && notify[what]
}

/** One report for all that is owed about one message. */
export async function makeNotice(
  batch: Batch,
  owed: readonly Owed[],
  options: NoticeOptions & { to: Mailbox },
): Promise<NewMessage> {
  const { message } = batch
  const { hostname, compose, at, to } = options
  const original = await readOriginal(batch)
  const fields = original && splitHeader(original.header.toString('latin1'))
  const field = (name: string) => {
    const found = Array.isArray(fields) ? findField(fields, name) : undefined
    return found && fieldValue(found)
  }
  const about = field('message-id')
  const subject = field('subject')
  const report = buildReport({
    from: { localPart: 'mailer-daemon', domain: message.fromDomain },
    to,
    subject: noticeSubject(owed),
    text: noticeText(owed, { message, hostname, languages: options.languages, subject }),
    at,
    messageId: `<${formatMessageId(message.id)}.${owed[0]?.entry.index}.${at.toString(36)}@${hostname}>`,
    ...(about !== undefined && { about }),
    reportingMta: hostname,
    ...(message.envelopeId !== undefined && { envelopeId: message.envelopeId }),
    arrivedAt: message.acceptedAt,
    recipients: owed.map(reported),
    ...(original && { returned: original.returned }),
    utf8: message.smtputf8,
    ...(message.tlsOptional && { tlsOptional: true }),
  })
  const envelope: Envelope = {
    reversePath: null,
    recipients: [{ mailbox: to }],
    body: report.body,
    smtputf8: report.smtputf8,
    requireTls: message.requireTls, // RFC 8689 §5
  }
  return compose(envelope, report.content, { about: message })
}

function reported(owed: Owed): ReportedRecipient {
  const { entry, failure, reply } = owed
  const cause = failure?.cause
  const answer = reply ?? (cause?.kind === 'reply' ? cause.reply : undefined)
  return {
    recipient: entry.recipient,
    action: owed.action,
    status: statusOf(owed),
    ...(cause?.kind === 'reply' && { remoteMta: cause.host }),
    ...(answer
      ? { diagnostic: { type: 'smtp', text: describeReply(answer) } }
      : cause && { diagnostic: { type: 'X-Posthorn', text: describeCause(cause) } }),
    ...(owed.lastAttemptAt !== undefined && { lastAttemptAt: owed.lastAttemptAt }),
    ...(owed.willRetryUntil !== undefined && { willRetryUntil: owed.willRetryUntil }),
  }
}

/** What expired tells the real problem, and 4.4.7 only when none is known (RFC 3463 §3.5). */
function statusOf({ failure, reply, action, by }: Owed) {
  if (by !== undefined) return status('5.4.7')
  if (action === 'relayed') return reply?.status?.class === 2 ? reply.status : status('2.0.0')
  if (!failure) return status(action === 'failed' ? '4.4.7' : '4.0.0')
  const vague = failure.status.subject === 0 && failure.status.detail === 0
  return vague && failure.permanence === 'transient' ? status('4.4.7') : failure.status
}

type Original = {
  readonly header: Buffer
  readonly returned: { readonly what: 'message' | 'header'; readonly octets: Uint8Array }
}

/** The message as it left us, or its header; undefined when the store cannot read it. */
async function readOriginal(batch: Batch): Promise<Original | undefined> {
  const { message } = batch
  // What needed TLS goes back without its text (RFC 8689 §5).
  const whole = message.ret === 'full' && message.size <= LARGEST_RETURNED && !message.requireTls
  try {
    const octets = Buffer.concat([
      Buffer.from(message.prefix),
      await readStart(await batch.content(), { whole }),
    ])
    const body = bodyStart(octets)
    const header = body < 0 ? octets : octets.subarray(0, body)
    if (whole) return { header, returned: { what: 'message', octets } }
    return {
      header,
      returned: { what: 'header', octets: body < 0 ? header : header.subarray(0, -2) },
    }
  } catch {
    return undefined // The report is complete without it (RFC 6522 §3).
  }
}

/** The rows up to the end of the header, or all of them. */
async function readStart(content: Content, { whole }: { whole: boolean }): Promise<Buffer> {
  if (content.whole) return Buffer.from(content.whole)
  const rows: Uint8Array[] = []
  let size = 0
  for await (const row of content.rows()) {
    rows.push(row)
    size += row.length
    if (!whole && (size > LARGEST_HEADER || bodyStart(Buffer.from(row)) >= 0)) break
  }
  return Buffer.concat(rows)
}
