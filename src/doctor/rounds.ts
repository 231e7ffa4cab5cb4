// Which checks are made: of the host that sends, and of a domain that mail is From. A line for each.

import type { Resolver } from '../dns/resolver.ts'
import type { Domain } from '../mail/domain.ts'
import type { Identity } from '../mail/identity.ts'
import type { Check } from './check.ts'
import { checkReverseDns } from './checks/reverse-dns.ts'

/** What the checks of the host need. */
export type HostMeans = {
  readonly resolver: Resolver
  readonly identity: Identity
  /** Mail leaves over IPv6 too. */
  readonly usesIpv6: boolean
}

/** What the checks of a domain need. */
export type DomainMeans = {
  readonly resolver: Resolver
  readonly identity: Identity
  readonly domain: Domain
  /** The keys that should be published, as plan.ts takes them. */
  readonly keys: readonly { readonly selector: string; readonly txt: string }[]
}

/** Network, identity, lists and the machine itself; the same for every domain. */
export function hostChecks(means: HostMeans): readonly Check[] {
  return [checkReverseDns({ ...means.identity, ...means })]
}

/** What is published for a domain, against what should be. */
export function domainChecks(_means: DomainMeans): readonly Check[] {
  return []
}
