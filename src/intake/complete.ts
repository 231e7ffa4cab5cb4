// What submission adds, takes away and refuses in a header (RFC 6409 §8, RFC 5322 §3.6): the message
// that leaves must be one that every receiver reads in the same way. Safe repairs are done silently;
// everything else is refused with the reason and what to do, for nobody but the author can know
// what was meant. No To field is added: RFC 5322 asks for none, and an invented one helps nobody.

import { isUtf8 } from 'node:buffer'
import { parseAddressList } from '../mail/address-list.ts'
import { type Domain, isAddressLiteral } from '../mail/domain.ts'
import type { Envelope } from '../mail/envelope.ts'
import { fieldValue, formatField, type HeaderField } from '../mail/header.ts'
import { formatMailbox, type Mailbox } from '../mail/mailbox.ts'
import { formatMessageId, type MessageId } from '../mail/message.ts'
import { refuse } from '../mail/reply.ts'
import { formatDate, formatMessageIdValue, formatReceivedValue } from '../mail/trace.ts'
import type { Origin } from './door.ts'

export type CompleteOptions = {
  readonly envelope: Envelope
  readonly origin: Origin
  readonly id: MessageId
  readonly hostname: Domain
  /** Makes Message-IDs unique beside those of other servers: letters and digits. */
  readonly nonce: string
  readonly now: number
  readonly mostReceived: number
  /** Our Received field does not tell of the client. */
  readonly hidesClient?: boolean
}

export type CompleteHeader = {
  /** The one author in From. */
  readonly author: Mailbox
  /** What goes on top of the message, under the signature; octets as latin-1 text. */
  readonly added: readonly HeaderField[]
  /** The client's fields that stay, in order. */
  readonly kept: readonly HeaderField[]
  /** Of these, the Message-ID. */
  readonly messageId: HeaderField
  /** It says `TLS-Required: No` (RFC 8689 §3). */
  readonly tlsOptional: boolean
}

/** Each may stand once (RFC 5322 §3.6, RFC 2045 §3); receivers disagree on which of two they show. */
const SINGLE: ReadonlySet<string> = new Set([
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'tls-required',
])

/**
 * Blind copies must stay blind (RFC 5322 §3.6.3); Return-Path is the receiver's to write (RFC 5321
 * §4.4), and MT-Priority is ours (RFC 6758).
 */
const DROPPED: ReadonlySet<string> = new Set(['bcc', 'resent-bcc', 'return-path', 'mt-priority'])

/** Completes and checks a header. Throws a Refusal for what cannot be sent so. */
export function complete(fields: readonly HeaderField[], options: CompleteOptions): CompleteHeader {
  const single = new Map<string, HeaderField>()
  const kept: HeaderField[] = []
  let received = 0
  for (const field of fields) {
    const name = field.lowerName
    if (NOT_ASCII.test(field.raw)) checkOctets(field, options.envelope)
    if (name === 'received' && ++received > options.mostReceived) {
      throw refuse(
        554,
        '5.4.6',
        `Too many hops: the message has more than ${options.mostReceived} Received fields, it runs in circles`,
      )
    }
    if (DROPPED.has(name)) continue
    if (SINGLE.has(name)) {
      const first = single.get(name)
      if (first && isSame(first, field)) continue
      if (first) throw twice(field)
      if (name === 'message-id' && isEmpty(field)) continue
      single.set(name, field)
    }
    kept.push(field)
  }
  const from = single.get('from')
  const author = from ? authorOf(from) : sender(options.envelope)
  const messageId = single.get('message-id') ?? newMessageId(author, options)
  const tls = single.get('tls-required')
  const tlsOptional = tls !== undefined && /^no$/i.test(fieldValue(tls).trim())
  const added = addedFields(single, { author, messageId }, options)
  return { author, added, kept, messageId, tlsOptional }
}

const NOT_ASCII = /[^\0-\x7f]/

function checkOctets(field: HeaderField, envelope: Envelope): void {
  if (!envelope.smtputf8) {
    throw refuse(
      550,
      '5.6.7',
      `8-bit characters in the ${printable(field.name)} field. Fix: encode them as mail libraries do (RFC 2047, ` +
        '=?UTF-8?B?...?=), or use SMTPUTF8',
    )
  }
  if (!isUtf8(Buffer.from(field.raw, 'latin1'))) {
    throw refuse(
      550,
      '5.6.0',
      `The ${printable(field.name)} field is not valid UTF-8. Fix: write it in UTF-8`,
    )
  }
}

function isSame(a: HeaderField, b: HeaderField): boolean {
  return a.raw === b.raw || fieldValue(a) === fieldValue(b)
}

function isEmpty(field: HeaderField): boolean {
  return fieldValue(field) === ''
}

function twice(field: HeaderField): Error {
  const name = printable(field.name)
  const fix = ['to', 'cc', 'reply-to'].includes(field.lowerName)
    ? `put all addresses into one ${name} field, with commas`
    : 'leave one'
  return refuse(550, '5.6.0', `Two ${name} fields with different text. Fix: ${fix}`)
}

/** The one author. More than one would need a Sender field, and receivers refuse it (RFC 7489 §6.6.1). */
function authorOf(from: HeaderField): Mailbox {
  const value = octetsToText(fieldValue(from))
  const parsed = parseAddressList(value)
  if (!Array.isArray(parsed)) {
    throw refuse(
      550,
      '5.6.0',
      `The From field cannot be read, ${parsed.fault}: ${printable(value)}. Fix: write From: Name <name@example.com>`,
    )
  }
  const [author, second] = parsed
  if (!author || second) {
    throw refuse(
      550,
      '5.6.0',
      `The From field has ${author ? 'more than one address' : 'no address'}. Fix: write From: Name <name@example.com>`,
    )
  }
  return author.mailbox
}

/** Without a From field the envelope tells who writes. */
function sender(envelope: Envelope): Mailbox {
  if (envelope.reversePath) return envelope.reversePath
  throw refuse(
    550,
    '5.6.0',
    'The message has no From field, and MAIL FROM is empty. Fix: add From: Name <name@example.com>',
  )
}

function addedFields(
  present: ReadonlyMap<string, HeaderField>,
  { author, messageId }: { readonly author: Mailbox; readonly messageId: HeaderField },
  options: CompleteOptions,
): HeaderField[] {
  const { now } = options
  const added = [newField('Received', receivedValue(options))]
  if (!present.has('date')) added.push(newField('Date', formatDate(now)))
  if (!present.has('from')) added.push(newField('From', formatMailbox(author)))
  if (!present.has('message-id')) added.push(messageId)
  const isMime = present.has('content-type') || present.has('content-transfer-encoding')
  if (isMime && !present.has('mime-version')) added.push(newField('MIME-Version', '1.0'))
  return added
}

function newMessageId(author: Mailbox, { id, hostname, nonce }: CompleteOptions): HeaderField {
  const domain = isAddressLiteral(author.domain) ? hostname : author.domain
  return newField('Message-ID', formatMessageIdValue(`${formatMessageId(id)}.${nonce}`, domain))
}

function newField(name: string, value: string): HeaderField {
  const text = formatField(name, value)
  const raw = NOT_ASCII.test(text) ? Buffer.from(text).toString('latin1') : text
  return { name, lowerName: name.toLowerCase(), raw }
}

/** Octets as latin-1 text, as header fields hold them, to the text that they mean in UTF-8. */
export function octetsToText(octets: string): string {
  return NOT_ASCII.test(octets) ? Buffer.from(octets, 'latin1').toString('utf8') : octets
}

function receivedValue(options: CompleteOptions): string {
  const { envelope, origin, id, hostname, now, hidesClient } = options
  const [first, second] = envelope.recipients
  return formatReceivedValue({
    helloName: origin.helloName,
    address: origin.address,
    by: hostname,
    protocol: origin.protocol,
    ...(origin.tls === undefined ? {} : { tls: origin.tls }),
    id: formatMessageId(id),
    ...(first && !second ? { recipient: first.mailbox } : {}),
    ...(hidesClient ? { hidesClient } : {}),
    at: now,
  })
}

function printable(text: string): string {
  return text.slice(0, 80).replace(/[^ -~]/g, '?')
}
