// The mail room: the words of the trade as values, and the grammars that read and write them. Every
// file names its RFC. All is pure and synchronous: text in, value or fault out; nothing here knows
// a socket, a clock or a disk. Parsers never throw on foreign text and take linear time; formatters
// throw (TypeError) on values that would break a line, because then our own program is wrong.
//
// A name has one parse and one form: whatever compares, signs, routes or shows a domain uses the
// value made here, so that two parts of the house cannot disagree about where mail goes.

import { isIPv4, isIPv6 } from 'node:net'
import { toASCII, toUnicode } from 'tr46'
import type { Brand } from '../std/brand.ts'

/** A domain name in lower case and A-labels, without the root's dot; made only by parseDomain. */
export type Domain = Brand<string, 'Domain'>

/** `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3); made only by parseAddressLiteral. */
export type AddressLiteral = Brand<string, 'AddressLiteral'>

const LONGEST_DOMAIN = 253
const LONGEST_LABEL = 63
/** Mapping may shorten a Unicode name (it drops soft hyphens), but not by much in honest names. */
const LONGEST_UNICODE = 255
const UTS46 = { checkHyphens: true, checkBidi: true, checkJoiners: true, verifyDNSLength: true }

/**
 * Reads a domain name, Unicode or ASCII, in any case, with or without the root's dot; undefined for
 * anything that cannot be one (RFC 1035 §2.3.4, RFC 5890 §2.3). Single labels (`localhost`) and
 * underscores (hosts in the wild have them) are allowed; a last label of digits only is not, for
 * then it is an address without its brackets (RFC 3696 §2).
 */
export function parseDomain(text: string): Domain | undefined {
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  switch (shapeOf(name)) {
    case 'plain':
      return name as Domain
    case 'upper':
      return name.toLowerCase() as Domain
    case 'international':
      return parseInternational(name)
    case 'wrong':
      return undefined
  }
}

/**
 * 'plain' is lower-case letters, digits, hyphens and dots where they may stand and needs no more
 * work; 'upper' the same with capitals; 'international' is for UTS 46 to judge.
 */
function shapeOf(name: string): 'plain' | 'upper' | 'international' | 'wrong' {
  const length = name.length
  if (length === 0 || length > LONGEST_UNICODE) return 'wrong'
  let start = 0 // of the label
  let upper = false
  let international = false
  let digitsOnly = true
  for (let i = 0; i < length; i++) {
    const code = name.charCodeAt(i)
    if (code >= 0x61 && code <= 0x7a) digitsOnly = false
    else if (code >= 0x30 && code <= 0x39) continue
    else if (code === 0x2e) {
      if (!international && !isLabelEdge(name, start, i)) return 'wrong'
      start = i + 1
      digitsOnly = true
    } else if (code === 0x2d || code === 0x5f) digitsOnly = false
    else if (code >= 0x41 && code <= 0x5a) {
      upper = true
      digitsOnly = false
    } else if (code >= 0x80) {
      international = true
      digitsOnly = false
    } else return 'wrong'
  }
  if (international || hasALabel(name)) return 'international'
  if (digitsOnly || length > LONGEST_DOMAIN || !isLabelEdge(name, start, length)) return 'wrong'
  return upper ? 'upper' : 'plain'
}

/** The label from `start` to `end` is neither empty, nor too long, nor edged by a hyphen. */
function isLabelEdge(name: string, start: number, end: number): boolean {
  const length = end - start
  if (length < 1 || length > LONGEST_LABEL) return false
  return name.charCodeAt(start) !== 0x2d && name.charCodeAt(end - 1) !== 0x2d
}

/** An `xn--` label needs decoding to be judged. */
function hasALabel(name: string): boolean {
  return name.includes('--') && /(?:^|\.)xn--/i.test(name)
}

function parseInternational(name: string): Domain | undefined {
  const ascii = toASCII(name, UTS46)
  // UTS 46 maps full-width forms and ideographic dots to ASCII: judge the result again.
  if (ascii === null || ascii.length > LONGEST_DOMAIN || !/^[a-z0-9._-]+$/.test(ascii)) return
  return /(?:^|\.)[0-9]+$/.test(ascii) ? undefined : (ascii as Domain)
}

/** Reads `[192.0.2.1]` or `[IPv6:…]` (RFC 5321 §4.1.3); IPv6 in lower case afterwards. */
export function parseAddressLiteral(text: string): AddressLiteral | undefined {
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined
  const inner = text.slice(1, -1)
  if (isIPv4(inner)) return text as AddressLiteral
  if (!/^ipv6:/i.test(inner)) return undefined
  const address = inner.slice(5)
  if (!isIPv6(address) || address.includes('%')) return undefined // no zones (RFC 6874) in mail
  return `[IPv6:${address.toLowerCase()}]` as AddressLiteral
}

/** The address inside a literal: `192.0.2.1`, `2001:db8::1`. */
export function literalAddress(literal: AddressLiteral): string {
  return literal.startsWith('[IPv6:') ? literal.slice(6, -1) : literal.slice(1, -1)
}

/** The literal for an IPv4 or IPv6 address; undefined for anything else. */
export function addressLiteral(address: string): AddressLiteral | undefined {
  return parseAddressLiteral(isIPv4(address) ? `[${address}]` : `[IPv6:${address}]`)
}

export function isAddressLiteral(name: Domain | AddressLiteral): name is AddressLiteral {
  return name.charCodeAt(0) === 0x5b
}

/** The name one label up, `example.com` for `mail.example.com`; undefined above a single label. */
export function parentDomain(domain: Domain): Domain | undefined {
  const dot = domain.indexOf('.')
  return dot < 0 ? undefined : (domain.slice(dot + 1) as Domain)
}

/** The name for people: U-labels where decoding and encoding agree, else the A-labels. */
export function displayDomain(domain: Domain): string {
  if (!domain.includes('xn--')) return domain
  const { domain: unicode, error } = toUnicode(domain, UTS46)
  return !error && toASCII(unicode, UTS46) === domain ? unicode : domain
}
