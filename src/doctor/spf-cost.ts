// What an SPF record costs its receivers in lookups, and which addresses it stands for: walks the
// includes as a receiver does. Bounded, and what could not be asked is said.

import ipaddr from 'ipaddr.js'
import { isSpf } from '../auth/spf-record.ts'
import type { Resolver } from '../dns/resolver.ts'
import { spfTerms } from './spf.ts'

/** RFC 7208 §4.6.4 */
export const MOST_LOOKUPS = 10
/** We look a little further than receivers, to say how much is too much. */
const MOST_ASKED = 40

export type TermCost = {
  readonly text: string
  readonly lookups: number
  /** Networks that it allows, in ip4:/ip6: form; undefined when it cannot be written so. */
  readonly networks: readonly string[] | undefined
  /** It makes the whole record an error, or names nothing. */
  readonly broken: boolean
}

export type SpfCost = {
  readonly lookups: number
  readonly terms: readonly TermCost[]
  /** DNS did not answer everywhere: the count is a lower bound. */
  readonly incomplete: boolean
}

type Walk = { readonly resolver: Resolver; asked: number; incomplete: boolean }

/** Counts for each term of the record what it takes to evaluate it. */
export async function spfCost(
  record: string,
  domain: string,
  resolver: Resolver,
): Promise<SpfCost> {
  const walk: Walk = { resolver, asked: 0, incomplete: false }
  const terms: TermCost[] = []
  for (const term of spfTerms(record).terms)
    terms.push(await costOf(term, { domain, walk, above: [domain] }))
  const lookups = terms.reduce((sum, one) => sum + one.lookups, 0)
  return { lookups, terms, incomplete: walk.incomplete }
}

type Place = { readonly domain: string; readonly walk: Walk; readonly above: readonly string[] }
type SpfTerm = ReturnType<typeof spfTerms>['terms'][number]

async function costOf(term: SpfTerm, place: Place): Promise<TermCost> {
  const { text, kind, value } = term
  const free = { text, lookups: 0, broken: false }
  switch (kind) {
    case 'ip4':
    case 'ip6':
      return { ...free, networks: [`${kind}:${value}`] }
    case 'all':
    case 'other':
      return { ...free, networks: undefined }
    case 'ptr':
    case 'exists':
      return { ...free, lookups: 1, networks: undefined }
    case 'a':
    case 'mx': {
      const networks = text.includes('/')
        ? undefined
        : await addresses(kind, value === '' ? place.domain : value, place.walk)
      return { text, lookups: 1, networks, broken: networks?.length === 0 }
    }
    case 'include':
    case 'redirect':
      return included(term, place)
  }
}

async function included({ text, value }: SpfTerm, { walk, above }: Place): Promise<TermCost> {
  const target = value.toLowerCase().replace(/\.$/, '')
  const unknown = { text, lookups: 1, networks: undefined, broken: false }
  if (target.includes('%')) return unknown
  if (above.includes(target)) return { ...unknown, broken: true }
  if (++walk.asked > MOST_ASKED) {
    walk.incomplete = true
    return unknown
  }
  const answer = await walk.resolver.resolve(target, 'TXT')
  if (answer.kind === 'cannot-tell') {
    walk.incomplete = true
    return unknown
  }
  const records = answer.kind === 'records' ? answer.records.filter(isSpf) : []
  if (records.length !== 1) return { ...unknown, broken: true }
  const inside: TermCost[] = []
  for (const term of spfTerms(records[0]!).terms)
    inside.push(await costOf(term, { domain: target, walk, above: [...above, target] }))
  const spending = inside.filter(({ text: term }) => !/^[-~?]/.test(term))
  const plain = spending.every(({ text: term, networks }) => networks || /^\+?all$|=/i.test(term))
  const everything = spending.some(({ text: term }) => /^\+?all$/i.test(term))
  const redirect = inside.some(({ text: term, networks }) => /^redirect=/i.test(term) && !networks)
  return {
    text,
    lookups: 1 + inside.reduce((sum, one) => sum + one.lookups, 0),
    networks:
      plain && !everything && !redirect
        ? spending.flatMap(({ networks }) => networks ?? [])
        : undefined,
    broken: inside.some(({ broken, text: term }) => broken && /include|redirect/i.test(term)),
  }
}

async function addresses(
  kind: 'a' | 'mx',
  name: string,
  walk: Walk,
): Promise<string[] | undefined> {
  if (name.includes('%') || ++walk.asked > MOST_ASKED) return undefined
  const hosts = kind === 'a' ? [name] : await exchanges(name, walk)
  if (!hosts) return undefined
  const networks: string[] = []
  for (const host of hosts)
    for (const type of ['A', 'AAAA'] as const) {
      const answer = await walk.resolver.resolve(host, type)
      if (answer.kind === 'cannot-tell') {
        walk.incomplete = true
        return undefined
      }
      if (answer.kind === 'records')
        networks.push(...answer.records.map((one) => `${type === 'A' ? 'ip4' : 'ip6'}:${one}`))
    }
  return networks
}

async function exchanges(name: string, walk: Walk): Promise<string[] | undefined> {
  const answer = await walk.resolver.resolve(name, 'MX')
  if (answer.kind === 'records') return answer.records.slice(0, 10).map((one) => one.exchange)
  walk.incomplete ||= answer.kind === 'cannot-tell'
  return answer.kind === 'cannot-tell' ? undefined : []
}

/** Whether one of these networks holds our term's address: `ip4:192.0.2.25` in `ip4:192.0.2.0/24`. */
export function isWithinNetworks(term: string, networks: readonly string[]): boolean {
  const own = parseNetwork(term)
  if (!own) return false
  return networks.some((text) => {
    const network = parseNetwork(text)
    if (!network || network[0].kind() !== own[0].kind()) return false
    return network[1] <= own[1] && own[0].match(network)
  })
}

function parseNetwork(term: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | undefined {
  const [, text = ''] = /^\+?ip[46]:(.*)$/i.exec(term) ?? []
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text)
    const address = ipaddr.parse(text)
    return [address, address.kind() === 'ipv4' ? 32 : 128]
  } catch {
    return undefined
  }
}

/**
 * A record that needs fewer lookups: without terms that are broken (`prune`), and with networks in
 * place of names (`flatten`), which must then be kept up by hand.
 */
export function cheaperSpf(
  cost: SpfCost,
  { flatten, prune }: { readonly flatten?: boolean; readonly prune?: boolean },
): string {
  const terms = cost.terms.flatMap(({ text, broken, networks, lookups }) => {
    if (prune && broken) return []
    const plain = flatten && lookups > 0 && networks && !/^[-~?]/.test(text)
    return plain ? networks : [text]
  })
  const unique = [...new Set(terms)]
  const end = flatten && !unique.some((term) => /all$|^redirect=/i.test(term)) ? ['~all'] : []
  return ['v=spf1', ...unique, ...end].join(' ')
}
