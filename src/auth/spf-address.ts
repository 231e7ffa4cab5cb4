// Client addresses as SPF compares and writes them (RFC 7208 §5, §7.3).

import { isIP, isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6

/** Of one family, and equal in the first `prefix` bits; false for text that is no address. */
export function isInNetwork(address: IpAddress, network: string, prefix: number): boolean {
  if (isIP(network) === 0) return false
  const parsed = parseAddress(network)
  return parsed.kind() === address.kind() && address.match(parsed as ipaddr.IPv6, prefix)
}

/** An IPv4 address in IPv6's clothes is one of IPv4 (RFC 7208 §5). */
export function addressOf(address: string): IpAddress {
  const parsed = parseAddress(address)
  return parsed.kind() === 'ipv6' && (parsed as ipaddr.IPv6).isIPv4MappedAddress()
    ? (parsed as ipaddr.IPv6).toIPv4Address()
    : parsed
}

/** ipaddr.js reads `::1.2.3.4` as `::ffff:1.2.3.4`; a URL's host has one form for each address. */
function parseAddress(address: string): IpAddress {
  const bare = address.replace(/%.*$/, '')
  if (isIPv4(bare)) return ipaddr.parse(bare)
  return ipaddr.parse(new URL(`http://[${bare}]`).hostname.slice(1, -1))
}

export function nibbles(address: IpAddress): string[] {
  return address
    .toByteArray()
    .flatMap((octet) => [octet >> 4, octet & 15])
    .map((nibble) => nibble.toString(16).toUpperCase()) // as in RFC 7208 §7.4
}

export function reversed(address: IpAddress): string {
  const parts =
    address.kind() === 'ipv4' ? [...address.toByteArray()].map(String) : nibbles(address)
  return parts.reverse().join('.')
}
