// Which addresses a stranger's domain may make us connect to.

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Site-local (RFC 3879) and documentation (RFC 9637) networks inside or near global unicast. */
const NOT_FOR_MAIL = ['fec0::/10', '3fff::/20', '2001:db8::/32', '64:ff9b:1::/48'].map((network) =>
  ipaddr.parseCIDR(network),
)
const NOT_FOR_MAIL_V4 = ['198.18.0.0/15', '192.0.0.0/24'].map((network) =>
  ipaddr.parseCIDR(network),
)
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3')

/**
 * Whether an address belongs to the public Internet. Loopback, private, link-local, shared
 * (RFC 6598), multicast, reserved and documentation networks do not, nor do IPv6 forms that carry
 * an IPv4 address inside (mapped, translated, 6to4, Teredo); text that is no address does not either.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false
  const parsed = ipaddr.parse(address)
  if (parsed.range() !== 'unicast') return false
  if (parsed.kind() === 'ipv4') return !NOT_FOR_MAIL_V4.some((network) => parsed.match(network))
  return parsed.match(GLOBAL_UNICAST) && !NOT_FOR_MAIL.some((network) => parsed.match(network))
}

/** The one way to write an address, so that two spellings compare equal; undefined for other text. */
export function canonicalAddress(address: string): string | undefined {
  // Node takes zones that ipaddr.js does not.
  return isIP(address) === 0 || !ipaddr.isValid(address)
    ? undefined
    : ipaddr.parse(address).toString()
}
