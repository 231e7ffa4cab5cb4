// Header fields (RFC 5322 §2.2): split a block, find, unfold, fold, write. A field keeps its octets
// as they came, for what is signed must be what was sent.

import { isUtf8 } from 'node:buffer'

/** One field of a header block. */
export type HeaderField = {
  /** As it stands in the message. */
  readonly name: string
  readonly lowerName: string
  /** The whole field with its folds and the final CRLF. */
  readonly raw: string
}

/** Where and why a block is no header. */
export type HeaderFault = {
  /** Offset in the block of the line that is wrong. */
  readonly position: number
  readonly fault: string
}

/** RFC 5322 §2.1.1, in octets without CRLF. */
export const LONGEST_LINE = 998
const WANTED_LINE = 78

const CR = 0x0d
const LF = 0x0a
const SPACE = 0x20
const TAB = 0x09
const COLON = 0x3a

/**
 * Splits a header block into its fields, in order.
 * @param block latin1 text, one character an octet; with or without the empty line that ends a header
 */
export function splitHeader(block: string): HeaderField[] | HeaderFault {
  const fields: HeaderField[] = []
  let at = 0
  while (at < block.length) {
    if (at + 2 === block.length && block.endsWith('\r\n')) break // the empty line
    const end = endOfField(block, at)
    if (typeof end !== 'number') return end
    const colon = block.indexOf(':', at)
    const nameEnd = colon >= 0 && colon < end ? endOfName(block, at, colon) : -1
    if (nameEnd <= at) return { position: at, fault: describeBadField(block, at, end) }
    const name = block.slice(at, nameEnd)
    fields.push({ name, lowerName: name.toLowerCase(), raw: block.slice(at, end) })
    at = end
  }
  return fields
}

/** The place after the field that starts at `at`, continuation lines included. */
function endOfField(block: string, at: number): number | HeaderFault {
  let lineStart = at
  for (;;) {
    const cr = block.indexOf('\r', lineStart)
    const lf = block.indexOf('\n', lineStart)
    if (cr < 0 && lf < 0) return { position: lineStart, fault: 'a line without its end' }
    if (cr < 0 || lf !== cr + 1) return { position: lineStart, fault: 'a bare CR or LF' }
    const next = block.charCodeAt(lf + 1)
    if (next !== SPACE && next !== TAB) return lf + 1
    lineStart = lf + 1
  }
}

/** The end of a valid name before the colon; white space between them is obsolete but meant (RFC 5322 §4.5.3). */
function endOfName(block: string, start: number, colon: number): number {
  let end = colon
  while (end > start && isBlank(block.charCodeAt(end - 1))) end--
  for (let i = start; i < end; i++) {
    const code = block.charCodeAt(i)
    if (code < 0x21 || code > 0x7e || code === COLON) return -1
  }
  return end
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

function describeBadField(block: string, at: number, end: number): string {
  const code = block.charCodeAt(at)
  if (code === CR) return 'an empty line inside the header'
  if (isBlank(code)) return 'a folded line without a field before it'
  if (block.charCodeAt(at) === COLON) return 'a field without a name'
  const line = block.slice(at, Math.min(end, at + 80))
  if (/^>?From /.test(line)) return 'a mailbox separator line (From …) instead of a field'
  return line.includes(':') ? 'a field name with forbidden characters' : 'a line without a colon'
}

/**
 * The offset of the body: after the empty line that ends the header. -1 when there is none (yet);
 * then look again from `searched`, the length at the last look, with more octets.
 */
export function bodyStart(bytes: Buffer, searched = 0): number {
  if (bytes.length >= 2 && bytes[0] === CR && bytes[1] === LF) return 2
  const found = bytes.indexOf('\r\n\r\n', Math.max(0, searched - 3), 'latin1')
  return found < 0 ? -1 : found + 4
}

/** All fields with this lower-case name, in order. */
export function findFields(fields: readonly HeaderField[], lowerName: string): HeaderField[] {
  return fields.filter((field) => field.lowerName === lowerName)
}

/** The first field with this lower-case name. */
export function findField(
  fields: readonly HeaderField[],
  lowerName: string,
): HeaderField | undefined {
  return fields.find((field) => field.lowerName === lowerName)
}

/** What stands after the colon, unfolded and trimmed. */
export function fieldValue(field: HeaderField): string {
  return withoutBlanks(unfold(field.raw.slice(field.raw.indexOf(':') + 1)))
}

/** String.trim would take 0xA0 too, which may be the second half of a letter. */
function withoutBlanks(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

/** The field's value as Unicode text: UTF-8 where it is valid (RFC 6532), else every octet a Latin-1 character. */
export function fieldText(field: HeaderField): string {
  const value = fieldValue(field)
  if (!/[\u0080-\u00ff]/.test(value)) return value
  const octets = Buffer.from(value, 'latin1')
  return isUtf8(octets) ? octets.toString('utf8') : value
}

/** Takes the line breaks of folding away (RFC 5322 §2.2.3): CRLF before white space, and the final one. */
export function unfold(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n(?=[ \t]|$)/g, '') : text
}

/**
 * Writes one field with its CRLF, folded. Throws a TypeError when name or value hold what could
 * start another field (CR, LF, NUL), or when the name is no field name.
 * @param value one line, without folds: latin1 or Unicode text that will be written as UTF-8
 */
export function formatField(name: string, value: string): string {
  if (!/^[!-9;-~]{1,76}$/.test(name)) throw new TypeError('not a header field name')
  if (/[\r\n\0]/.test(value)) throw new TypeError(`${name} with a line break or NUL`)
  return `${fold(value === '' ? `${name}:` : `${name}: ${value}`)}\r\n`
}

/**
 * Folds one line at its white space: to 78 octets where there is any to fold at. A piece without
 * white space is never split, so it throws a TypeError when that makes a line of more than 998
 * octets (RFC 5322 §2.1.1). A line never gets only white space (§3.2.2).
 */
export function fold(line: string): string {
  if (line.length <= WANTED_LINE && isAscii(line)) return line
  let folded = ''
  let width = 0
  for (let at = 0; at < line.length; ) {
    const end = endOfWord(line, at)
    const word = line.slice(at, end)
    const octets = octetsOf(word)
    const limit = isOnlyName(folded) ? LONGEST_LINE : WANTED_LINE
    if (at > 0 && width + octets > limit) {
      folded += '\r\n'
      width = 0
    }
    folded += word
    width += octets
    if (width > LONGEST_LINE) throw new TypeError('a header word that is too long for one line')
    at = end
  }
  return folded
}

/** The end of the word that starts at `at` with the white space before it, and with that at the line's end. */
function endOfWord(line: string, at: number): number {
  let end = at
  while (end < line.length && isBlank(line.charCodeAt(end))) end++
  while (end < line.length && !isBlank(line.charCodeAt(end))) end++
  let rest = end
  while (rest < line.length && isBlank(line.charCodeAt(rest))) rest++
  return rest === line.length ? rest : end
}

/** `Name:` alone on a line is legal, but some software stumbles over it: only when the word needs the room. */
function isOnlyName(folded: string): boolean {
  return folded.length <= 77 && folded.endsWith(':') && !folded.includes(' ')
}

function isAscii(text: string): boolean {
  return !/[^\u0000-\u007f]/.test(text)
}

function octetsOf(text: string): number {
  return isAscii(text) ? text.length : Buffer.byteLength(text)
}
