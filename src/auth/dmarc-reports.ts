// Where DMARC reports go, and whether that place agreed to get them (RFC 9990, "Verifying External
// Destinations"): without consent no receiver sends any, and nobody says so.

import type { Resolver } from '../dns/resolver.ts'
import { parseMailbox } from '../mail/mailbox.ts'
import { organizationalDomain, walkTree } from './dmarc.ts'
import { isDmarc } from './dmarc-record.ts'

export type ReportDestination = {
  readonly uri: string
} & (
  | { readonly kind: 'own' | 'authorised'; readonly domain: string }
  /** `name` is where the consent should stand. */
  | { readonly kind: 'not-authorised'; readonly domain: string; readonly name: string }
  /** Not a mailto: of a mailbox that can exist; receivers ignore it. */
  | { readonly kind: 'unusable' }
  | { readonly kind: 'cannot-tell'; readonly why: string }
)

const MOST_DESTINATIONS = 20

/**
 * Looks at each destination of a record.
 * @param at the domain whose record it is
 */
export async function reportDestinations(
  uris: readonly string[],
  at: string,
  resolver: Resolver,
): Promise<ReportDestination[]> {
  const own = await organizationOf(at, resolver)
  return Promise.all(
    uris.slice(0, MOST_DESTINATIONS).map(async (uri): Promise<ReportDestination> => {
      const domain = mailDomain(uri)
      if (domain === undefined) return { uri, kind: 'unusable' }
      if (domain === at) return { uri, kind: 'own', domain }
      const theirs = await organizationOf(domain, resolver)
      if (typeof own === 'object') return { uri, kind: 'cannot-tell', why: own.why }
      if (typeof theirs === 'object') return { uri, kind: 'cannot-tell', why: theirs.why }
      if (own === theirs) return { uri, kind: 'own', domain }
      const name = `${at}._report._dmarc.${domain}`
      const answer = await resolver.resolve(name, 'TXT')
      if (answer.kind === 'cannot-tell') return { uri, kind: 'cannot-tell', why: answer.why }
      const agreed = answer.kind === 'records' && answer.records.some(isDmarc)
      return agreed
        ? { uri, kind: 'authorised', domain }
        : { uri, kind: 'not-authorised', domain, name }
    }),
  )
}

async function organizationOf(
  domain: string,
  resolver: Resolver,
): Promise<string | { readonly why: string }> {
  const walk = await walkTree(domain, resolver)
  return walk.kind === 'walked' ? organizationalDomain(domain, walk.steps) : walk
}

function mailDomain(uri: string): string | undefined {
  const address = /^mailto:([^?]+)/i.exec(uri)?.[1]
  if (address === undefined) return undefined
  let text: string
  try {
    text = decodeURIComponent(address)
  } catch {
    return undefined
  }
  const domain = parseMailbox(text)?.domain
  return domain === undefined || domain.startsWith('[') ? undefined : domain
}
