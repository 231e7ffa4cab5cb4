// The values of the fields that we add: Date, Message-ID (RFC 5322 §3.6) and Received (RFC 5321 §4.4).
// formatField folds them and makes them fields.

import { addressLiteral, type Domain, parseAddressLiteral, parseDomain } from './domain.ts'
import { formatMailbox, type Mailbox } from './mailbox.ts'

/**
 * `Fri, 21 Nov 1997 09:55:06 -0600` (RFC 5322 §3.3)
 * @param at milliseconds since 1970
 * @param offsetMinutes of the zone, east of Greenwich; `-360` is `-0600`
 */
export function formatDate(at: number, offsetMinutes = 0): string {
  const local = new Date(at + offsetMinutes * 60_000)
  const east = Math.abs(offsetMinutes)
  const zone = `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(east / 60))}${two(east % 60)}`
  // `Fri, 21 Nov 1997 09:55:06 GMT`, whatever the locale (ECMA-262 §21.4.4.43).
  return `${local.toUTCString().slice(0, -3)}${zone}`
}

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n)
}

/**
 * `<unique@domain>` (RFC 5322 §3.6.4). Receivers take a repeated one for a duplicate, so `unique`
 * should hold the message's id and some randomness, for the domain may have other servers.
 */
export function formatMessageIdValue(unique: string, domain: Domain): string {
  if (!/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(unique)) throw new TypeError('not a dot-atom')
  return `<${unique}@${domain}>`
}

/** What is told of how a message came. */
export type Trace = {
  /** What the client called itself; foreign text. */
  readonly helloName: string
  /** Where it came from, IPv4 or IPv6; anything else is left out. */
  readonly address: string
  /** Our name. */
  readonly by: Domain
  /** `ESMTP`, `ESMTPSA` … (RFC 3848, RFC 6531 §4.3). */
  readonly protocol: string
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`; told in a comment. */
  readonly tls?: string
  readonly id: string
  /** Only when there is one recipient, so that nobody learns of the others (RFC 5321 §7.6). */
  readonly recipient?: Mailbox
  /** Nothing of the client is told: neither its name nor its address. */
  readonly hidesClient?: boolean
  readonly at: number
}

/** The value of a Received field (RFC 5321 §4.4), on one line. Foreign text cannot leave its comment. */
export function formatReceivedValue(trace: Trace): string {
  const literal = addressLiteral(trace.address)
  const name = parseDomain(trace.helloName) ?? parseAddressLiteral(trace.helloName)
  const from = name ?? literal ?? 'unknown'
  const notes: string[] = []
  if (name === undefined && trace.helloName !== '') notes.push(`helo ${comment(trace.helloName)}`)
  if (literal && literal !== from) notes.push(literal)
  const told = notes.length > 0 ? ` (${notes.join(' ')})` : ''
  const tls = trace.tls ? ` (${comment(trace.tls)})` : ''
  const recipient = trace.recipient ? ` for <${formatMailbox(trace.recipient)}>` : ''
  const way = `by ${trace.by} with ${atom(trace.protocol)}${tls} id ${atom(trace.id)}${recipient}`
  const client = trace.hidesClient ? '' : `from ${from}${told} `
  return `${client}${way}; ${formatDate(trace.at)}`
}

/** Text for inside a comment: brackets and backslashes quoted, all but printable ASCII replaced (RFC 5322 §3.2.2). */
function comment(text: string): string {
  return text
    .slice(0, 255)
    .replace(/[^ -~]/g, '?')
    .replace(/[()\\]/g, '\\$&')
}

function atom(text: string): string {
  if (!/^[A-Za-z0-9_.-]+$/.test(text)) throw new TypeError(`not an atom: ${text}`)
  return text
}
