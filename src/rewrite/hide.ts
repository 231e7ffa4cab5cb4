import { fieldValue, formatField, type HeaderField } from '../mail/header.ts'

/** What leaves the header. */
export type Removal = {
  /** Lower-case names. */
  readonly names: ReadonlySet<string>
  /** Lower-case beginnings of names (`x-php-` for `X-Php-*`). */
  readonly prefixes: readonly string[]
  /** Received is told without its client; with none at all, filters take mail for spamware's. */
  readonly received: boolean
}

/** Fields without which a message is none, or that say how to read it, are never removed. */
const NEEDED =
  /^(?:from|date|message-id|to|cc|subject|mime-version|content-.*|received|dkim-signature)$/

/** Out of names as an operator writes them, `X-Php-*` among them; undefined when there are none. */
export function removalOf(names: readonly string[]): Removal | undefined {
  const lower = names.map((name) => name.toLowerCase())
  if (lower.length === 0) return undefined
  return {
    names: new Set(lower.filter((name) => !name.endsWith('*') && name !== 'received')),
    prefixes: lower.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1)),
    received: lower.includes('received'),
  }
}

/** Does the field go? */
export function isRemoved(field: HeaderField, { names, prefixes }: Removal): boolean {
  const { lowerName } = field
  if (names.has(lowerName)) return true
  return prefixes.some((prefix) => lowerName.startsWith(prefix)) && !NEEDED.test(lowerName)
}

const SERVER = /\bby\s+([A-Za-z0-9._-]{1,255})/
const DATE = /^[A-Za-z0-9,:+ -]{10,60}$/
const WAY = /\bwith\s+([A-Za-z0-9]{1,20})\b/

/** `from client (10.0.0.7) by host with ESMTP …; date` becomes `by host with ESMTP; date`. */
export function redactReceived(field: HeaderField): HeaderField {
  const value = withoutComments(fieldValue(field))
  const server = SERVER.exec(value)?.[1] ?? 'localhost'
  const way = WAY.exec(value)?.[1]
  const end = value.slice(value.lastIndexOf(';') + 1).trim()
  const date = DATE.test(end) ? end : undefined
  const told = `by ${server}${way ? ` with ${way}` : ''}${date ? `; ${date}` : ''}`
  return { ...field, raw: formatField(field.name, told) }
}

/** Comments may hold a client that says `by`; of brackets within brackets the outermost count. */
function withoutComments(text: string): string {
  let depth = 0
  let rest = ''
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!
    if (character === '\\') i++
    else if (character === '(') depth++
    else if (character === ')') depth = Math.max(0, depth - 1)
    else if (depth === 0) rest += character
  }
  return rest
}
