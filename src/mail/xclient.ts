// XCLIENT, as Postfix specifies it: what a proxy that speaks SMTP itself says of the client for whom
// it speaks. The grammar alone: attributes are `NAME=value`, values are xtext (RFC 3461 §4).

import { isIPv4, isIPv6 } from 'node:net'
import { upperCase } from './ascii.ts'
import { decodeXtext } from './xtext.ts'

/** What was said; null: the proxy does not know it. What it says of names and of ports of ours is read and not kept. */
export type XclientAttributes = {
  readonly address?: string | null | undefined
  readonly port?: number | null | undefined
  readonly esmtp?: boolean | null
  readonly helloName?: string | null | undefined
  /** A credential that the client has proved to the proxy. */
  readonly login?: string | null | undefined
}

/** In the order in which EHLO names them. */
export const XCLIENT_ATTRIBUTES = 'NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT'

type Draft = { -readonly [K in keyof XclientAttributes]: XclientAttributes[K] }

/** Reads the text after the verb; a string says what is wrong with it. */
export function parseXclient(text: string): XclientAttributes | string {
  const into: Draft = {}
  const seen = new Set<string>()
  for (const item of text.split(' ').filter((word) => word !== '')) {
    const equals = item.indexOf('=')
    const name = upperCase(item.slice(0, Math.max(equals, 0)))
    const value = decodeXtext(item.slice(equals + 1))
    if (value === undefined || !/^[ -~]{1,255}$/.test(value)) return `${shown(name)} has no value`
    if (seen.has(name)) return `${shown(name)} is given twice`
    seen.add(name)
    if (!take(into, name, isNothing(value) ? null : value)) return `${shown(name)} cannot be read`
  }
  return seen.size > 0 ? into : 'XCLIENT needs an attribute'
}

const isNothing = (value: string) => /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(value)
const shown = (name: string) => (/^[A-Z_]{1,20}$/.test(name) ? name : 'an attribute')

/** False: unknown, or not of its kind. */
function take(into: Draft, name: string, value: string | null): boolean {
  switch (name) {
    case 'NAME':
      return true
    case 'ADDR':
      into.address = value === null ? null : addressOf(value)
      return into.address !== undefined
    case 'DESTADDR':
      return value === null || addressOf(value) !== undefined
    case 'PORT':
      into.port = value === null ? null : portOf(value)
      return into.port !== undefined
    case 'DESTPORT':
      return value === null || portOf(value) !== undefined
    case 'PROTO': {
      const word = value === null ? 'SMTP' : upperCase(value)
      into.esmtp = word === 'ESMTP'
      return word === 'SMTP' || word === 'ESMTP'
    }
    case 'HELO':
      into.helloName = value
      return true
    case 'LOGIN':
      into.login = value
      return true
    default:
      return false
  }
}

/** `192.0.2.1` or `IPV6:2001:db8::1`, which may also stand without its prefix. */
function addressOf(value: string): string | undefined {
  const bare = value.replace(/^IPV6:/i, '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (isIPv4(bare)) return bare
  return isIPv6(bare) && !bare.includes('%') ? bare.toLowerCase() : undefined
}

function portOf(value: string): number | undefined {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : 65_536
  return port < 65_536 ? port : undefined
}
