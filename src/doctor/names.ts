// What a host name tells by its look: public or not, chosen or given by a provider.

import { reverseName } from './plan.ts'

/** Names that no public DNS holds: RFC 6761, RFC 6762, RFC 9476 and the custom of home networks. */
const PRIVATE =
  /(^|\.)(test|example|invalid|localhost|local|onion|alt|arpa|internal|intranet|lan|home|corp|private|localdomain|docker)$/

/** A name with a dot under a public top-level domain; a container's id or a machine's short name is none. */
export function isPublicName(name: string): boolean {
  return name.includes('.') && !PRIVATE.test(name) && !/^\d+$/.test(name.split('.').at(-1)!)
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
