import { type EnhancedStatus, formatStatus, status } from './status.ts'

/** An SMTP reply, in both directions (RFC 5321 §4.2). `text` is without codes, one item a line. */
export type Reply = {
  readonly code: number
  readonly status?: EnhancedStatus
  readonly text: readonly string[]
}

/** `reply(550, '5.1.1', 'No such user')` */
export function reply(code: number, enhanced: string | undefined, ...text: string[]): Reply {
  return enhanced === undefined ? { code, text } : { code, status: status(enhanced), text }
}

/** The octets on the wire, multi-line where there are several texts; every line ends with CRLF. */
export function formatReply(reply: Reply): string {
  const enhanced = reply.status ? `${formatStatus(reply.status)} ` : ''
  let out = ''
  for (let i = 0; i < reply.text.length; i++) {
    const dash = i < reply.text.length - 1 ? '-' : ' '
    out += `${reply.code}${dash}${enhanced}${printable(reply.text[i]!)}\r\n`
  }
  return out
}

/** Foreign text must not end our line or play tricks on a terminal. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]/g, '?')
}

/** The one throw that means "no": SMTP sends its reply, HTTP maps it to problem+json. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reply: Reply
  /** The connection is of no more use after this reply. */
  readonly hangUp: boolean

  constructor(reply: Reply, options?: { hangUp: boolean }) {
    super(formatReply(reply).trimEnd())
    this.reply = reply
    this.hangUp = options?.hangUp ?? reply.code === 421
  }
}

/** `throw refuse(550, '5.7.1', 'why and what to do')` */
export function refuse(code: number, enhanced: string, ...text: string[]): Refusal {
  return new Refusal(reply(code, enhanced, ...text))
}
