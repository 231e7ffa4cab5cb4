// Encoded words: text beyond ASCII in header fields of plain ASCII (RFC 2047), for the fields that we
// write (subjects, display names) and for showing those of others.

import { TextDecoder } from 'node:util'

/** RFC 2047 §2: an encoded word has at most 75 characters. */
const LONGEST_WORD = 75
const ROOM = LONGEST_WORD - '=?utf-8?b?'.length - '?='.length
/** A piece without a space that folding could not break. */
const LONGEST_PIECE = 900

/**
 * Text for an unstructured field or a phrase: as it is when it is ASCII and cannot be mistaken,
 * else encoded words with single spaces between, where a field folds. Throws a TypeError on CR, LF
 * and NUL, which no header may carry, and on lone surrogates.
 */
export function encodeWords(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new TypeError('header text with a line break or NUL')
  if (!text.isWellFormed()) throw new TypeError('header text with half a character')
  return isPlain(text) ? text : encodeAlways(text)
}

function isPlain(text: string): boolean {
  if (!/^[\t -~]*$/.test(text) || text.includes('=?')) return false
  // White space at the edges, or too much of it, would not survive folding and trimming.
  if (/^\s|\s$/.test(text)) return false
  return text.length <= LONGEST_PIECE || !hasLongPiece(text)
}

/** A word with the white space before it is longer than LONGEST_PIECE. */
function hasLongPiece(text: string): boolean {
  let start = 0
  for (let i = 1; i < text.length; i++) {
    const startsPiece = /\s/.test(text[i]!) && !/\s/.test(text[i - 1]!)
    if (startsPiece) start = i
    if (i - start >= LONGEST_PIECE) return true
  }
  return false
}

/** Encoded words, each with whole characters in it (RFC 2047 §5), in the shorter of the two encodings. */
function encodeAlways(text: string): string {
  const octets = Buffer.from(text)
  const encoding = quotedLength(octets) <= Math.ceil(octets.length / 3) * 4 ? 'q' : 'b'
  const words: string[] = []
  let from = 0
  while (from < octets.length) {
    const to = encoding === 'q' ? endForQ(octets, from) : endForB(octets, from)
    const part = octets.subarray(from, to)
    words.push(`=?utf-8?${encoding}?${encoding === 'q' ? toQ(part) : part.toString('base64')}?=`)
    from = to
  }
  return words.join(' ')
}

function endForB(octets: Buffer, from: number): number {
  return characterStart(octets, Math.min(from + Math.floor(ROOM / 4) * 3, octets.length))
}

function endForQ(octets: Buffer, from: number): number {
  let to = from
  for (let room = ROOM; to < octets.length; to++) {
    room -= isLiteralInQ(octets[to]!) ? 1 : 3
    if (room < 0) break
  }
  return characterStart(octets, to)
}

/** The last place not after `at` where no UTF-8 character is cut. */
function characterStart(octets: Buffer, at: number): number {
  let start = at
  while (start < octets.length && (octets[start]! & 0xc0) === 0x80) start--
  return start
}

function quotedLength(octets: Buffer): number {
  let length = 0
  for (const octet of octets) length += isLiteralInQ(octet) ? 1 : 3
  return length
}

/** What Q may leave as it is even in a phrase (RFC 2047 §5.3); a space becomes one underscore. */
function isLiteralInQ(octet: number): boolean {
  const letter = (octet >= 0x61 && octet <= 0x7a) || (octet >= 0x41 && octet <= 0x5a)
  return letter || (octet >= 0x30 && octet <= 0x39) || octet === 0x20 || octet === 0x2d
}

function toQ(octets: Buffer): string {
  let text = ''
  for (const octet of octets) {
    if (octet === 0x20) text += '_'
    else if (isLiteralInQ(octet)) text += String.fromCharCode(octet)
    else text += `=${octet.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

type Word = { readonly charset: string; readonly octets: Buffer[] }

/**
 * Decodes the encoded words of a field's text, for showing. White space between two of them goes
 * (RFC 2047 §6.2), and the octets of neighbours in one charset are joined first, for many mailers
 * cut characters. What cannot be decoded stays as it is.
 */
export function decodeWords(text: string): string {
  if (!text.includes('=?')) return text
  let decoded = ''
  let pending: Word | undefined
  let after = 0 // the place after the last thing taken
  for (const match of text.matchAll(/=\?([!->@-~]{1,40})\?([bq])\?([!->@-~]*)\?=/gi)) {
    const octets = decodeOctets(match[2]!, match[3]!)
    const charset = match[1]!.replace(/\*.*$/, '').toLowerCase() // RFC 2231 §5: a language may follow
    if (!octets || !decoderFor(charset)) continue
    const between = text.slice(after, match.index)
    const adjacent = pending && /^\s*$/.test(between)
    if (pending && adjacent && pending.charset === charset) pending.octets.push(octets)
    else {
      if (pending) decoded += decodeText(pending)
      if (!adjacent) decoded += between
      pending = { charset, octets: [octets] }
    }
    after = match.index + match[0].length
  }
  if (pending) decoded += decodeText(pending)
  return decoded + text.slice(after)
}

function decodeOctets(encoding: string, text: string): Buffer | undefined {
  if (encoding === 'b' || encoding === 'B') return Buffer.from(text, 'base64')
  if (/=(?![0-9a-f]{2})/i.test(text)) return undefined
  const latin1 = text
    .replace(/_/g, ' ')
    .replace(/=(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(latin1, 'latin1')
}

function decoderFor(charset: string): TextDecoder | undefined {
  try {
    return new TextDecoder(charset)
  } catch {
    return undefined // a charset that nobody knows
  }
}

function decodeText(word: Word): string {
  return decoderFor(word.charset)!.decode(Buffer.concat(word.octets))
}
