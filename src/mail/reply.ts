// SMTP replies in both directions (RFC 5321 §4.2): made and written by our server, put together from
// lines by our client, and thrown inside a Refusal by whoever says no.

import { type EnhancedStatus, formatStatus, parseStatus, status } from './status.ts'

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

/** `550 5.1.1 No such user`: all of it on one line, for logs, pages and bounces. */
export function describeReply(reply: Reply): string {
  const enhanced = reply.status ? `${formatStatus(reply.status)} ` : ''
  return `${reply.code} ${enhanced}${reply.text.join(' ')}`.trimEnd()
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

/** Why what the server says is no reply; the connection is of no more use. */
export type ReplyFault = { readonly fault: string }

const MOST_OCTETS = 64 * 1024
const MOST_LINES = 1000

/** Puts the lines of replies together. One reader serves one connection, reply after reply. */
export class ReplyReader {
  #text: string[] = []
  #status: EnhancedStatus | undefined
  #octets = 0

  /**
   * Takes a line without its CRLF; undefined means that the reply goes on. The code is the last
   * line's, should they differ. Control characters in the text become '?'.
   */
  push(line: string): Reply | ReplyFault | undefined {
    this.#octets += line.length + 2
    if (this.#octets > MOST_OCTETS || this.#text.length >= MOST_LINES) {
      return this.#fail('a reply without end')
    }
    const code = codeOf(line)
    const separator = line.charAt(3)
    if (code === 0 || !(separator === '' || separator === ' ' || separator === '-')) {
      return this.#fail(`not an SMTP reply: ${clean(line.slice(0, 80))}`)
    }
    this.#text.push(this.#withoutStatus(clean(line.slice(4)), Math.floor(code / 100)))
    return separator === '-' ? undefined : this.#finish(code)
  }

  /** Takes the enhanced status off the text; one whose class contradicts the code is only text (RFC 2034 §4). */
  #withoutStatus(text: string, digit: number): string {
    const second = text.charCodeAt(1)
    if (second !== 0x2e) return text // the common case without a regular expression
    const status = parseStatus(text)
    if (!status || status.class !== digit) return text
    this.#status ??= status
    return text.replace(/^\S+\s?/, '')
  }

  #finish(code: number): Reply {
    const text = this.#text
    const status = this.#status
    this.#reset()
    // A status that came with another code than the last line's belongs to neither.
    if (status && status.class === Math.floor(code / 100)) return { code, status, text }
    return { code, text }
  }

  #fail(fault: string): ReplyFault {
    this.#reset()
    return { fault }
  }

  #reset(): void {
    this.#text = []
    this.#status = undefined
    this.#octets = 0
  }
}

/** 200 to 599, or 0 for what is no reply code (RFC 5321 §4.2). */
function codeOf(line: string): number {
  const a = line.charCodeAt(0) - 0x30
  const b = line.charCodeAt(1) - 0x30
  const c = line.charCodeAt(2) - 0x30
  const valid = a >= 2 && a <= 5 && b >= 0 && b <= 9 && c >= 0 && c <= 9
  return valid ? a * 100 + b * 10 + c : 0
}

function clean(text: string): string {
  return /[\u0000-\u001f\u007f-\u009f]/.test(text)
    ? text.replace(/\t/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')
    : text
}
