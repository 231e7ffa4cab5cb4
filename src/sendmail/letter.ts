import { isUtf8 } from 'node:buffer'
import { encodeWords } from '../mail/encoded-word.ts'
import { fieldText, formatField, type HeaderField, splitHeader } from '../mail/header.ts'
import { cutAddresses, qualify, qualifyList } from './addresses.ts'
import type { Wish } from './flags.ts'

/** A message as the server wants it, and who it is for. */
export type Letter = {
  /** With CRLF at every line's end, dots as they are. */
  readonly content: Buffer
  /** Empty for the null reverse-path. */
  readonly from: string
  /** Each once, in order. */
  readonly recipients: readonly string[]
  readonly eightBit: boolean
  /** Addresses or fields hold what only SMTPUTF8 carries (RFC 6531). */
  readonly international: boolean
}

export type Author = {
  /** The login name of who called us. */
  readonly user: string
  /** What bare names get behind the @. */
  readonly domain: string
}

/** Reads what came on standard input. What is wrong with it the server will say. */
export function readLetter(input: Buffer, wish: Wish, author: Author): Letter {
  const text = crlf(wish.dotEnds ? untilDot(input.toString('latin1')) : input.toString('latin1'))
  const { fields, rest } = splitText(withoutSeparator(text))
  const from = senderOf(wish, author)
  const kept = fields
    .filter(({ lowerName }) => lowerName !== 'bcc' && lowerName !== 'resent-bcc')
    .map((field) => tidy(field, author.domain))
  if (wish.fullName !== undefined && !fields.some(({ lowerName }) => lowerName === 'from'))
    kept.unshift(fromField(wish.fullName, from || qualify(author.user, author.domain)))
  const header = kept.map(({ raw }) => raw).join('')
  const recipients = recipientsOf(wish, fields, author.domain)
  return {
    content: Buffer.from(header + rest, 'latin1'),
    from,
    recipients,
    eightBit: NOT_ASCII.test(rest) || NOT_ASCII.test(header),
    international: NOT_ASCII.test(header) || [from, ...recipients].some((it) => NOT_ASCII.test(it)),
  }
}

const NOT_ASCII = /[^\0-\x7f]/

/** The envelope's sender: -f, or the user. */
export function senderOf({ from }: Pick<Wish, 'from'>, { user, domain }: Author): string {
  if (from === undefined) return qualify(user, domain)
  return qualify(cutAddresses(from)[0]?.address ?? '', domain)
}

/** Those of the command line. */
export function operandsOf({ operands }: Pick<Wish, 'operands'>, domain: string): string[] {
  const all = operands.flatMap((text) => cutAddresses(text))
  return [...new Set(all.map(({ address }) => qualify(address, domain)))].filter((it) => it !== '')
}

/** Of fields with Resent- those alone count (RFC 5322 §3.6.6). */
function recipientsOf(wish: Wish, fields: readonly HeaderField[], domain: string): string[] {
  const given = operandsOf(wish, domain)
  if (!wish.headerRecipients) return given
  const names = fields.some(({ lowerName }) => /^resent-(?:to|cc|bcc)$/.test(lowerName))
    ? /^resent-(?:to|cc|bcc)$/
    : /^(?:to|cc|bcc)$/
  const found = fields
    .filter(({ lowerName }) => names.test(lowerName))
    .flatMap((field) => cutAddresses(fieldText(field)))
    .map(({ address }) => qualify(address, domain))
  return [...new Set([...given, ...found])].filter((address) => address !== '')
}

/** A line with only a dot is the end. */
function untilDot(text: string): string {
  const found = /(?:^|\n)\.(?:\r?\n|$)/.exec(text)
  if (!found) return text
  return text.slice(0, found[0].startsWith('\n') ? found.index + 1 : found.index)
}

/** Programs here write LF, some CRLF, some both; a last line without its end gets one. */
function crlf(text: string): string {
  const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`
  return whole.replace(/\r*\n/g, '\r\n')
}

/** The "From " line of a mailbox file. */
const withoutSeparator = (text: string): string =>
  text.replace(/^>?From (?![^\r]*:.*@)[^\r\n]*\r\n/, '')

/** Fields up to the empty line or to what is no field; the rest with the empty line. */
function splitText(text: string): { fields: readonly HeaderField[]; rest: string } {
  if (text.startsWith('\r\n')) return { fields: [], rest: text }
  const end = text.indexOf('\r\n\r\n')
  const block = end < 0 ? text : text.slice(0, end + 2)
  const split = splitHeader(block)
  if (Array.isArray(split)) return { fields: split, rest: text.slice(block.length) || '\r\n' }
  const { position } = split
  // Text without any header: as people pipe it.
  if (position === 0) return { fields: [], rest: `\r\n${text}` }
  const fields = splitHeader(text.slice(0, position))
  return Array.isArray(fields) ? { fields, rest: text.slice(position) } : { fields: [], rest: text }
}

const ADDRESSES = /^(?:resent-)?(?:from|sender|reply-to|to|cc)$/

/** Bare names get their domain; text beyond ASCII is encoded, which programs here forget. */
function tidy(field: HeaderField, domain: string): HeaderField {
  const isList = ADDRESSES.test(field.lowerName)
  if (!NOT_ASCII.test(field.raw)) {
    if (!isList) return field
    const colon = field.raw.indexOf(':') + 1
    return {
      ...field,
      raw: field.raw.slice(0, colon) + qualifyList(field.raw.slice(colon), domain),
    }
  }
  // Octets in a charset that nobody named: the server refuses them with the reason.
  if (!isUtf8(Buffer.from(field.raw, 'latin1'))) return field
  const value = fieldText(field)
  if (isList) return write(field, encodeNames(qualifyList(value, domain)))
  return field.lowerName === 'subject' ? write(field, encodeWords(value)) : field
}

/** The field again with another value; as it is where that cannot be written. */
function write(field: HeaderField, value: string): HeaderField {
  try {
    const raw = Buffer.from(formatField(field.name, value)).toString('latin1')
    return { ...field, raw }
  } catch {
    return field
  }
}

/** Words of display names (RFC 2047 §5); not addresses. */
function encodeNames(value: string): string {
  const words = /"(?:[^"\\]|\\.)*"|[^\s<>(),:;"@]+(?:[ \t]+[^\s<>(),:;"@]+)*/g
  return value.replace(words, (word, at: number) => {
    if (!NOT_ASCII.test(word)) return word
    if (value[at - 1] === '@' || value[at + word.length] === '@') return word
    return encodeWords(word.replace(/^"(.*)"$/s, '$1').replace(/\\(.)/g, '$1'))
  })
}

function fromField(name: string, address: string): HeaderField {
  const clean = name.replace(/[\r\n\0]+/g, ' ').trim()
  const phrase = /^[\w !#$%&'*+/=?^`{|}~-]*$/.test(clean)
    ? clean
    : NOT_ASCII.test(clean)
      ? encodeWords(clean.toWellFormed())
      : `"${clean.replace(/[\\"]/g, '\\$&')}"`
  const value = phrase === '' ? address : `${phrase} <${address}>`
  return write({ name: 'From', lowerName: 'from', raw: `From: ${address}\r\n` }, value)
}
