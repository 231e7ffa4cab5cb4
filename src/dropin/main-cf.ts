// The language of main.cf: `name = value` lines, continued by lines that begin with a blank, and
// references to other parameters ($name, ${name?value}, ${name:value}); see postconf(5).

import type { Origin } from '../config/faults.ts'

/** A parameter as it was given, before references are resolved. */
export type Setting = { readonly value: string; readonly from: Origin }

export type Settings = ReadonlyMap<string, Setting>

export type LogicalLine = { readonly text: string; readonly line: number }

/** Lines with their continuations; comments and empty lines are gone, also inside a continued line. */
export function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = []
  text.split(/\r?\n/).forEach((raw, index) => {
    if (/^\s*(#|$)/.test(raw)) return
    const last = lines.at(-1)
    if (/^\s/.test(raw) && last) {
      lines[lines.length - 1] = { ...last, text: `${last.text} ${raw.trim()}` }
    } else lines.push({ text: raw.trim(), line: index + 1 })
  })
  return lines
}

/** Reads main.cf; the last of two settings of one name wins. `odd` are lines that are none. */
export function parseMainCf(
  text: string,
  file: string,
): { settings: Map<string, Setting>; odd: LogicalLine[] } {
  const settings = new Map<string, Setting>()
  const odd: LogicalLine[] = []
  for (const { text: line, line: number } of logicalLines(text)) {
    const [, name, value] = /^([A-Za-z0-9_-]+)\s*=\s*(.*)$/s.exec(line) ?? []
    if (name === undefined) odd.push({ text: line, line: number })
    else
      settings.set(name, {
        value: value ?? '',
        from: { kind: 'file', file, line: number, column: 1 },
      })
  }
  return { settings, odd }
}

/** What Postfix itself says where main.cf says nothing, as far as others refer to it. */
const DEFAULTS: Readonly<Record<string, string>> = {
  myorigin: '$myhostname',
  mydestination: '$myhostname, localhost.$mydomain, localhost',
  mail_name: 'Postfix',
  config_directory: '/etc/postfix',
  queue_directory: '/var/spool/postfix',
  data_directory: '/var/lib/postfix',
  default_database_type: 'hash',
  smtp_helo_name: '$myhostname',
  relay_domains: '$mydestination',
  virtual_alias_maps: '$virtual_maps',
  proxy_interfaces: '',
  inet_interfaces: 'all',
}

const DEEPEST = 20
const LONGEST = 65_536

/** Resolves references; what refers to itself, or grows without end, is cut. */
export function expander(settings: Settings, machineName: string): (text: string) => string {
  const lookUp = (name: string, depth: number): string => {
    const given = settings.get(name)?.value ?? DEFAULTS[name]
    if (given !== undefined) return expand(given, depth + 1)
    if (name === 'myhostname') return machineName
    if (name === 'mydomain') {
      const host = lookUp('myhostname', depth + 1)
      return host.split('.').length > 2 ? host.slice(host.indexOf('.') + 1) : host
    }
    return ''
  }
  const expand = (text: string, depth: number): string => {
    if (depth > DEEPEST || !text.includes('$')) return text
    let out = ''
    for (let at = 0; at < text.length && out.length < LONGEST; ) {
      const reference = referenceAt(text, at)
      if (!reference) {
        out += text[at++]
        continue
      }
      at = reference.end
      out += reference.text === undefined ? '$' : resolve(reference.text, depth)
    }
    return out.slice(0, LONGEST)
  }
  const resolve = (inner: string, depth: number): string => {
    const [, name = '', sign, rest = ''] =
      /^\s*([A-Za-z0-9_]+)\s*(?:([?:])(.*))?$/s.exec(inner) ?? []
    if (sign === undefined) return lookUp(name, depth)
    const [first, second] = branches(rest)
    const full = lookUp(name, depth) !== ''
    if (sign === '?') return expand(full ? first : (second ?? ''), depth + 1)
    return full ? '' : expand(first, depth + 1)
  }
  return (text) => expand(text, 0)
}

type Reference = { readonly end: number; readonly text: string | undefined }

/** `$$`, `$name`, `$(name)` or `${…}` with braces inside it. */
function referenceAt(text: string, at: number): Reference | undefined {
  if (text[at] !== '$') return undefined
  const next = text[at + 1]
  if (next === '$') return { end: at + 2, text: undefined }
  if (next !== '{' && next !== '(') {
    const [name] = /^[A-Za-z0-9_]+/.exec(text.slice(at + 1, at + 200)) ?? []
    return name === undefined ? undefined : { end: at + 1 + name.length, text: name }
  }
  const close = next === '{' ? '}' : ')'
  let depth = 0
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === next) depth++
    else if (text[i] === close && --depth === 0) return { end: i + 1, text: text.slice(at + 2, i) }
  }
  return undefined
}

/** `{yes}:{no}`, or one value to the end. */
function branches(text: string): [string, string | undefined] {
  const [, yes, no] = /^\s*\{([^{}]*)\}\s*(?::\s*\{([^{}]*)\}\s*)?$/s.exec(text) ?? []
  return yes === undefined ? [text, undefined] : [yes, no]
}

/** A list as Postfix writes it: at commas and blanks. */
export function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}

/** Postfix' yes and no. */
export function isYes(value: string): boolean {
  return value.trim().toLowerCase() === 'yes'
}
