// What the API and the command line need of a domain's DNS records.

import type { ComparedRecord } from '../doctor/compare.ts'
import type { ChangeResult, ProviderName } from '../publish/publisher.ts'

/** What the plan may hold beyond what every domain needs, and how it is compared. */
export type DnsQuery = {
  /** Nothing is asked of DNS; every state is `unknown`. */
  readonly offline?: boolean
  readonly returnPath?: boolean
  readonly mtaSts?: boolean
  readonly tlsRpt?: boolean
  readonly bimiLogo?: string
  readonly bimiEvidence?: string
  /** SPF with networks in place of names, and without broken terms. */
  readonly flatten?: boolean
  readonly prune?: boolean
  /** Only these groups of records, and `changes` for those that are not as they should be. */
  readonly only?: readonly RecordGroup[]
}

export const RECORD_GROUPS = [
  'host',
  'spf',
  'dkim',
  'dmarc',
  'return-path',
  'mta-sts',
  'tls-rpt',
  'bimi',
  'ptr',
  'changes',
] as const

export type RecordGroup = (typeof RECORD_GROUPS)[number]

export type DnsPlan = {
  readonly domain: string
  readonly hostname: string
  /** The apex of the zone that holds the domain; the domain itself when that is not known. */
  readonly zone: string
  /** Its name servers; empty when they are not known. */
  readonly servers: readonly string[]
  /** Who keeps the zone, guessed from the servers; `other` when it is nobody we know. */
  readonly provider: string
  readonly records: readonly ComparedRecord[]
  /** The options that hide records while they are not set: A and PTR need `public_ipv4`. */
  readonly missing: readonly 'public_ipv4'[]
  /** Who receives the domain's mail (MX); empty: nobody; null: not known. Without them there is
   *  nothing that MTA-STS and TLS-RPT could protect. */
  readonly mailHosts: readonly string[] | null
  /** `dns_publish.provider`: we can set records ourselves. */
  readonly publisher: ProviderName | null
}

export type DnsChange = ChangeResult['change']

/** A change that was asked for, or made. */
export type DnsPublication = {
  readonly domain: string
  readonly provider: ProviderName
  readonly zones: readonly string[]
  /** In the order in which they are made. */
  readonly changes: readonly DnsChange[]
  /** Give it back to have exactly these changes made. */
  readonly digest: string
  /** After they were made, one for each change; empty before. */
  readonly results: readonly ChangeResult[]
  /** Servers that did not show the change in time; null when nobody waited. */
  readonly waitingFor: readonly string[] | null
}

export type DnsControl = {
  /** Undefined: this server has no such domain. */
  dnsPlan(domain: string, query: DnsQuery): Promise<DnsPlan | undefined>
  /**
   * Says which changes would make the zone as planned; with the digest of these changes makes them.
   * Throws ControlFault NO_PUBLISHER, PUBLISH_FAILED, CHANGES_DIFFER. Undefined: no such domain.
   */
  publishDns(
    domain: string,
    options: { readonly query: DnsQuery; readonly digest?: string; readonly waitMs?: number },
  ): Promise<DnsPublication | undefined>
}
