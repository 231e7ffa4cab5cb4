// The names of the addresses that we send from: set, ours, and no hoster's default.

import type { Resolver } from '../../dns/resolver.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import { isGenericName, isPublicName } from '../names.ts'
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
    // Without a name to greet with there is nothing to compare; checks/hello-name.ts says so.
    run: async () =>
      isPublicName(options.hostname)
        ? Promise.all(addresses.map((address) => findingOf(address, options)))
        : [],
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
