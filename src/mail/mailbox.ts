// Mailboxes as they stand in SMTP commands and the API: RFC 5321 §4.1.2, with the UTF-8 of RFC 6531
// §3.3. Header addresses with names, comments and groups are address-list.ts.

import { type AddressLiteral, type Domain, parseAddressLiteral, parseDomain } from './domain.ts'

/** `localPart` is unquoted; `domain` is lower case, A-labels (RFC 5321 §4.1.2, RFC 6531). */
export type Mailbox = { readonly localPart: string; readonly domain: Domain | AddressLiteral }

/** What a path may hold: `<>`, `<Postmaster>` (RFC 5321 §4.5.1) or a mailbox. */
export type Path =
  | { readonly kind: 'null' }
  | { readonly kind: 'postmaster' }
  | { readonly kind: 'mailbox'; readonly mailbox: Mailbox }

/** RFC 5321 §4.5.3.1.1, in octets. */
const LONGEST_LOCAL_PART = 64
/** RFC 5321 §4.5.3.1.3: a path has 256 octets with its brackets. */
const LONGEST_MAILBOX = 254

const NULL_PATH: Path = { kind: 'null' }
const POSTMASTER_PATH: Path = { kind: 'postmaster' }

/** Dot-string (RFC 5321 §4.1.2); above ASCII all but C1 controls and the replacement character. */
const DOT_STRING =
  /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u00a0-\ufffc]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u00a0-\ufffc]+)*$/
/** What may stand inside a quoted string, unquoted: printable ASCII, space, UTF-8. */
const QUOTABLE = /^[\u0020-\u007e\u00a0-\ufffc]*$/
const NOT_ASCII = /[^\u0000-\u007f]/

/**
 * Reads `local@domain` as it stands in a path; undefined when it is not a Mailbox. The text is
 * decoded UTF-8. `describeBadMailbox` says why it failed.
 */
export function parseMailbox(text: string): Mailbox | undefined {
  if (text.charCodeAt(0) === 0x22) return parseQuoted(text)
  const at = text.lastIndexOf('@')
  if (at < 1) return undefined
  const localPart = text.slice(0, at)
  if (!DOT_STRING.test(localPart)) return undefined
  return makeMailbox(localPart, text.slice(at + 1))
}

/** `"quoted local part"@domain` */
function parseQuoted(text: string): Mailbox | undefined {
  const end = endOfQuotedString(text, 0)
  if (end < 0 || text.charCodeAt(end) !== 0x40) return undefined
  const localPart = text.slice(1, end - 1).replace(/\\(.)/gsu, '$1')
  if (localPart === '' || !QUOTABLE.test(localPart)) return undefined
  return makeMailbox(localPart, text.slice(end + 1))
}

/**
 * Joins an unquoted local part and a domain or address literal; undefined when one of them is
 * impossible or too long.
 */
export function makeMailbox(localPart: string, domainText: string): Mailbox | undefined {
  if (localPart === '' || domainText.endsWith('.') || !QUOTABLE.test(localPart)) return undefined
  const domain =
    domainText.charCodeAt(0) === 0x5b ? parseAddressLiteral(domainText) : parseDomain(domainText)
  if (domain === undefined) return undefined
  const octets = octetsOf(localPart)
  if (octets > LONGEST_LOCAL_PART || octets + 1 + domain.length > LONGEST_MAILBOX) return undefined
  return localPart.isWellFormed() ? { localPart, domain } : undefined
}

function octetsOf(text: string): number {
  return NOT_ASCII.test(text) ? Buffer.byteLength(text) : text.length
}

/** The place after the quoted string that opens at `start`; -1 when it never closes. */
export function endOfQuotedString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22) return i + 1
    if (code === 0x5c) i++
  }
  return -1
}

/** `local@domain`, the local part quoted where it must be. */
export function formatMailbox(mailbox: Mailbox): string {
  return `${formatLocalPart(mailbox.localPart)}@${mailbox.domain}`
}

/** A local part for the wire: as it is if it is a dot-string, else quoted. */
export function formatLocalPart(localPart: string): string {
  if (DOT_STRING.test(localPart)) return localPart
  if (!QUOTABLE.test(localPart)) throw new TypeError('local part with control characters')
  return `"${localPart.replace(/["\\]/g, '\\$&')}"`
}

/**
 * Local parts are compared as they are: only their own server knows more (RFC 5321 §2.4).
 * Postmaster is the exception (RFC 5321 §4.5.1).
 */
export function sameMailbox(a: Mailbox, b: Mailbox): boolean {
  if (a.domain !== b.domain) return false
  if (a.localPart === b.localPart) return true
  return isPostmaster(a) && isPostmaster(b)
}

export function isPostmaster(mailbox: Mailbox): boolean {
  return mailbox.localPart.length === 10 && mailbox.localPart.toLowerCase() === 'postmaster'
}

/** Only the local part can need it: the domain has its A-labels (RFC 6531 §3.2). */
export function needsSmtputf8(mailbox: Mailbox): boolean {
  return NOT_ASCII.test(mailbox.localPart)
}

/**
 * Reads a path: `<user@domain>`, `<>`, `<Postmaster>`; a source route is read and dropped
 * (RFC 5321 §4.1.2 and appendix C). The brackets may be missing, as many clients and people at a
 * terminal leave them out, and other servers take that too; an empty text is no path.
 */
export function parsePath(text: string): Path | undefined {
  let inner = text
  if (text.charCodeAt(0) === 0x3c) {
    if (text.charCodeAt(text.length - 1) !== 0x3e) return undefined
    if (text.length === 2) return NULL_PATH
    inner = text.slice(1, -1)
    if (inner.charCodeAt(0) === 0x40) {
      const mailboxText = afterSourceRoute(inner)
      if (mailboxText === undefined) return undefined
      inner = mailboxText
    }
  }
  const mailbox = parseMailbox(inner)
  if (mailbox) return { kind: 'mailbox', mailbox }
  return inner.length === 10 && inner.toLowerCase() === 'postmaster' ? POSTMASTER_PATH : undefined
}

/** The local part of a path without a domain, such as `<root>`; undefined for everything else. */
export function parseBareName(text: string): string | undefined {
  const inner = text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text
  if (!DOT_STRING.test(inner) || octetsOf(inner) > LONGEST_LOCAL_PART) return undefined
  return inner.isWellFormed() ? inner : undefined
}

/** `@a.example,@b.example:user@c.example` → `user@c.example` */
function afterSourceRoute(inner: string): string | undefined {
  const colon = inner.indexOf(':')
  if (colon < 0 || colon > 1024) return undefined
  const hops = inner.slice(0, colon).split(',')
  const valid = hops.every((hop) => hop.charCodeAt(0) === 0x40 && parseDomain(hop.slice(1)))
  return valid ? inner.slice(colon + 1) : undefined
}

/** Why `parseMailbox` or `parsePath` said no, as the end of a sentence: "…: it has no @". */
export function describeBadMailbox(path: string): string {
  const text = path.replace(/^<|>$/g, '')
  if (text === '') return 'it is empty'
  if (text.includes('\ufffd')) return 'it is not valid UTF-8'
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) return 'it has control characters'
  const quoted = text.charCodeAt(0) === 0x22
  const at = quoted ? endOfQuotedString(text, 0) : text.lastIndexOf('@')
  if (quoted && at < 0) return 'its quoted part never ends'
  if (at < 0 || text[at] !== '@') return 'it has no @ and domain'
  if (at === 0) return 'nothing stands before its @'
  const localPart = text.slice(0, at)
  if (octetsOf(localPart) > LONGEST_LOCAL_PART) {
    return `more than ${LONGEST_LOCAL_PART} octets stand before its @`
  }
  if (!quoted && !DOT_STRING.test(localPart)) return describeBadLocalPart(localPart)
  const domainText = text.slice(at + 1)
  if (domainText === '') return 'nothing stands after its @'
  if (domainText.startsWith('[')) return 'its address in [ ] must be [IPv4] or [IPv6:address]'
  if (/^[0-9.]+$/.test(domainText)) return 'an address instead of a domain must stand in [ ]'
  if (domainText.endsWith('.')) return 'its domain ends with a dot'
  return parseDomain(domainText) ? 'it is too long' : 'its domain is not a domain name'
}

function describeBadLocalPart(localPart: string): string {
  if (/^\.|\.$|\.\./.test(localPart)) return 'it has a dot too many before its @ (or needs quotes)'
  if (localPart.includes(' ')) return 'it has a space before its @ (or needs quotes)'
  return 'it has characters before its @ that need quotes'
}
