// The auth room: what receivers conclude from DNS about a message: SPF here, DMARC in dmarc.ts.
//
// Grammars (spf-record.ts, spf-macro.ts, dmarc-record.ts) are pure; evaluation takes the Resolver as
// a parameter, so that the doctor asks the Internet, the sandbox its own small one, and tests a map.
// Whatever DNS says is a result; nothing here throws. A question that got no answer ends in
// temperror, a record that nobody can read in permerror, and both say which name is at fault.
//
// This file is check_host() of RFC 7208 §4, for the MAIL FROM identity, and for HELO when the
// reverse-path is null (§2.4).

import { isIP, isIPv4 } from 'node:net'
import type { Resolver } from '../dns/resolver.ts'
import { addressOf, type IpAddress, isInNetwork, nibbles, reversed } from './spf-address.ts'
import { expandMacros, type MacroString, parseMacros, usesMacro } from './spf-macro.ts'
import {
  type Directive,
  isSpf,
  parseSpf,
  type Qualifier,
  type SpfFault,
  type SpfRecord,
} from './spf-record.ts'

export type SpfResult = 'none' | Qualifier | 'temperror' | 'permerror'

/** What a receiver knows of the connection. */
export type SpfConnection = {
  /** Of the client. */
  readonly address: string
  /** The reverse-path without its brackets, empty for `<>`. */
  readonly sender: string
  readonly helloName: string
}

export type SpfOptions = {
  readonly resolver: Resolver
  /** Our own name, for explanations. */
  readonly receiver?: string
  /** Milliseconds since 1970, for explanations. */
  readonly now?: number
  /** Looks further than receivers do (10 and 2, RFC 7208 §4.6.4), to say how much is too much. */
  readonly limits?: { readonly lookups: number; readonly voidLookups: number }
}

export type SpfProblem =
  | { readonly kind: 'syntax'; readonly domain: string; readonly fault: SpfFault }
  | { readonly kind: 'several-records'; readonly domain: string }
  | { readonly kind: 'no-record'; readonly domain: string }
  | { readonly kind: 'too-many-lookups' | 'too-many-void-lookups'; readonly domain: string }
  | { readonly kind: 'too-many-mx'; readonly domain: string }
  | { readonly kind: 'bad-name'; readonly domain: string; readonly name: string }
  | { readonly kind: 'dns'; readonly domain: string; readonly why: string }

export type SpfOutcome = {
  readonly result: SpfResult
  /** Whose record was asked. */
  readonly domain: string
  /** The term of that record (or of one it redirects to) that decided; absent when none did. */
  readonly term?: string
  /** Why it is temperror or permerror. */
  readonly problem?: SpfProblem
  /** The domain's own words, for a fail (RFC 7208 §6.2). */
  readonly explanation?: string
  /** Of at most ten (RFC 7208 §4.6.4). */
  readonly lookups: number
  /** Of at most two. */
  readonly voidLookups: number
  /** What each term of the domain's own record cost, as far as it was needed. */
  readonly costs: readonly { readonly term: string; readonly lookups: number }[]
}

export const MOST_LOOKUPS = 10
const MOST_VOID_LOOKUPS = 2
const MOST_HOSTS = 10
const LONGEST_NAME = 253

/** Evaluates SPF as a receiver does (RFC 7208 §4). Never throws. */
export async function checkSpf(
  connection: SpfConnection,
  options: SpfOptions,
): Promise<SpfOutcome> {
  const at = connection.sender.lastIndexOf('@')
  const ofSender = connection.sender.slice(at + 1)
  const domain = plain(connection.sender === '' ? connection.helloName : ofSender)
  const evaluation = new Evaluation(connection, domain, options)
  const told = isIP(connection.address) !== 0 && isCheckable(domain)
  const ended = told ? await evaluation.check(domain, {}) : ({ result: 'none' } as const)
  const { problem, term, explanation } = ended
  return {
    result: ended.result,
    domain,
    ...(term === undefined ? {} : { term }),
    ...(problem === undefined ? {} : { problem }),
    ...(explanation === undefined ? {} : { explanation }),
    lookups: evaluation.lookups,
    voidLookups: evaluation.voidLookups,
    costs: evaluation.costs,
  }
}

type Ended = {
  readonly result: SpfResult
  readonly term?: string
  readonly problem?: SpfProblem
  readonly explanation?: string
}

/** One evaluation: the connection, and what it has cost so far. */
class Evaluation {
  lookups = 0
  voidLookups = 0
  readonly costs: { term: string; lookups: number }[] = []
  #depth = 0
  readonly #address: IpAddress
  readonly #local: string
  readonly #senderDomain: string
  readonly #options: SpfOptions
  readonly #helloName: string
  #names: Promise<readonly string[]> | undefined

  constructor(connection: SpfConnection, domain: string, options: SpfOptions) {
    const { address, sender } = connection
    this.#address = addressOf(isIP(address) ? address : '0.0.0.0')
    // Without a local part it is the postmaster (RFC 7208 §4.3).
    this.#local = sender.slice(0, Math.max(sender.lastIndexOf('@'), 0)) || 'postmaster'
    this.#senderDomain = domain
    this.#helloName = connection.helloName
    this.#options = options
  }

  /** check_host() for one domain's record. */
  async check(domain: string, how: { readonly inInclude?: boolean }): Promise<Ended> {
    const answer = await this.#options.resolver.resolve(domain, 'TXT')
    if (answer.kind === 'cannot-tell')
      return halt({ kind: 'dns', domain, why: answer.why }, 'temperror')
    const records = answer.kind === 'records' ? answer.records.filter(isSpf) : []
    if (records.length > 1) return halt({ kind: 'several-records', domain })
    if (records.length === 0) return { result: 'none' }
    const record = parseSpf(records[0]!)
    if ('fault' in record) return halt({ kind: 'syntax', domain, fault: record })
    for (const directive of record.directives) {
      const matched = await this.#costed(directive.text, () => this.#matches(directive, domain))
      if (typeof matched !== 'boolean') return matched
      if (matched) return this.#decided(directive, { record, domain, ...how })
    }
    const { redirect } = record
    if (!redirect) return { result: 'neutral' }
    return this.#costed('redirect=', () => this.#redirect(redirect, domain, how))
  }

  /** Writes down what a term of the first record costs, with all that it leads to. */
  async #costed<T>(term: string, look: () => Promise<T>): Promise<T> {
    const before = this.lookups
    this.#depth++
    const found = await look()
    this.#depth--
    if (this.#depth === 0 && this.lookups > before)
      this.costs.push({ term, lookups: this.lookups - before })
    return found
  }

  #isOneTooMany(): boolean {
    return ++this.lookups > (this.#options.limits?.lookups ?? MOST_LOOKUPS)
  }

  async #decided(
    directive: Directive,
    at: { readonly record: SpfRecord; readonly domain: string; readonly inInclude?: boolean },
  ): Promise<Ended> {
    const ended: Ended = { result: directive.qualifier, term: directive.text }
    if (directive.qualifier !== 'fail' || !at.record.exp || at.inInclude) return ended
    const explanation = await this.#explain(at.record.exp, at.domain)
    return explanation === undefined ? ended : { ...ended, explanation }
  }

  /** RFC 7208 §6.1 */
  async #redirect(
    to: MacroString,
    domain: string,
    how: { readonly inInclude?: boolean },
  ): Promise<Ended> {
    if (this.#isOneTooMany()) return halt({ kind: 'too-many-lookups', domain })
    const target = await this.#target(to, domain)
    if (!isCheckable(target)) return halt({ kind: 'bad-name', domain, name: target })
    const ended = await this.check(target, how)
    return ended.result === 'none' ? halt({ kind: 'no-record', domain: target }) : ended
  }

  async #matches(directive: Directive, domain: string): Promise<boolean | Ended> {
    switch (directive.kind) {
      case 'all':
        return true
      case 'ip4':
      case 'ip6':
        return this.#isWithin(directive.network, directive.prefix)
    }
    if (this.#isOneTooMany()) return halt({ kind: 'too-many-lookups', domain })
    const target = await this.#target(directive.domain ?? [domain], domain)
    switch (directive.kind) {
      case 'include':
        return this.#include(target, domain)
      case 'exists': {
        const found = await this.#ask(target, 'A', domain)
        return Array.isArray(found) ? found.length > 0 : found
      }
      case 'a':
        return this.#isHost(target, directive, domain)
      case 'mx':
        return this.#isMailHost(target, directive, domain)
      case 'ptr':
        return (await this.#namesOfClient()).some((name) => isBelow(name, target.toLowerCase()))
    }
  }

  /** RFC 7208 §5.2 */
  async #include(target: string, domain: string): Promise<boolean | Ended> {
    if (!isCheckable(target)) return halt({ kind: 'bad-name', domain, name: target })
    const { result, problem } = await this.check(target, { inInclude: true })
    if (result === 'none') return halt({ kind: 'no-record', domain: target })
    if (problem) return halt(problem, result)
    return result === 'pass'
  }

  async #isHost(
    name: string,
    prefixes: { readonly prefix4: number; readonly prefix6: number },
    domain: string,
  ): Promise<boolean | Ended> {
    const four = this.#address.kind() === 'ipv4'
    const found = await this.#ask(name, four ? 'A' : 'AAAA', domain)
    if (!Array.isArray(found)) return found
    const prefix = four ? prefixes.prefix4 : prefixes.prefix6
    return found.some((address) => this.#isWithin(address, prefix))
  }

  /** RFC 7208 §5.4, and the limit of §4.6.4 on hosts. */
  async #isMailHost(
    name: string,
    prefixes: { readonly prefix4: number; readonly prefix6: number },
    domain: string,
  ): Promise<boolean | Ended> {
    const found = await this.#ask(name, 'MX', domain)
    if (!Array.isArray(found)) return found
    if (found.length > MOST_HOSTS) return halt({ kind: 'too-many-mx', domain: name })
    const hosts = found.toSorted((a, b) => a.preference - b.preference)
    for (const { exchange } of hosts) {
      if (exchange === '' || exchange === '.') continue // null MX, RFC 7505
      const matched = await this.#isHost(exchange, prefixes, domain)
      if (matched !== false) return matched
    }
    return false
  }

  /** Answers to a term's question: an empty list is a void lookup, and only two are allowed. */
  async #ask<T extends 'A' | 'AAAA' | 'MX'>(name: string, type: T, domain: string) {
    const answer = await this.#options.resolver.resolve(name, type)
    if (answer.kind === 'cannot-tell')
      return halt({ kind: 'dns', domain: name, why: answer.why }, 'temperror')
    if (answer.kind === 'records') return [...answer.records]
    if (++this.voidLookups > (this.#options.limits?.voidLookups ?? MOST_VOID_LOOKUPS))
      return halt({ kind: 'too-many-void-lookups', domain })
    return []
  }

  #isWithin(network: string, prefix: number): boolean {
    return isInNetwork(this.#address, network, prefix)
  }

  /** The client's names that lead back to its address (RFC 7208 §5.5). Failures are no names. */
  #namesOfClient(): Promise<readonly string[]> {
    this.#names ??= this.#findNames()
    return this.#names
  }

  async #findNames(): Promise<readonly string[]> {
    const { resolver } = this.#options
    const four = this.#address.kind() === 'ipv4'
    const pointers = await resolver.resolve(
      `${reversed(this.#address)}.${four ? 'in-addr' : 'ip6'}.arpa`,
      'PTR',
    )
    if (pointers.kind !== 'records') return []
    const names = await Promise.all(
      pointers.records.slice(0, MOST_HOSTS).map(async (pointer) => {
        const name = plain(pointer).toLowerCase()
        const answer = await resolver.resolve(name, four ? 'A' : 'AAAA')
        const back =
          answer.kind === 'records' &&
          answer.records.some((a) => this.#isWithin(a, four ? 32 : 128))
        return back ? name : undefined
      }),
    )
    return names.filter((name) => name !== undefined)
  }

  /** A domain-spec as a name to ask for: the leftmost labels go when it is too long (RFC 7208 §7.3). */
  async #target(macros: MacroString, domain: string): Promise<string> {
    let name = plain(await this.#expand(macros, domain))
    while (name.length > LONGEST_NAME && name.includes('.'))
      name = name.slice(name.indexOf('.') + 1)
    return name
  }

  async #expand(macros: MacroString, domain: string): Promise<string> {
    const name = usesMacro(macros, 'p') ? await this.#nameOfClient(domain) : 'unknown'
    const four = this.#address.kind() === 'ipv4'
    return expandMacros(macros, (letter) => {
      switch (letter) {
        case 's':
          return `${this.#local}@${this.#senderDomain}`
        case 'l':
          return this.#local
        case 'o':
          return this.#senderDomain
        case 'd':
          return domain
        case 'i':
          return four ? this.#address.toString() : nibbles(this.#address).join('.')
        case 'p':
          return name
        case 'v':
          return four ? 'in-addr' : 'ip6'
        case 'h':
          return this.#helloName
        case 'c':
          return this.#address.toString()
        case 'r':
          return this.#options.receiver ?? 'unknown'
        default:
          return String(Math.floor((this.#options.now ?? 0) / 1000))
      }
    })
  }

  /** RFC 7208 §7.3: the domain itself, else a name below it, else any. */
  async #nameOfClient(domain: string): Promise<string> {
    const names = await this.#namesOfClient()
    const own = domain.toLowerCase()
    return (
      names.find((name) => name === own) ??
      names.find((name) => isBelow(name, own)) ??
      names[0] ??
      'unknown'
    )
  }

  /** Whatever goes wrong here, there is no explanation (RFC 7208 §6.2). */
  async #explain(exp: MacroString, domain: string): Promise<string | undefined> {
    const target = await this.#target(exp, domain)
    const answer = isCheckable(target)
      ? await this.#options.resolver.resolve(target, 'TXT')
      : undefined
    if (answer?.kind !== 'records' || answer.records.length !== 1) return undefined
    const macros = parseMacros(answer.records[0]!, { explanation: true })
    const text = macros && (await this.#expand(macros, domain))
    return text !== undefined && /^[ -~]*$/.test(text) ? text : undefined
  }
}

function halt(problem: SpfProblem, result: SpfResult = 'permerror'): Ended {
  return { result, problem }
}

/** A name that can have a record: at least two labels, none empty or too long (RFC 7208 §4.3). */
function isCheckable(name: string): boolean {
  const labels = name.split('.')
  return (
    labels.length > 1 &&
    name.length <= LONGEST_NAME &&
    labels.every((label) => label.length >= 1 && label.length <= 63) &&
    isIPv4(name) === false &&
    !name.startsWith('[')
  )
}

function isBelow(name: string, above: string): boolean {
  return name === above || name.endsWith(`.${above}`)
}

function plain(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}
