// Whether our addresses stand on blocklists in DNS (RFC 5782). A list that does not answer us is no
// verdict: public resolvers are refused with addresses such as 127.255.255.254, and a list that has
// closed may list the whole world.

import type { Resolver } from '../../dns/resolver.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import { reverseName } from '../plan.ts'
import { blocklistTexts } from '../texts/blocklists.ts'

const found = findingsOf(blocklistTexts)

export type BlocklistOptions = {
  readonly resolver: Resolver
  readonly addresses: readonly string[]
  /** Zones of the lists, such as `zen.spamhaus.org`. */
  readonly lists: readonly string[]
}

/** Every address of ours on every list. */
export function checkBlocklists(options: BlocklistOptions): Check {
  return {
    name: 'blocklists',
    group: 'lists',
    run: async () => (await Promise.all(options.addresses.map((one) => look(one, options)))).flat(),
  }
}

async function look(address: string, { resolver, lists }: BlocklistOptions): Promise<Finding[]> {
  const answers = await Promise.all(
    lists.map(async (list) => ({ list, ...(await ask(address, list, resolver)) })),
  )
  const of = (kind: Verdict['kind']) => answers.filter((answer) => answer.kind === kind)
  const names = (some: readonly { readonly list: string }[]) =>
    some.map(({ list }) => list).join(', ')
  const refused = of('refused').map(({ list, why }) => `${list}: ${why}`)
  return [
    ...(of('clean').length > 0
      ? [found('DNSBL_OK', address, { address, lists: names(of('clean')) })]
      : []),
    ...of('listed').map(({ list, why }) =>
      found('DNSBL_LISTED', address, { address, list, reason: why, link: linkOf(list, address) }),
    ),
    ...(refused.length > 0
      ? [found('DNSBL_REFUSED', address, { address, lists: refused.join('; ') })]
      : []),
    ...of('cannot-tell').map(({ list, why }) => couldNotCheck(list, why)),
  ]
}

type Verdict = {
  readonly kind: 'listed' | 'clean' | 'refused' | 'cannot-tell'
  readonly why: string
}

async function ask(address: string, list: string, resolver: Resolver): Promise<Verdict> {
  const name = `${reverseName(address).replace(/\.(in-addr|ip6)\.arpa$/, '')}.${list}`
  const answer = await resolver.resolve(name, 'A')
  if (answer.kind === 'cannot-tell') return { kind: 'cannot-tell', why: answer.why }
  const codes = answer.kind === 'records' ? answer.records : []
  const listed = codes.filter(isListing)
  const [strange] = codes.filter((code) => !isListing(code))
  if (strange !== undefined && listed.length === 0) return { kind: 'refused', why: strange }
  const works = await answersUs(list, resolver)
  if (works !== true) return works
  if (listed.length === 0) return { kind: 'clean', why: '' }
  const said = await resolver.resolve(name, 'TXT')
  const text = said.kind === 'records' ? said.records[0]!.slice(0, 200) : ''
  return {
    kind: 'listed',
    why: [`${listed.map(meaning(list)).join(', ')}`, text].filter(Boolean).join(': '),
  }
}

/** Addresses of 127.0.0.0/8, but for the range in which lists say that they refuse to answer. */
function isListing(code: string): boolean {
  return code.startsWith('127.') && !code.startsWith('127.255.255.')
}

/** Every list has 127.0.0.2 and never 127.0.0.1 (RFC 5782 §5). */
async function answersUs(list: string, resolver: Resolver): Promise<true | Verdict> {
  const [yes, no] = await Promise.all([
    resolver.resolve(`2.0.0.127.${list}`, 'A'),
    resolver.resolve(`1.0.0.127.${list}`, 'A'),
  ])
  if (yes.kind === 'cannot-tell') return { kind: 'cannot-tell', why: yes.why }
  const [test] = yes.kind === 'records' ? yes.records : []
  if (test === undefined) return { kind: 'refused', why: 'its test entry is missing' }
  if (!isListing(test)) return { kind: 'refused', why: test }
  if (no.kind === 'records') return { kind: 'refused', why: 'it lists everything' }
  return true
}

const SPAMHAUS: Readonly<Record<string, string>> = {
  '127.0.0.2': 'SBL',
  '127.0.0.3': 'CSS',
  '127.0.0.4': 'XBL',
  '127.0.0.9': 'DROP',
  '127.0.0.10': 'PBL',
  '127.0.0.11': 'PBL',
}
const meaning = (list: string) => (code: string) =>
  list.endsWith('.spamhaus.org') ? (SPAMHAUS[code] ?? code) : code

/** Where to read about a listing and ask to be taken off. */
function linkOf(list: string, address: string): string {
  if (list.endsWith('.spamhaus.org')) return `https://check.spamhaus.org/results/?query=${address}`
  if (list.endsWith('.spamcop.net')) return `https://www.spamcop.net/bl.shtml?${address}`
  if (list.endsWith('.barracudacentral.org'))
    return 'https://www.barracudacentral.org/rbl/removal-request'
  return `https://multirbl.valli.org/lookup/${address}.html`
}
