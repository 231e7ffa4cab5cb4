// Tables as Postfix reads them from text files: `key value` lines (texthash) and `/pattern/ value`
// lines (regexp_table(5)). Both have the same lines: `#` begins a comment line, a line that starts
// with white space continues the one before it.

/** What is wrong in a file, and where; lines count from 1. */
export type TableFault = { readonly line: number; readonly fault: string }

export type Lookup = {
  readonly kind: 'text' | 'regexp'
  /** Keys are compared without regard to case. */
  find(key: string): string | undefined
}

export type LogicalLine = { readonly line: number; readonly text: string }

/** Longer keys are not looked at by patterns, which may take time that grows with the length. */
const LONGEST_SUBJECT = 2_000
const MOST_PATTERNS = 10_000

/** Joins continued lines and leaves comments and empty lines out. */
export function logicalLines(text: string): LogicalLine[] | TableFault {
  const lines: { line: number; text: string }[] = []
  const physical = text.split(/\r?\n/)
  for (const [index, one] of physical.entries()) {
    if (/^\s*(#|$)/.test(one)) continue
    if (!/^[ \t]/.test(one)) lines.push({ line: index + 1, text: one.trimEnd() })
    else if (lines.length > 0) lines.at(-1)!.text += ` ${one.trim()}`
    else return { line: index + 1, fault: 'a continued line with nothing before it' }
  }
  return lines
}

/** Reads `key value` lines; of two with one key the first counts, as in Postfix. */
export function parseTextTable(text: string): Lookup | TableFault {
  const lines = logicalLines(text)
  if (!Array.isArray(lines)) return lines
  const table = new Map<string, string>()
  for (const { line, text: one } of lines) {
    const match = /^("(?:[^"\\]|\\.)*"\S*|\S+)\s+(\S.*)$/.exec(one)
    if (!match) return { line, fault: `a key without a value: ${shown(one)}` }
    const [, key = '', value = ''] = match
    const folded = key.toLowerCase()
    if (!table.has(folded)) table.set(folded, value)
  }
  return { kind: 'text', find: (key) => table.get(key.toLowerCase()) }
}

/** Reads `/pattern/flags value` lines with `!`, `if` and `endif`; `$1` in a value is what matched. */
export function parseRegexpTable(text: string): Lookup | TableFault {
  const rules = parsePatterns(text)
  if (!Array.isArray(rules)) return rules
  return {
    kind: 'regexp',
    find(key) {
      for (const rule of rules) {
        const value = rule.match(key)
        if (value !== undefined) return value
      }
      return undefined
    },
  }
}

export type PatternRule = {
  readonly line: number
  readonly value: string
  /** The value with what matched filled in; undefined when the rule does not apply. */
  match(subject: string): string | undefined
}

type Condition = { readonly pattern: RegExp; readonly negated: boolean }

/** The rules of a regexp table in order, each with the conditions that stand around it. */
export function parsePatterns(text: string): PatternRule[] | TableFault {
  const lines = logicalLines(text)
  if (!Array.isArray(lines)) return lines
  if (lines.length > MOST_PATTERNS)
    return { line: lines[MOST_PATTERNS]!.line, fault: `more than ${MOST_PATTERNS} patterns` }
  const rules: PatternRule[] = []
  const open: (Condition & { line: number })[] = []
  for (const { line, text: one } of lines) {
    if (/^endif$/i.test(one)) {
      if (!open.pop()) return { line, fault: 'endif without if' }
      continue
    }
    const conditional = /^if\s*(?=[!/\W])/i.exec(one)
    const parsed = parsePattern(conditional ? one.slice(conditional[0].length) : one)
    if (typeof parsed === 'string') return { line, fault: parsed }
    const { pattern, negated, value } = parsed
    if (conditional) open.push({ pattern, negated, line })
    else if (value === '') return { line, fault: 'a pattern without a value' }
    else rules.push(ruleOf({ line, value, conditions: [...open, { pattern, negated }] }))
  }
  const left = open.at(-1)
  return left ? { line: left.line, fault: 'if without endif' } : rules
}

function ruleOf(parts: {
  line: number
  value: string
  conditions: readonly Condition[]
}): PatternRule {
  const { line, value, conditions } = parts
  return {
    line,
    value,
    match(key) {
      const subject = key.slice(0, LONGEST_SUBJECT)
      let found: RegExpExecArray | null = null
      for (const { pattern, negated } of conditions) {
        found = pattern.exec(subject)
        if ((found === null) !== negated) return undefined
      }
      return fill(value, found)
    },
  }
}

function fill(value: string, found: RegExpExecArray | null): string {
  return value.replace(/\$(?:\$|(\d)|\{(\d{1,2})\}|\((\d{1,2})\))/g, (whole, a, b, c) =>
    whole === '$$' ? '$' : (found?.[Number(a ?? b ?? c)] ?? ''),
  )
}

type Pattern = Condition & { readonly value: string }

/** Any character that is no letter, digit or backslash delimits. Patterns ignore case unless the flag `i` turns that off. */
function parsePattern(text: string): Pattern | string {
  const negated = text.startsWith('!')
  const rest = negated ? text.slice(1).trimStart() : text
  const delimiter = rest.charAt(0)
  if (!/^[^\w\s\\]$/.test(delimiter)) return `a pattern begins with a slash: ${shown(text)}`
  const end = endOfPattern(rest, delimiter)
  if (end < 0) return `a pattern that never ends: ${shown(text)}`
  const [, flags = '', value = ''] = /^(\w*)\s*(.*)$/s.exec(rest.slice(end + 1)) ?? []
  const wrong = /[^imsxu]/i.exec(flags)
  if (wrong) return `an unknown flag of a pattern: ${wrong[0]}`
  try {
    const source = rest.slice(1, end).replaceAll(`\\${delimiter}`, delimiter)
    const own = `${flags.includes('i') ? '' : 'i'}${flags.includes('m') ? 'm' : ''}s`
    return { pattern: new RegExp(withClasses(source), own), negated, value: value.trim() }
  } catch (error) {
    return `a pattern that cannot be read: ${(error as Error).message}`
  }
}

function endOfPattern(text: string, delimiter: string): number {
  for (let i = 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === delimiter) return i
  }
  return -1
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
}

/** POSIX has `[[:space:]]` where JavaScript has `[\s]`. */
function withClasses(source: string): string {
  return source.replace(/\[:(\w+):\]/g, (whole, name: string) =>
    Object.hasOwn(CLASSES, name) ? CLASSES[name]! : whole,
  )
}

/** Of foreign text, what an error shows. */
export function shown(text: string): string {
  return text.slice(0, 60).replace(/[^ -~]/g, '?')
}
