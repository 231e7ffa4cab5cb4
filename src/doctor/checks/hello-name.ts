// The name that we greet with: a real one, and it leads to the addresses that mail leaves from.

import type { Resolver } from '../../dns/resolver.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import { isCloudflare } from '../cloudflare.ts'
import { isGenericName, isPublicName } from '../names.ts'
import { reverseName } from '../plan.ts'
import { helloNameTexts } from '../texts/hello-name.ts'

const found = findingsOf(helloNameTexts)

export type HelloNameOptions = {
  readonly resolver: Resolver
  readonly hostname: string
  readonly ipv4?: string
  readonly ipv6?: string
  readonly usesIpv6: boolean
}

/** HELO against A and AAAA. */
export function checkHelloName(options: HelloNameOptions): Check {
  const { hostname, ipv4, ipv6, usesIpv6 } = options
  const wanted = [ipv4, usesIpv6 ? ipv6 : undefined].filter((address) => address !== undefined)
  return {
    name: 'hello-name',
    group: 'identity',
    async run() {
      if (!isPublicName(hostname)) return [await noName(options)]
      return (await Promise.all(wanted.map((address) => leadsTo(address, options)))).flat()
    },
  }
}

/** The name that our address has already is the best proposal. */
async function noName({ hostname, ipv4, resolver }: HelloNameOptions): Promise<Finding> {
  const answer = ipv4 && (await resolver.resolve(reverseName(ipv4), 'PTR'))
  const names = answer && answer.kind === 'records' ? answer.records : []
  const own = names.find((name) => isPublicName(name) && !isGenericName(name, ipv4 ?? ''))
  return found('HELO_NOT_FQDN', hostname, { hostname, proposal: own ?? 'mail.example.com' })
}

async function leadsTo(
  address: string,
  { resolver, hostname }: HelloNameOptions,
): Promise<Finding[]> {
  const type = address.includes(':') ? 'AAAA' : 'A'
  const answer = await resolver.resolve(hostname, type)
  const facts = { hostname, address, type }
  switch (answer.kind) {
    case 'cannot-tell':
      return [couldNotCheck(hostname, answer.why)]
    case 'none':
    case 'no-such-name':
      return [found('HELO_NO_ADDRESS', hostname, facts)]
    case 'records': {
      const alias =
        answer.name !== hostname
          ? [found('HELO_ALIAS', hostname, { hostname, type, address, target: answer.name })]
          : []
      if (answer.records.includes(address)) return [...alias, found('HELO_OK', hostname, facts)]
      const addresses = answer.records.join(', ')
      if (answer.records.every(isCloudflare))
        return [found('CLOUDFLARE_PROXIED', hostname, { hostname, address, addresses })]
      return [...alias, found('HELO_WRONG_ADDRESS', hostname, { ...facts, addresses })]
    }
  }
}
