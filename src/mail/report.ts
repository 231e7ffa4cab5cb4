// Delivery status notifications: what a person reads, what a program reads, and what it is about
// (RFC 6522, RFC 3464; with UTF-8 RFC 6533). Builds octets from words that others chose; foreign text
// is tamed here, so no answer of a remote server can add a field or a part.

import type { Domain } from './domain.ts'
import { encodeWords } from './encoded-word.ts'
import type { BodyType, Recipient } from './envelope.ts'
import { formatField } from './header.ts'
import { formatMailbox, type Mailbox, needsSmtputf8 } from './mailbox.ts'
import { type EnhancedStatus, formatStatus } from './status.ts'
import { formatDate } from './trace.ts'
import { encodeUtf8Address } from './xtext.ts'

/** What became of a recipient (RFC 3464 §2.3.3). */
export type ReportAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

export type ReportedRecipient = {
  readonly recipient: Recipient
  readonly action: ReportAction
  readonly status: EnhancedStatus
  /** The server that answered. */
  readonly remoteMta?: string
  /** What was said, with its type: `smtp` for a reply, else a word of our own that begins with `X-`. */
  readonly diagnostic?: { readonly type: string; readonly text: string }
  readonly lastAttemptAt?: number
  readonly willRetryUntil?: number
}

export type Report = {
  readonly from: Mailbox
  readonly to: Mailbox
  readonly subject: string
  /** What a person reads; lines end with a line feed. */
  readonly text: string
  readonly at: number
  /** With its angle brackets. */
  readonly messageId: string
  /** Message-ID of the message that this is about, when it has one. */
  readonly about?: string
  readonly reportingMta: Domain
  /** ENVID as the sender gave it (RFC 3461 §4.4). */
  readonly envelopeId?: string
  readonly arrivedAt: number
  readonly recipients: readonly ReportedRecipient[]
  /** The message or its header; absent when neither can be had. */
  readonly returned?: { readonly what: 'message' | 'header'; readonly octets: Uint8Array }
  /** The sender spoke SMTPUTF8, so the report may, too. */
  readonly utf8: boolean
  /** So did the message that it is about (RFC 8689 §3): `TLS-Required: No`. */
  readonly tlsOptional?: boolean
}

/** The message, and what its envelope must announce. */
export type BuiltReport = {
  readonly content: Buffer
  readonly body: BodyType
  readonly smtputf8: boolean
}

const LONGEST_TEXT = 2_000
/** An address that still fits a line of a field. */
const LONGEST_ADDRESS = 900

export function buildReport(report: Report): BuiltReport {
  const boundary = freshBoundary(report)
  const pieces: Uint8Array[] = [
    Buffer.from(
      `${header(report, boundary)}\r\n` +
        part(boundary, textPart(report.text)) +
        part(boundary, statusPart(report)) +
        (report.returned ? part(boundary, returnedHeader(report, report.returned)) : ''),
    ),
  ]
  if (report.returned) {
    pieces.push(report.returned.octets)
    if (!endsWithBreak(report.returned.octets)) pieces.push(Buffer.from('\r\n'))
  }
  pieces.push(Buffer.from(`\r\n--${boundary}--\r\n`))
  const content = Buffer.concat(pieces)
  return {
    content,
    body: isSevenBit(content) ? '7bit' : '8bitmime',
    smtputf8: needsSmtputf8(report.to),
  }
}

function header(report: Report, boundary: string): string {
  return (
    formatField('From', `Mail Delivery System <${formatMailbox(report.from)}>`) +
    formatField('To', `<${formatMailbox(report.to)}>`) +
    formatField('Subject', encodeWords(tame(report.subject))) +
    formatField('Date', formatDate(report.at)) +
    formatField('Message-ID', report.messageId) +
    (report.about === undefined ? '' : reference(report.about)) +
    // RFC 3834 §5: nothing may answer this by itself.
    formatField('Auto-Submitted', 'auto-replied') +
    (report.tlsOptional ? formatField('TLS-Required', 'No') : '') +
    formatField('MIME-Version', '1.0') +
    formatField(
      'Content-Type',
      `multipart/report; report-type=delivery-status; boundary="${boundary}"`,
    )
  )
}

function reference(about: string): string {
  if (!/^<[!-;=?-~]{1,400}>$/.test(about)) return ''
  return formatField('In-Reply-To', about) + formatField('References', about)
}

function part(boundary: string, content: string): string {
  return `\r\n--${boundary}\r\n${content}`
}

/** What a person reads; in base64 when it is not ASCII, so that it passes every server. */
function textPart(text: string): string {
  const lines = text.replace(/\r?\n/g, '\r\n')
  const type = 'Content-Type: text/plain; charset=utf-8\r\n'
  if (isAscii(lines)) return `${type}Content-Transfer-Encoding: 7bit\r\n\r\n${lines}`
  const encoded = Buffer.from(lines).toString('base64').replace(/.{76}/g, '$&\r\n')
  return `${type}Content-Transfer-Encoding: base64\r\n\r\n${encoded}`
}

/** RFC 3464 §2, RFC 6533 §5 */
function statusPart(report: Report): string {
  const type = report.utf8 ? 'message/global-delivery-status' : 'message/delivery-status'
  let fields = formatField('Reporting-MTA', `dns; ${report.reportingMta}`)
  if (report.envelopeId !== undefined)
    fields += formatField('Original-Envelope-Id', value(report.envelopeId, report.utf8))
  fields += formatField('Arrival-Date', formatDate(report.arrivedAt))
  for (const recipient of report.recipients)
    fields += `\r\n${recipientFields(recipient, report.utf8)}`
  const encoding = isAscii(fields) ? '7bit' : '8bit'
  return `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${fields}`
}

/** RFC 3464 §2.3 */
function recipientFields(reported: ReportedRecipient, utf8: boolean): string {
  const { recipient, diagnostic } = reported
  let fields = ''
  if (recipient.originalRecipient !== undefined)
    fields += formatField(
      'Original-Recipient',
      originalRecipient(recipient.originalRecipient, utf8),
    )
  fields += formatField('Final-Recipient', typedAddress(formatMailbox(recipient.mailbox), utf8))
  fields += formatField('Action', reported.action)
  fields += formatField('Status', formatStatus(reported.status))
  if (reported.remoteMta !== undefined)
    fields += formatField('Remote-MTA', `dns; ${value(reported.remoteMta, false)}`)
  if (diagnostic)
    fields += formatField('Diagnostic-Code', `${diagnostic.type}; ${value(diagnostic.text, utf8)}`)
  if (reported.lastAttemptAt !== undefined)
    fields += formatField('Last-Attempt-Date', formatDate(reported.lastAttemptAt))
  if (reported.willRetryUntil !== undefined)
    fields += formatField('Will-Retry-Until', formatDate(reported.willRetryUntil))
  return fields
}

/** `rfc822; a@b`, and `utf-8; …` for what is not ASCII (RFC 6533 §3). */
function typedAddress(address: string, utf8: boolean): string {
  if (isAscii(address)) return `rfc822; ${value(address, false)}`
  if (utf8) return `utf-8; ${value(address, true)}`
  const encoded = encodeUtf8Address(address)
  // One that is longer than any mailbox fits no line; what is left of it is for people.
  return `utf-8; ${encoded.length > LONGEST_ADDRESS ? tame(encoded) : encoded}`
}

function originalRecipient(text: string, utf8: boolean): string {
  const semicolon = text.indexOf(';')
  const type = text.slice(0, semicolon)
  const address = text.slice(semicolon + 1)
  if (!/^[A-Za-z0-9-]{1,40}$/.test(type)) return `unknown; ${value(text, utf8)}`
  if (type.toLowerCase() === 'utf-8') return typedAddress(address, utf8)
  return `${type}; ${value(address, utf8)}`
}

function returnedHeader(report: Report, returned: NonNullable<Report['returned']>): string {
  const whole = returned.what === 'message'
  const type = report.utf8
    ? `message/global${whole ? '' : '-headers'}`
    : whole
      ? 'message/rfc822'
      : 'text/rfc822-headers'
  const encoding = isSevenBit(returned.octets) ? '7bit' : '8bit'
  return `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`
}

/** One that stands nowhere in what is returned. */
function freshBoundary(report: Report): string {
  const octets = report.returned ? Buffer.from(report.returned.octets) : Buffer.alloc(0)
  for (let n = 0; ; n++) {
    const boundary = `=_report_${report.at.toString(36)}_${n}`
    if (!octets.includes(boundary) && !report.text.includes(boundary)) return boundary
  }
}

/** Text for a machine's field: tamed, and ASCII unless the report speaks UTF-8. */
function value(text: string, utf8: boolean): string {
  const tamed = tame(text)
  return utf8 ? tamed : tamed.replace(/[^\u0000-\u007f]/gu, '?')
}

/** Foreign text on one line: no controls, single spaces, no word that cannot be folded (the longest mailbox stays whole). */
export function tame(text: string): string {
  return text
    .slice(0, LONGEST_TEXT)
    .toWellFormed()
    .replace(/[\u0000-\u0020\u007f-\u009f\u2028\u2029]+/g, ' ')
    .replace(/[^ ]{280}(?=[^ ])/g, '$& ')
    .trim()
}

function isAscii(text: string): boolean {
  return !/[^\u0000-\u007f]/.test(text)
}

function isSevenBit(octets: Uint8Array): boolean {
  return octets.every((octet) => octet < 0x80)
}

function endsWithBreak(octets: Uint8Array): boolean {
  return octets.at(-2) === 0x0d && octets.at(-1) === 0x0a
}
