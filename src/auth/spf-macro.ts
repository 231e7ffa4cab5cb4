// Macros in SPF records (RFC 7208 §7): read once with the record, filled in for each connection.

export type Macro = {
  /** Lower case: one of s l o d i p h v, and in explanations c r t. */
  readonly letter: string
  /** Written in upper case: the value is escaped as in a URL. */
  readonly escape: boolean
  /** How many parts from the right stay; all when absent. */
  readonly parts?: number
  readonly reverse: boolean
  readonly delimiters: string
}

/** Text and macros in turn. */
export type MacroString = readonly (string | Macro)[]

/** Gives a macro's letter its value. */
export type MacroValues = (letter: string) => string

const EXPANSION = /^([slodiphcrtv])([0-9]*)(r?)([.\-+,/_=]*)$/i
const ONLY_IN_EXPLANATIONS = 'crt'
const OTHERS: Readonly<Record<string, string>> = { '%': '%', _: ' ', '-': '%20' }

/**
 * Reads a macro-string; undefined when it is none.
 * @param options.explanation spaces and the letters c, r and t are allowed (RFC 7208 §6.2)
 * @param options.anyLetter the letters c, r and t are (RFC 7208 §12: unknown modifiers)
 */
export function parseMacros(
  text: string,
  options?: { readonly explanation?: boolean; readonly anyLetter?: boolean },
): MacroString | undefined {
  const parts: (string | Macro)[] = []
  let literal = ''
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!
    if (character !== '%') {
      const plain = /[!-~]/.test(character) || (options?.explanation && character === ' ')
      if (!plain) return undefined
      literal += character
      continue
    }
    const next = text[++i] ?? ''
    if (next !== '{') {
      const other = OTHERS[next]
      if (other === undefined) return undefined
      literal += other
      continue
    }
    const end = text.indexOf('}', i)
    const macro = end < 0 ? undefined : parseExpansion(text.slice(i + 1, end))
    if (!macro) return undefined
    const late = ONLY_IN_EXPLANATIONS.includes(macro.letter)
    if (late && !options?.explanation && !options?.anyLetter) return undefined
    if (literal !== '') parts.push(literal)
    literal = ''
    parts.push(macro)
    i = end
  }
  if (literal !== '') parts.push(literal)
  return parts
}

function parseExpansion(text: string): Macro | undefined {
  const [, letter = '', digits = '', reverse = '', delimiters = ''] = EXPANSION.exec(text) ?? []
  if (letter === '' || (digits !== '' && Number(digits) === 0)) return undefined
  return {
    letter: letter.toLowerCase(),
    escape: letter !== letter.toLowerCase(),
    ...(digits === '' ? {} : { parts: Number(digits) }),
    reverse: reverse !== '',
    delimiters: delimiters === '' ? '.' : delimiters,
  }
}

/** Whether a letter occurs, so that what is costly to know is asked for only then. */
export function usesMacro(macros: MacroString, letter: string): boolean {
  return macros.some((part) => typeof part !== 'string' && part.letter === letter)
}

/** Fills the macros in (RFC 7208 §7.3). */
export function expandMacros(macros: MacroString, values: MacroValues): string {
  return macros.map((part) => (typeof part === 'string' ? part : expand(part, values))).join('')
}

function expand(macro: Macro, values: MacroValues): string {
  const cut = new Set(macro.delimiters)
  const pieces: string[] = ['']
  for (const character of values(macro.letter))
    if (cut.has(character)) pieces.push('')
    else pieces[pieces.length - 1] += character
  if (macro.reverse) pieces.reverse()
  const text = pieces.slice(-Math.min(macro.parts ?? pieces.length, pieces.length)).join('.')
  return macro.escape ? escapeUri(text) : text
}

/** All but the unreserved characters of RFC 3986 §2.3. */
function escapeUri(text: string): string {
  return [...Buffer.from(text)]
    .map((octet) => {
      const character = String.fromCharCode(octet)
      if (/[A-Za-z0-9._~-]/.test(character)) return character
      return `%${octet.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}
