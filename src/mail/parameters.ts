// What may follow the path in MAIL and RCPT, typed: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8
// (RFC 6531), REQUIRETLS (RFC 8689), RET, ENVID, NOTIFY, ORCPT (RFC 3461), AUTH (RFC 4954 §5), and
// those of wishes.ts.
// What we do not know is refused as RFC 5321 §4.1.1.11 says, never ignored.

import { upperCase } from './ascii.ts'
import type { Envelope, Notify, Recipient } from './envelope.ts'
import { type Reply, reply } from './reply.ts'
import {
  type ByWish,
  formatBy,
  formatHold,
  type HoldWish,
  parseBy,
  parseHoldFor,
  parseHoldUntil,
  parsePriority,
} from './wishes.ts'
import { decodeUtf8Address, decodeXtext, encodeUtf8Address, encodeXtext } from './xtext.ts'

export type MailParameters = Omit<
  Envelope,
  'recipients' | 'reversePath' | 'holdUntil' | 'deliverBy'
> & {
  readonly hold?: HoldWish
  readonly by?: ByWish
  /** SIZE as the client declares it, in octets; a huge one is only approximately right. */
  readonly declaredSize?: number
}

export type RcptParameters = Omit<Recipient, 'mailbox'>

/** Why the parameters cannot be taken, ready to send. */
export type ParameterFault = { readonly fault: Reply }

const NO_MAIL_PARAMETERS: MailParameters = { body: '7bit', smtputf8: false, requireTls: false }
const NO_RCPT_PARAMETERS: RcptParameters = {}

/** RFC 3461 §4.4 and §4.2: decoded lengths. */
const LONGEST_ENVELOPE_ID = 100
const LONGEST_ORIGINAL_RECIPIENT = 500
/** The same as it travels, with its type. */
const LONGEST_ENCODED = 1_500
/** The registered ones (`rfc822`, `utf-8`, `x400` …) are far shorter. */
const LONGEST_ADDRESS_TYPE = 40

type Writable<T> = { -readonly [K in keyof T]: T[K] }
/** Takes one value; returns what is wrong with it. */
type Take<T> = (into: Writable<T>, value: string | undefined) => string | Reply | undefined

/** Reads the parameters of MAIL: the text after the path, without leading spaces. */
export function parseMailParameters(text: string): MailParameters | ParameterFault {
  if (text === '') return NO_MAIL_PARAMETERS
  return parse(text, { ...NO_MAIL_PARAMETERS }, MAIL)
}

/** Reads the parameters of RCPT: the text after the path, without leading spaces. */
export function parseRcptParameters(text: string): RcptParameters | ParameterFault {
  if (text === '') return NO_RCPT_PARAMETERS
  return parse(text, {}, RCPT)
}

function parse<T extends object>(
  text: string,
  into: Writable<T>,
  table: ReadonlyMap<string, Take<T>>,
): Writable<T> | ParameterFault {
  const seen: string[] = []
  for (const item of text.split(' ')) {
    if (item === '') continue
    const equals = item.indexOf('=')
    const keyword = upperCase(equals < 0 ? item : item.slice(0, equals))
    const take = table.get(keyword)
    if (!take) return { fault: unknownParameter(keyword) }
    if (seen.includes(keyword)) return { fault: badValue(`${keyword} is given twice`) }
    seen.push(keyword)
    const wrong = take(into, equals < 0 ? undefined : item.slice(equals + 1))
    if (wrong) return { fault: typeof wrong === 'string' ? badValue(wrong) : wrong }
  }
  return into
}

function unknownParameter(keyword: string): Reply {
  if (!/^[A-Z0-9][A-Z0-9-]*$/.test(keyword)) {
    return badValue('a parameter must look like KEYWORD or KEYWORD=value, after a space')
  }
  return reply(555, '5.5.4', `${keyword.slice(0, 40)} is not a parameter that this server knows`)
}

function badValue(why: string): Reply {
  return reply(501, '5.5.4', `Bad parameter: ${why}`)
}

const MAIL: ReadonlyMap<string, Take<MailParameters>> = new Map<string, Take<MailParameters>>([
  [
    'SIZE',
    (into, value) => {
      if (value === undefined || !/^[0-9]{1,20}$/.test(value))
        return 'SIZE needs a number of octets'
      into.declaredSize = Number(value)
      return undefined
    },
  ],
  [
    'BODY',
    (into, value) => {
      const body = upperCase(value ?? '')
      if (body === 'BINARYMIME') {
        return reply(555, '5.5.4', 'BINARYMIME is not offered: encode the content as 8BITMIME')
      }
      if (body !== '7BIT' && body !== '8BITMIME') return 'BODY must be 7BIT or 8BITMIME'
      into.body = body === '7BIT' ? '7bit' : '8bitmime'
      return undefined
    },
  ],
  [
    'SMTPUTF8',
    (into, value) => {
      if (value !== undefined) return 'SMTPUTF8 takes no value'
      into.smtputf8 = true
      return undefined
    },
  ],
  [
    'REQUIRETLS',
    (into, value) => {
      if (value !== undefined) return 'REQUIRETLS takes no value'
      into.requireTls = true
      return undefined
    },
  ],
  [
    'RET',
    (into, value) => {
      const ret = upperCase(value ?? '')
      if (ret !== 'FULL' && ret !== 'HDRS') return 'RET must be FULL or HDRS'
      into.ret = ret === 'FULL' ? 'full' : 'headers'
      return undefined
    },
  ],
  [
    'ENVID',
    (into, value) => {
      const id = value && decodeXtext(value)
      if (!id || id.length > LONGEST_ENVELOPE_ID || !/^[ -~]+$/.test(id)) {
        return `ENVID must be xtext of 1 to ${LONGEST_ENVELOPE_ID} printable characters`
      }
      into.envelopeId = id
      return undefined
    },
  ],
  [
    // Who first submitted the message. We trust nobody's word for it, as RFC 4954 §5 allows.
    'AUTH',
    (_, value) => {
      if (!value || (value !== '<>' && decodeXtext(value) === undefined)) {
        return 'AUTH must be <> or an address in xtext'
      }
      return undefined
    },
  ],
  ['HOLDFOR', (into, value) => takeHold(into, parseHoldFor(value))],
  ['HOLDUNTIL', (into, value) => takeHold(into, parseHoldUntil(value))],
  [
    'BY',
    (into, value) => {
      const by = parseBy(value)
      if (!by) return 'BY must be seconds;R or seconds;N, with R more than 0'
      into.by = by
      return undefined
    },
  ],
  [
    'MT-PRIORITY',
    (into, value) => {
      const priority = parsePriority(value)
      if (priority === undefined) return 'MT-PRIORITY must be a number from -9 to 9'
      into.priority = priority
      return undefined
    },
  ],
])

function takeHold(into: Writable<MailParameters>, wish: HoldWish | undefined): string | undefined {
  if (into.hold) return 'HOLDFOR and HOLDUNTIL exclude each other'
  if (!wish) return 'HOLDFOR needs seconds, HOLDUNTIL a time such as 2026-11-22T08:00:00Z'
  into.hold = wish
  return undefined
}

const RCPT: ReadonlyMap<string, Take<RcptParameters>> = new Map<string, Take<RcptParameters>>([
  [
    'NOTIFY',
    (into, value) => {
      const notify = parseNotify(value)
      if (!notify) return 'NOTIFY must be NEVER or a list of SUCCESS, FAILURE, DELAY'
      into.notify = notify
      return undefined
    },
  ],
  [
    'ORCPT',
    (into, value) => {
      const original = value && parseOriginalRecipient(value)
      if (!original) return 'ORCPT must be rfc822;address or utf-8;address, in xtext'
      into.originalRecipient = original
      return undefined
    },
  ],
])

function parseNotify(value: string | undefined): Notify | undefined {
  if (!value) return undefined
  const words = upperCase(value).split(',')
  if (words.length === 1 && words[0] === 'NEVER') return 'never'
  const known = words.every((word) => word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY')
  if (!known || new Set(words).size < words.length) return undefined
  return {
    success: words.includes('SUCCESS'),
    failure: words.includes('FAILURE'),
    delay: words.includes('DELAY'),
  }
}

/** `type;xtext` → `type;address`, type in lower case. What is read can be written again, for the next server. */
function parseOriginalRecipient(value: string): string | undefined {
  const semicolon = value.indexOf(';')
  const type = value.slice(0, semicolon).toLowerCase()
  if (semicolon < 1 || value.length > LONGEST_ENCODED) return undefined
  if (type.length > LONGEST_ADDRESS_TYPE || !/^[a-z0-9][a-z0-9-]*$/.test(type)) return undefined
  const encoded = value.slice(semicolon + 1)
  const address = type === 'utf-8' ? decodeUtf8Address(encoded) : decodeXtext(encoded)
  if (!address || address.length > LONGEST_ORIGINAL_RECIPIENT) return undefined
  if (/[\u0000-\u001f\u007f-\u009f]/.test(address)) return undefined
  const original = `${type};${address}`
  return formatOriginalRecipient(original).length > LONGEST_ENCODED ? undefined : original
}

/** ` SIZE=100 BODY=8BITMIME …` for MAIL; each item has its leading space. The caller leaves out what the peer does not take. */
export function formatMailParameters(parameters: MailParameters): string {
  let text = ''
  if (parameters.declaredSize !== undefined) text += ` SIZE=${parameters.declaredSize}`
  if (parameters.body === '8bitmime') text += ' BODY=8BITMIME'
  if (parameters.smtputf8) text += ' SMTPUTF8'
  if (parameters.requireTls) text += ' REQUIRETLS'
  if (parameters.ret) text += parameters.ret === 'full' ? ' RET=FULL' : ' RET=HDRS'
  if (parameters.envelopeId !== undefined) text += ` ENVID=${encodeXtext(parameters.envelopeId)}`
  if (parameters.hold) text += formatHold(parameters.hold)
  if (parameters.by) text += formatBy(parameters.by)
  if (parameters.priority !== undefined) text += ` MT-PRIORITY=${parameters.priority}`
  return text
}

/** ` NOTIFY=… ORCPT=…` for RCPT, to a peer that has DSN; each item has its leading space. */
export function formatRcptParameters(parameters: RcptParameters): string {
  let text = ''
  if (parameters.notify) text += ` NOTIFY=${formatNotify(parameters.notify)}`
  const original = parameters.originalRecipient
  if (original !== undefined) text += ` ORCPT=${formatOriginalRecipient(original)}`
  return text
}

function formatOriginalRecipient(original: string): string {
  const semicolon = original.indexOf(';')
  const type = original.slice(0, semicolon)
  const address = original.slice(semicolon + 1)
  return `${type};${type === 'utf-8' ? encodeUtf8Address(address) : encodeXtext(address)}`
}

function formatNotify(notify: Notify): string {
  if (notify === 'never') return 'NEVER'
  const words: string[] = []
  if (notify.success) words.push('SUCCESS')
  if (notify.failure) words.push('FAILURE')
  if (notify.delay) words.push('DELAY')
  return words.length > 0 ? words.join(',') : 'NEVER'
}
