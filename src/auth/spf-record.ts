// An SPF record as a value (RFC 7208 §4.6, §5, §6, §12): terms in their order, and the modifiers.

import { isIPv6 } from 'node:net'
import { type MacroString, parseMacros } from './spf-macro.ts'

export type Qualifier = 'pass' | 'fail' | 'softfail' | 'neutral'

export type Mechanism =
  | { readonly kind: 'all' }
  | { readonly kind: 'include' | 'exists'; readonly domain: MacroString }
  | {
      readonly kind: 'a' | 'mx'
      /** The domain of the record when absent. */
      readonly domain?: MacroString
      readonly prefix4: number
      readonly prefix6: number
    }
  | { readonly kind: 'ptr'; readonly domain?: MacroString }
  | { readonly kind: 'ip4' | 'ip6'; readonly network: string; readonly prefix: number }

export type Directive = Mechanism & {
  readonly qualifier: Qualifier
  /** As it stands in the record. */
  readonly text: string
}

export type SpfRecord = {
  readonly directives: readonly Directive[]
  readonly redirect?: MacroString
  readonly exp?: MacroString
}

export type SpfFault = {
  /** The term that is wrong, as it stands in the record. */
  readonly term: string
  readonly fault: string
}

const QUALIFIERS: Readonly<Record<string, Qualifier>> = {
  '+': 'pass',
  '-': 'fail',
  '~': 'softfail',
  '?': 'neutral',
}
const VERSION = /^v=spf1(?: |$)/i

/** Whether a TXT record is meant as SPF (RFC 7208 §4.5). */
export function isSpf(text: string): boolean {
  return VERSION.test(text)
}

/** Reads a record that `isSpf`; one fault makes all of it wrong (RFC 7208 §4.6). */
export function parseSpf(text: string): SpfRecord | SpfFault {
  const directives: Directive[] = []
  const modifiers: { redirect?: MacroString; exp?: MacroString } = {}
  for (const term of text.slice('v=spf1'.length).split(' ')) {
    if (term === '') continue
    const modifier = /^([a-z][a-z0-9._-]*)=(.*)$/is.exec(term)
    if (modifier) {
      const fault = readModifier(modifiers, modifier[1]!.toLowerCase(), modifier[2]!)
      if (fault !== undefined) return { term, fault }
      continue
    }
    const directive = parseDirective(term)
    if (typeof directive === 'string') return { term, fault: directive }
    directives.push(directive)
  }
  return { directives, ...modifiers }
}

function readModifier(
  modifiers: { redirect?: MacroString; exp?: MacroString },
  name: string,
  value: string,
): string | undefined {
  if (name !== 'redirect' && name !== 'exp')
    return parseMacros(value, { anyLetter: true }) ? undefined : 'a broken macro'
  if (modifiers[name] !== undefined) return `${name}= stands twice`
  const domain = parseDomainSpec(value)
  if (!domain) return 'no domain name'
  modifiers[name] = domain
  return undefined
}

function parseDirective(text: string): Directive | string {
  const [, sign = '', name = '', rest = ''] = /^([+\-~?]?)([a-z0-9]*)(.*)$/is.exec(text) ?? []
  const mechanism = parseMechanism(name.toLowerCase(), rest)
  if (typeof mechanism === 'string') return mechanism
  return { ...mechanism, qualifier: QUALIFIERS[sign] ?? 'pass', text }
}

function parseMechanism(name: string, rest: string): Mechanism | string {
  switch (name) {
    case 'all':
      return rest === '' ? { kind: 'all' } : 'all takes no value'
    case 'include':
    case 'exists': {
      const domain = rest.startsWith(':') ? parseDomainSpec(rest.slice(1)) : undefined
      return domain ? { kind: name, domain } : `${name} needs a domain name: ${name}:example.com`
    }
    case 'ptr': {
      if (rest === '') return { kind: 'ptr' }
      const domain = rest.startsWith(':') ? parseDomainSpec(rest.slice(1)) : undefined
      return domain ? { kind: 'ptr', domain } : 'no domain name'
    }
    case 'a':
    case 'mx':
      return parseHostMechanism(name, rest)
    case 'ip4':
    case 'ip6':
      return parseNetwork(name, rest)
    default:
      return name === '' ? 'not a mechanism' : `there is no mechanism ${name}`
  }
}

function parseHostMechanism(kind: 'a' | 'mx', rest: string): Mechanism | string {
  const shape = /^(:.*?)?(?:\/([0-9]+))?(?:\/\/([0-9]+))?$/s.exec(rest)
  if (!shape) return 'not a domain name and prefix lengths'
  const prefix4 = prefixLength(shape[2], 32)
  const prefix6 = prefixLength(shape[3], 128)
  if (prefix4 === undefined || prefix6 === undefined) return 'a prefix length that cannot be'
  if (shape[1] === undefined) return { kind, prefix4, prefix6 }
  const domain = parseDomainSpec(shape[1].slice(1))
  return domain ? { kind, domain, prefix4, prefix6 } : 'no domain name'
}

function parseNetwork(kind: 'ip4' | 'ip6', rest: string): Mechanism | string {
  const [, network = '', length] = /^:([^/]+)(?:\/([0-9]+))?$/.exec(rest) ?? []
  const right = kind === 'ip4' ? isDottedQuad(network) : isIPv6(network) && !network.includes('%')
  if (!right) {
    const other = kind === 'ip4' ? isIPv6(network) : isDottedQuad(network)
    if (other) return `this address belongs to ${kind === 'ip4' ? 'ip6' : 'ip4'}`
    return `not an address${kind === 'ip4' ? ' of four numbers' : ''}`
  }
  const prefix = prefixLength(length, kind === 'ip4' ? 32 : 128)
  return prefix === undefined ? 'a prefix length that cannot be' : { kind, network, prefix }
}

/** RFC 7208 §5.6: no leading zeros. */
function isDottedQuad(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((p) => /^(0|[1-9][0-9]{0,2})$/.test(p) && +p <= 255)
}

function prefixLength(text: string | undefined, longest: number): number | undefined {
  if (text === undefined) return longest
  return /^(0|[1-9][0-9]{0,2})$/.test(text) && Number(text) <= longest ? Number(text) : undefined
}

const TOP_LABEL = /^(?:[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])$/i

/** domain-spec: macros that end in one, or in a dot and a top-level label (RFC 7208 §7.1). */
function parseDomainSpec(text: string): MacroString | undefined {
  const macros = parseMacros(text)
  const last = macros?.at(-1)
  if (!macros || last === undefined) return undefined
  // %%, %_ and %- are macros too, and may end it.
  if (typeof last !== 'string' || /%[%_-]$/.test(text)) return macros
  const end = last.endsWith('.') ? last.slice(0, -1) : last
  const dot = end.lastIndexOf('.')
  return dot >= 0 && TOP_LABEL.test(end.slice(dot + 1)) ? macros : undefined
}
