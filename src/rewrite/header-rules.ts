import { formatField, type HeaderField, splitHeader, unfold } from '../mail/header.ts'
import { refuse } from '../mail/reply.ts'
import { type PatternRule, parsePatterns, type TableFault } from './lookup.ts'

type Action = 'dunno' | 'ignore' | 'replace' | 'prepend' | 'reject' | 'hold' | 'warn'

/** A pattern over a whole field, and what then happens (header_checks(5)). */
export type HeaderRule = PatternRule & { readonly action: Action }

const WORDS: Readonly<Record<string, Action>> = {
  DUNNO: 'dunno',
  OK: 'dunno',
  IGNORE: 'ignore',
  STRIP: 'ignore',
  REPLACE: 'replace',
  PREPEND: 'prepend',
  REJECT: 'reject',
  HOLD: 'hold',
  WARN: 'warn',
  INFO: 'warn',
}

/** Reads `/pattern/flags ACTION text` lines, as Postfix does. */
export function parseHeaderRules(text: string): HeaderRule[] | TableFault {
  const patterns = parsePatterns(text)
  if (!Array.isArray(patterns)) return patterns
  const rules: HeaderRule[] = []
  for (const pattern of patterns) {
    const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(pattern.value) ?? []
    const action = Object.hasOwn(WORDS, word.toUpperCase()) ? WORDS[word.toUpperCase()] : undefined
    if (!action) {
      const known = Object.keys(WORDS).join(', ')
      return { line: pattern.line, fault: `an unknown action ${word}; known are ${known}` }
    }
    if ((action === 'replace' || action === 'prepend') && !/^[!-9;-~]{1,76}:/.test(rest))
      return { line: pattern.line, fault: `${word} needs a whole field such as X-Name: value` }
    rules.push({ ...pattern, action })
  }
  return rules
}

/** The first rule that fits a field counts for it; the fields are seen unfolded, as latin-1 octets. */
export function applyHeaderRules(
  fields: readonly HeaderField[],
  rules: readonly HeaderRule[],
): { fields: readonly HeaderField[]; hold?: string; remarks: readonly string[] } {
  const result: HeaderField[] = []
  const remarks: string[] = []
  let hold: string | undefined
  for (const field of fields) {
    const subject = unfold(field.raw).replace(/\r\n$/, '')
    const hit = firstMatch(subject, rules)
    if (!hit) {
      result.push(field)
      continue
    }
    const { action, text } = hit
    if (action === 'reject')
      throw refuse(550, '5.7.1', text || `A rule of this server refuses the ${field.name} field`)
    if (action === 'hold') hold ??= text || `a header rule for ${field.name}`
    if (action === 'warn') remarks.push(text || field.name)
    if (action === 'prepend' || action === 'replace') result.push(...madeField(text))
    if (action !== 'ignore' && action !== 'replace') result.push(field)
  }
  return { fields: result, remarks, ...(hold !== undefined && { hold }) }
}

function firstMatch(
  subject: string,
  rules: readonly HeaderRule[],
): { action: Action; text: string } | undefined {
  for (const { action, match } of rules) {
    const value = match(subject)
    if (value !== undefined) return { action, text: value.replace(/^\S+\s*/, '') }
  }
  return undefined
}

/** What matched may have filled it in: nothing in it can begin another field, and too long a word leaves it out. */
function madeField(text: string): HeaderField[] {
  const colon = text.indexOf(':')
  try {
    const line = formatField(text.slice(0, colon), text.slice(colon + 1).trim())
    const fields = splitHeader(line)
    return Array.isArray(fields) ? fields : []
  } catch {
    return []
  }
}
