// Whether the domain is there at all, whether its name servers answer, and how young it is.

import { getDomain } from 'tldts'
import type { Resolver } from '../../dns/resolver.ts'
import { type Domain, displayDomain } from '../../mail/domain.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import { domainTexts } from '../texts/domain.ts'

const found = findingsOf(domainTexts)

export type DomainCheckOptions = {
  readonly resolver: Resolver
  readonly domain: Domain
  /** When a domain was registered, in milliseconds since 1970; undefined when nobody knows. */
  readonly registeredAt?: (domain: string, signal: AbortSignal) => Promise<number | undefined>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const DAY_MS = 86_400_000
/** Filters distrust a name for about so long. */
const YOUNG_DAYS = 42

/** A zone that answers, for a domain that somebody registered some time ago. */
export function checkDomain(options: DomainCheckOptions): Check {
  const { resolver, domain } = options
  return {
    name: 'domain',
    group: 'domain',
    async run(signal) {
      const name = shown(domain)
      const answer = await resolver.resolve(domain, 'NS')
      // Only a resolver that was reached can blame the zone.
      if (answer.kind === 'cannot-tell' && !answer.why.endsWith('SERVFAIL'))
        return [couldNotCheck(domain, answer.why)]
      if (answer.kind === 'cannot-tell')
        return [found('ZONE_FAILS', domain, { name, domain, reason: answer.why })]
      if (answer.kind === 'no-such-name') return [found('DOMAIN_MISSING', domain, { name, domain })]
      return [found('DOMAIN_OK', domain, { name }), ...(await ageFinding(options, signal))]
    },
  }
}

async function ageFinding(
  { domain, registeredAt, now }: DomainCheckOptions,
  signal: AbortSignal,
): Promise<Finding[]> {
  // The name that was registered: example.co.uk for shop.example.co.uk.
  const registered = getDomain(domain, { allowPrivateDomains: false }) ?? domain
  const name = shown(registered as Domain)
  const since = await registeredAt?.(registered, signal).catch((error: Error) => error)
  if (since instanceof Error)
    return [couldNotCheck({ en: `age of ${name}`, ru: `возраст ${name}` }, since.message)]
  if (since === undefined) return []
  const days = Math.floor((now() - since) / DAY_MS)
  if (days < 0 || days >= YOUNG_DAYS) return []
  return [found('NEW_DOMAIN', domain, { name, days })]
}

/** A name in letters, with what DNS calls it. */
function shown(domain: Domain): string {
  const name = displayDomain(domain)
  return name === domain ? domain : `${name} (${domain})`
}
