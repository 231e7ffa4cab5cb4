// Addresses in header fields (RFC 5322 §3.4, with the UTF-8 of RFC 6532): From, Sender, Reply-To, To,
// Cc. Obsolete forms are read (§4.4), but a text that two readers could take for different
// addresses is a fault: what is checked, signed and shown must be one address. No recursion, and
// one look at each character, however groups and comments are nested.

import { encodeWords } from './encoded-word.ts'
import {
  endOfQuotedString,
  formatMailbox,
  type Mailbox,
  makeMailbox,
  parseMailbox,
} from './mailbox.ts'

export type Address = {
  /** As in the field: unquoted, encoded words not decoded (decodeWords does that). */
  readonly displayName?: string
  readonly mailbox: Mailbox
}

export type AddressFault = {
  /** Offset in the text where the trouble starts. */
  readonly position: number
  readonly fault: string
}

/** A piece of the text; `value` is unquoted. Special characters are their own kind. */
type Token = {
  readonly kind: string
  readonly value: string
  readonly at: number
  /** The place after it in the text. */
  readonly end: number
}

/** Quotes, comments, lists, groups, literals and escapes want the careful way. */
const NOT_PLAIN = /[",:;()[\]\\]/

/**
 * Reads the addresses of a field's body, members of groups among them; an empty body or group gives
 * none. Display names are for people, mailboxes are in their one form.
 * @param text the field's value as Unicode text, folded or not
 */
export function parseAddressList(text: string): Address[] | AddressFault {
  const plain = parsePlain(text)
  if (plain) return [plain]
  const tokens = tokenize(text)
  return Array.isArray(tokens) ? readList(tokens, text.length) : tokens
}

/** `a@b.example` and `Name <a@b.example>`, which nearly all fields are; undefined when it is not that simple. */
function parsePlain(text: string): Address | undefined {
  if (NOT_PLAIN.test(text)) return undefined
  const whole = trimBlanks(text)
  const open = whole.indexOf('<')
  if (open < 0) {
    const mailbox = parseMailbox(whole)
    return mailbox && { mailbox }
  }
  const displayName = trimBlanks(whole.slice(0, open))
  if (!whole.endsWith('>') || /[@>]| {2}/.test(displayName) || hasControls(displayName)) return
  const mailbox = parseMailbox(whole.slice(open + 1, -1))
  if (!mailbox) return undefined
  return displayName === '' ? { mailbox } : { displayName, mailbox }
}

/** Only what is white space in a field: a no-break space or a byte order mark is part of a word. */
function trimBlanks(text: string): string {
  return text.replace(/^[ \t\r\n]+/, '').replace(/(?<![ \t\r\n])[ \t\r\n]+$/, '')
}

function hasControls(text: string): boolean {
  return /[\u0000-\u001f\u007f-\u009f\ufffd]/.test(text)
}

const SPECIAL = new Set('<>@,;:.')

/** Splits the text into atoms, quoted strings, domain literals and special characters; comments and white space go. */
function tokenize(text: string): Token[] | AddressFault {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const character = text[at]!
    let end = at + 1
    if (/[ \t\r\n]/.test(character)) {
      at = end
      continue
    }
    if (character === '(') {
      end = endOfComment(text, at)
      if (end < 0) return { position: at, fault: 'a comment that never ends' }
    } else if (character === '"') {
      end = endOfQuotedString(text, at)
      if (end < 0) return { position: at, fault: 'a quoted text that never ends' }
      tokens.push({ kind: 'quoted', value: unquote(text.slice(at + 1, end - 1)), at, end })
    } else if (character === '[') {
      end = text.indexOf(']', at) + 1
      if (end === 0) return { position: at, fault: 'an address in [ ] that never ends' }
      tokens.push({ kind: 'literal', value: text.slice(at, end), at, end })
    } else if (SPECIAL.has(character)) {
      tokens.push({ kind: character, value: character, at, end })
    } else {
      end = endOfAtom(text, at)
      if (end === at) return { position: at, fault: 'a character that needs quotes' }
      tokens.push({ kind: 'atom', value: text.slice(at, end), at, end })
    }
    at = end
  }
  return tokens
}

function endOfComment(text: string, start: number): number {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const character = text[i]
    if (character === '\\') i++
    else if (character === '(') depth++
    else if (character === ')' && --depth === 0) return i + 1
  }
  return -1
}

/** Atoms are atext, and all beyond ASCII but controls (RFC 6532 §3.2). */
function endOfAtom(text: string, start: number): number {
  const atom = /[^\u0000-\u0020"(),.:;<>@[\]\\\u007f-\u009f\ufffd]*/y
  atom.lastIndex = start
  atom.test(text)
  return atom.lastIndex
}

/** Folds inside go (RFC 5322 §3.2.4), quoted pairs lose their backslash. */
function unquote(inner: string): string {
  return inner.replace(/\r\n(?=[ \t])/g, '').replace(/\\([^\r\n])/g, '$1')
}

/** Goes over the tokens once, cutting at `,` `;` and `:`; those inside `< >` belong to the address. */
function readList(tokens: readonly Token[], length: number): Address[] | AddressFault {
  const addresses: Address[] = []
  let item: Token[] = []
  let inGroup = false
  let inAngle = false
  for (const token of [...tokens, { kind: 'end', value: '', at: length, end: length }]) {
    if (token.kind === '<') inAngle = true
    if (token.kind === '>') inAngle = false
    const cuts = token.kind === 'end' || (!inAngle && ',;:'.includes(token.kind))
    if (!cuts) {
      item.push(token)
      continue
    }
    if (token.kind === ':') {
      const wrong = groupFault(item, inGroup, token.at)
      if (wrong) return wrong
      inGroup = true
    } else {
      if (item.length > 0) {
        const address = readAddress(item)
        if ('fault' in address) return address
        addresses.push(address)
      }
      if (token.kind === ';') {
        if (!inGroup) return { position: token.at, fault: 'a ; outside of a group' }
        inGroup = false
      }
    }
    item = []
  }
  if (inGroup) return { position: length, fault: 'a group that never ends: its ; is missing' }
  return addresses
}

function groupFault(
  name: readonly Token[],
  inGroup: boolean,
  at: number,
): AddressFault | undefined {
  if (inGroup) return { position: at, fault: 'a group inside a group' }
  if (name.length === 0) return { position: at, fault: 'a group without a name' }
  const odd = name.find((token) => !isPhrase(token))
  return odd && { position: odd.at, fault: 'a group name with characters that need quotes' }
}

function isPhrase(token: Token): boolean {
  return token.kind === 'atom' || token.kind === 'quoted' || token.kind === '.' // dots: RFC 5322 §4.1
}

/** One address: `local@domain`, or a name and `<local@domain>`. */
function readAddress(item: readonly Token[]): Address | AddressFault {
  const open = item.findIndex((token) => token.kind === '<')
  if (open < 0) {
    const mailbox = readMailbox(item, 0, item.length)
    return 'fault' in mailbox ? mailbox : { mailbox }
  }
  const close = item.length - 1
  if (item[close]!.kind !== '>') {
    const stray = item.find((token) => token.kind === '>')
    return stray
      ? { position: stray.at, fault: 'text after an address in < >' }
      : { position: item[open]!.at, fault: 'a < that is never closed' }
  }
  const mailbox = readMailbox(item, afterRoute(item, open + 1), close)
  if ('fault' in mailbox) return mailbox
  const name = item.slice(0, open)
  const odd = name.find((token) => !isPhrase(token))
  if (odd && !repeats(name, mailbox)) {
    return { position: odd.at, fault: 'a name before < > with characters that need quotes' }
  }
  const displayName = odd ? formatMailbox(mailbox) : joinPhrase(name)
  if (hasControls(displayName)) {
    return { position: item[0]!.at, fault: 'a name with control characters' }
  }
  return displayName === '' ? { mailbox } : { displayName, mailbox }
}

/** `a@b.example <a@b.example>`: wrong, but many programs write it and it can mean only one thing. */
function repeats(name: readonly Token[], mailbox: Mailbox): boolean {
  const named = readMailbox(name, 0, name.length)
  if ('fault' in named) return false
  return formatMailbox(named).toLowerCase() === formatMailbox(mailbox).toLowerCase()
}

/** Words with single spaces between them, but none where a dot touches one: `John Q.Public`. */
function joinPhrase(name: readonly Token[]): string {
  let phrase = ''
  for (let i = 0; i < name.length; i++) {
    const token = name[i]!
    const before = name[i - 1]
    const touches = before?.end === token.at
    const apart = before && !(touches && (before.kind === '.' || token.kind === '.'))
    phrase += apart ? ` ${token.value}` : token.value
  }
  return trimBlanks(phrase)
}

/** Behind an obsolete route `@a,@b:` (RFC 5322 §4.4), which nobody follows any more. */
function afterRoute(item: readonly Token[], start: number): number {
  if (item[start]?.kind !== '@') return start
  const colon = item.findIndex((token, i) => i > start && token.kind === ':')
  return colon < 0 ? start : colon + 1
}

/** addr-spec: words and dots, an `@`, a domain or a literal; white space may stand between (RFC 5322 §4.4). */
function readMailbox(item: readonly Token[], start: number, end: number): Mailbox | AddressFault {
  const position = item[start]?.at ?? item[0]!.at
  let localPart = ''
  let i = start
  for (; i < end && item[i]!.kind !== '@'; i++) {
    const isWord = (i - start) % 2 === 0
    const { kind, value, at } = item[i]!
    if (isWord ? kind !== 'atom' && kind !== 'quoted' : kind !== '.') {
      return { position: at, fault: 'something that is no address' }
    }
    localPart += value
  }
  if (i === end) return { position, fault: 'an address without @ and domain' }
  if ((i - start) % 2 === 0)
    return { position, fault: 'an address with nothing or a dot before its @' }
  let domain = ''
  for (let k = i + 1; k < end; k++) {
    const wanted = (k - i) % 2 === 1 ? 'atom' : '.'
    const { kind, value, at } = item[k]!
    const literal = kind === 'literal' && k === i + 1 && k + 1 === end
    if (kind !== wanted && !literal) return { position: at, fault: 'a domain that is none' }
    domain += value
  }
  return makeMailbox(localPart, domain) ?? { position, fault: 'an address that cannot exist' }
}

/** `Name <local@domain>` for a field, in ASCII unless the local part is not; throws a TypeError on line breaks. */
export function formatAddress(address: Address): string {
  const mailbox = formatMailbox(address.mailbox)
  const name = address.displayName
  return name ? `${formatPhrase(name)} <${mailbox}>` : mailbox
}

function formatPhrase(name: string): string {
  const encoded = encodeWords(name)
  if (encoded !== name) return encoded
  if (/^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?: [A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/.test(name))
    return name
  return `"${name.replace(/["\\]/g, '\\$&')}"`
}
