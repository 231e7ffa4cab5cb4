// What a server offers in its EHLO reply (RFC 5321 §4.1.1.1), read from others and written for ours.

import type { Reply } from './reply.ts'

export type Limits = {
  /** Recipients in one transaction. */
  readonly rcptMax?: number
  /** Transactions in one session. */
  readonly mailMax?: number
  /** Different recipient domains in one transaction. */
  readonly rcptDomainMax?: number
}

export type Capabilities = {
  readonly pipelining: boolean // RFC 2920
  /** RFC 1870: the largest message in octets, 0 for "no fixed limit"; absent without SIZE. */
  readonly size?: number
  readonly eightBitMime: boolean // RFC 6152
  readonly smtputf8: boolean // RFC 6531
  readonly starttls: boolean // RFC 3207
  readonly enhancedStatusCodes: boolean // RFC 2034
  readonly chunking: boolean // RFC 3030
  readonly dsn: boolean // RFC 3461
  readonly requireTls: boolean // RFC 8689
  /** RFC 2852: the least time in seconds that BY may have, 0 for any; absent without DELIVERBY. */
  readonly deliverBy?: number
  readonly priority: boolean // MT-PRIORITY, RFC 6710
  /** SASL mechanisms in upper case; empty without AUTH. RFC 4954 */
  readonly auth: ReadonlySet<string>
  readonly limits: Limits // RFC 9422
}

/** What a server has that knows only HELO. */
export const noCapabilities: Capabilities = {
  pipelining: false,
  eightBitMime: false,
  smtputf8: false,
  starttls: false,
  enhancedStatusCodes: false,
  chunking: false,
  dsn: false,
  requireTls: false,
  priority: false,
  auth: new Set(),
  limits: {},
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Draft = Writable<Capabilities> & { auth: Set<string> }

/** Reads a positive EHLO reply. What is unknown or malformed is skipped. */
export function parseCapabilities(reply: Reply): Capabilities {
  const draft: Draft = { ...noCapabilities, auth: new Set<string>() }
  for (let i = 1; i < reply.text.length; i++) {
    const line = reply.text[i]!.trim().toUpperCase()
    const [keyword, ...words] = line.split(/\s+/)
    if (keyword) readKeyword(draft, keyword, words)
  }
  return draft
}

function readKeyword(draft: Draft, keyword: string, words: readonly string[]): void {
  switch (keyword) {
    case 'PIPELINING':
      draft.pipelining = true
      return
    case 'SIZE': {
      const size = wholeNumber(words[0] ?? '0')
      if (size !== undefined) draft.size = size
      return
    }
    case '8BITMIME':
      draft.eightBitMime = true
      return
    case 'SMTPUTF8':
      draft.smtputf8 = true
      return
    case 'STARTTLS':
      draft.starttls = true
      return
    case 'ENHANCEDSTATUSCODES':
      draft.enhancedStatusCodes = true
      return
    case 'CHUNKING':
      draft.chunking = true
      return
    case 'DSN':
      draft.dsn = true
      return
    case 'REQUIRETLS':
      draft.requireTls = true
      return
    case 'DELIVERBY':
      draft.deliverBy = wholeNumber(words[0] ?? '0') ?? 0
      return
    case 'MT-PRIORITY':
      draft.priority = true
      return
    case 'AUTH':
      addMechanisms(draft.auth, words)
      return
    case 'LIMITS':
      draft.limits = parseLimits(words)
      return
    default:
      // `AUTH=PLAIN LOGIN` was the form before the standard, and is still met.
      if (keyword.startsWith('AUTH=')) addMechanisms(draft.auth, [keyword.slice(5), ...words])
  }
}

function addMechanisms(auth: Set<string>, words: readonly string[]): void {
  for (const word of words) if (/^[A-Z0-9_-]{1,20}$/.test(word)) auth.add(word)
}

function parseLimits(words: readonly string[]): Limits {
  const limits: Writable<Limits> = {}
  for (const word of words) {
    const [name, text = ''] = word.split('=')
    const value = wholeNumber(text)
    if (!value) continue
    if (name === 'RCPTMAX') limits.rcptMax = value
    if (name === 'MAILMAX') limits.mailMax = value
    if (name === 'RCPTDOMAINMAX') limits.rcptDomainMax = value
  }
  return limits
}

function wholeNumber(text: string): number | undefined {
  if (!/^[0-9]{1,20}$/.test(text)) return undefined
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER)
}

/** The lines of our own EHLO reply after the first, from what holds on this connection now. */
export function formatCapabilities(capabilities: Capabilities): string[] {
  const lines: string[] = []
  if (capabilities.pipelining) lines.push('PIPELINING')
  if (capabilities.size !== undefined) {
    lines.push(capabilities.size > 0 ? `SIZE ${capabilities.size}` : 'SIZE')
  }
  if (capabilities.starttls) lines.push('STARTTLS')
  if (capabilities.auth.size > 0) lines.push(`AUTH ${[...capabilities.auth].join(' ')}`)
  if (capabilities.enhancedStatusCodes) lines.push('ENHANCEDSTATUSCODES')
  if (capabilities.eightBitMime) lines.push('8BITMIME')
  if (capabilities.smtputf8) lines.push('SMTPUTF8')
  if (capabilities.dsn) lines.push('DSN')
  if (capabilities.chunking) lines.push('CHUNKING')
  if (capabilities.requireTls) lines.push('REQUIRETLS')
  const { deliverBy } = capabilities
  if (deliverBy !== undefined) lines.push(deliverBy > 0 ? `DELIVERBY ${deliverBy}` : 'DELIVERBY')
  if (capabilities.priority) lines.push('MT-PRIORITY')
  const limits = formatLimits(capabilities.limits)
  if (limits !== '') lines.push(`LIMITS${limits}`)
  return lines
}

function formatLimits(limits: Limits): string {
  let text = ''
  if (limits.mailMax !== undefined) text += ` MAILMAX=${limits.mailMax}`
  if (limits.rcptMax !== undefined) text += ` RCPTMAX=${limits.rcptMax}`
  if (limits.rcptDomainMax !== undefined) text += ` RCPTDOMAINMAX=${limits.rcptDomainMax}`
  return text
}
