import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Reads networks into a list that is asked for each client; throws a TypeError for what is none. */
export function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [text = '', lengthText, more] = network.split('/')
    const { address, mapped } = plainAddress(text)
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    const widest = family === 'ipv4' ? 32 : 128
    const length =
      lengthText === undefined ? widest : Number(lengthText) - (mapped && lengthText ? 96 : 0)
    const valid = /^\d{1,3}$/.test(lengthText ?? '0') && length >= 0 && length <= widest
    if (more !== undefined || !valid || !(isIPv4(address) || isIPv6(address))) {
      throw new TypeError(`not a network: ${network} (write 10.0.0.0/8, fd00::/8 or an address)`)
    }
    list.addSubnet(address, length, family)
  }
  return list
}

/** Is the address in one of the networks? IPv4 mapped into IPv6 counts as IPv4. */
export function isIn(networks: BlockList, address: string): boolean {
  if (isIPv4(address)) return networks.check(address, 'ipv4')
  const plain = plainAddress(address).address
  if (isIPv4(plain)) return networks.check(plain, 'ipv4')
  return isIPv6(plain) && networks.check(plain, 'ipv6')
}

/** Without the zone, and as IPv4 where it is that inside IPv6 (RFC 4291 §2.5.5.2). */
function plainAddress(text: string): { address: string; mapped: boolean } {
  const address = text.replace(/^\[(.*)\]$/, '$1').split('%')[0] ?? ''
  const inner = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return inner ? { address: inner, mapped: true } : { address, mapped: false }
}
