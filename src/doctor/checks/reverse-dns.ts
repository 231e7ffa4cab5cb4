// The names of the addresses that we send from: set, ours, and no hoster's default.

import type { Resolver } from '../../dns/resolver.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import { reverseName } from '../plan.ts'
import { reverseDnsTexts } from '../texts/reverse-dns.ts'

const found = findingsOf(reverseDnsTexts)

export type ReverseDnsOptions = {
  readonly resolver: Resolver
  readonly hostname: string
  readonly ipv4?: string
  readonly ipv6?: string
  /** Mail leaves over IPv6 too; else its address is only remarked upon. */
  readonly usesIpv6: boolean
}

/** The PTR record of each of our addresses against the name that we greet with. */
export function checkReverseDns(options: ReverseDnsOptions): Check {
  const addresses = [options.ipv4, options.ipv6].filter((address) => address !== undefined)
  return {
    name: 'reverse-dns',
    group: 'identity',
    run: async () => Promise.all(addresses.map((address) => findingOf(address, options))),
  }
}

async function findingOf(address: string, options: ReverseDnsOptions): Promise<Finding> {
  const { resolver, hostname, usesIpv6 } = options
  const answer = await resolver.resolve(reverseName(address), 'PTR')
  if (answer.kind === 'cannot-tell') return couldNotCheck(address, answer.why)
  const names = answer.kind === 'records' ? answer.records.map((name) => name.toLowerCase()) : []
  const isOurs = names.includes(hostname)
  const unused = address.includes(':') && !usesIpv6
  if (unused && !isOurs) return found('IPV6_NO_PTR', address, { address, hostname })
  const [name] = names
  if (name === undefined) return found('PTR_MISSING', address, { address, hostname })
  if (isGenericName(isOurs ? hostname : name, address))
    return found('PTR_GENERIC', address, { address, name: isOurs ? hostname : name, hostname })
  if (!isOurs) return found('PTR_MISMATCH', address, { address, name, hostname })
  return found('PTR_OK', address, { address, name: hostname })
}

const GENERIC_WORDS = `vps vm vds cloud dyn dynamic dhcp pool dsl adsl ppp cable broadband dialup
  customer client clients host server srv static ip ipv4 ipv6 unassigned unknown noptr compute`
const GENERIC_WORD = new RegExp(`(^|[-.\\d])(${GENERIC_WORDS.split(/\s+/).join('|')})(?=[-.\\d])`)

/**
 * Whether a name looks like one that a hoster gives by itself: with the address in it, or a word
 * such as `vps` beside a number, in its first labels. Mail.ru refuses these ("generic DNS PTR").
 */
export function isGenericName(name: string, address: string): boolean {
  const labels = name.split('.')
  const own = labels.slice(0, Math.max(1, labels.length - 2)).join('.')
  if (holdsAddress(own, address)) return true
  return /\d/.test(own) && GENERIC_WORD.test(`${own}.`)
}

function holdsAddress(name: string, address: string): boolean {
  if (address.includes(':')) {
    const nibbles = reverseName(address).replace('.ip6.arpa', '').split('.')
    const tail = nibbles.slice(0, 8).reverse().join('')
    return name.replace(/[-.]/g, '').includes(tail)
  }
  const octets = address.split('.')
  const numbers = (name.match(/\d+/g) ?? []).map((number) => String(Number(number)))
  const inOrder = (wanted: readonly string[]) =>
    numbers.some((_, at) => wanted.every((octet, i) => numbers[at + i] === octet))
  if (inOrder(octets) || inOrder(octets.toReversed())) return true
  if (inOrder(octets.slice(2)) || inOrder(octets.slice(2).reverse())) return true
  const hex = octets.map((octet) => Number(octet).toString(16).padStart(2, '0')).join('')
  return name.includes(hex)
}
