// The verbs of a domain's DNS records: the plan beside what is published, and publishing it.

import { createHash } from 'node:crypto'
import { ControlFault } from '../api/control.ts'
import type { DnsControl, DnsPlan, DnsPublication, DnsQuery, RecordGroup } from '../api/dns.ts'
import type { Config } from '../config/schema.ts'
import { findZone } from '../dns/authoritative.ts'
import type { Resolver } from '../dns/resolver.ts'
import { createResolver, type StubOptions } from '../dns/stub.ts'
import { type ComparedRecord, comparePlan } from '../doctor/compare.ts'
import { type Lookup, lookupOver } from '../doctor/lookup.ts'
import {
  type Plan,
  type PlannedExtras,
  plannedRecords,
  type RecordPurpose,
} from '../doctor/plan.ts'
import { providerOf } from '../doctor/zone-keepers.ts'
import { type Domain, parseDomain } from '../mail/domain.ts'
import type { Identity } from '../mail/identity.ts'
import {
  type Change,
  type ChangeResult,
  type Publisher,
  PublishFault,
  type Zone,
  type ZoneRecord,
} from '../publish/publisher.ts'
import { READY_DOMAIN } from '../sandbox/world.ts'
import type { Clock } from '../std/clock.ts'
import { changesFor, lookupIn } from './dns-changes.ts'
import type { Domains } from './domains.ts'
import { identityOf } from './policy.ts'
import { publisherOf } from './publish.ts'
import type { SandboxHouse } from './sandbox.ts'

export type DnsDependencies = {
  readonly config: Config
  readonly domains: Domains
  readonly sandbox: Pick<SandboxHouse, 'publishedKeys'>
  readonly clock: Clock
  /** How to ask; the cache is made anew for every plan. */
  readonly dns: StubOptions
}

/** Somebody waits at a screen. */
const TIMEOUT_MS = 3_000

export function dnsVerbs(deps: DnsDependencies): DnsControl {
  return {
    async dnsPlan(name, query) {
      const known = knownDomain(name, deps)
      return known && planOf(known, query, deps)
    },
    async publishDns(name, { query, digest, waitMs }) {
      const known = knownDomain(name, deps)
      return known && publish(known, { query, digest, waitMs }, deps)
    },
  }
}

type Known = Pick<Plan, 'domain' | 'keys' | 'identity'>

function knownDomain(name: string, { config, domains, sandbox }: DnsDependencies) {
  const domain = parseDomain(name)
  if (!domain) throw new ControlFault('NOT_A_DOMAIN', `${name} is not a domain name`)
  // The sandbox's ready-made domain needs no `domain add`.
  const ready = domain === READY_DOMAIN ? sandbox.publishedKeys : undefined
  const keys = domains.published(domain) ?? ready
  return keys && { domain, keys, identity: identityOf(config) }
}

async function planOf(known: Known, query: DnsQuery, deps: DnsDependencies): Promise<DnsPlan> {
  const { config, clock } = deps
  using resolver = createResolver({ ...deps.dns, timeoutMs: TIMEOUT_MS, attempts: 1 })
  const { domain, identity } = known
  const [zone, hosts] = query.offline
    ? [undefined, null]
    : await Promise.all([findZone(domain, resolver), mailHosts(domain, resolver)])
  const extras = extrasOf(query, { hosts, clock })
  const plan = { ...known, extras }
  const records = query.offline
    ? plannedRecords(plan).map(notAsked)
    : await comparePlan(plan, { ...query, lookup: lookupOver(resolver), resolver })
  const servers = zone?.kind === 'zone' ? zone.servers : []
  return {
    domain,
    hostname: identity.hostname,
    zone: zone?.kind === 'zone' ? zone.name : domain,
    servers,
    provider: providerOf(servers).id,
    records: chosen(records, query.only),
    missing: missingOf(identity),
    mailHosts: hosts,
    publisher: config.dnsPublish.provider,
  }
}

const missingOf = ({ ipv4, ipv6 }: Identity): DnsPlan['missing'] =>
  ipv4 || ipv6 ? [] : ['public_ipv4']

function notAsked(record: ReturnType<typeof plannedRecords>[number]): ComparedRecord {
  return { ...record, state: 'unknown', published: [], extra: [], beside: [], notes: [] }
}

/** MTA-STS and TLS-RPT speak to those who send to a domain; without a host for mail nobody does. Null: not known. */
async function mailHosts(domain: Domain, resolver: Resolver): Promise<readonly string[] | null> {
  const answer = await resolver.resolve(domain, 'MX')
  if (answer.kind === 'cannot-tell') return null
  const hosts = answer.kind === 'records' ? answer.records.map(({ exchange }) => exchange) : []
  // A null MX takes no mail (RFC 7505 §3).
  return hosts.filter((host) => host !== '' && host !== '.')
}

function extrasOf(
  query: DnsQuery,
  { hosts, clock }: { readonly hosts: readonly string[] | null; readonly clock: Clock },
): PlannedExtras {
  const receives = hosts === null || hosts.length > 0
  const id = new Date(clock.now()).toISOString().replace(/\D/g, '').slice(0, 14)
  const { bimiLogo, bimiEvidence } = query
  return {
    ...(query.returnPath && { returnPath: true }),
    ...(query.mtaSts && receives && { mtaSts: id }),
    ...(query.tlsRpt && receives && { tlsRpt: true }),
    ...(bimiLogo && { bimi: { logo: bimiLogo, ...(bimiEvidence && { evidence: bimiEvidence }) } }),
  }
}

const GROUP: Readonly<Record<RecordPurpose, RecordGroup>> = {
  hostname: 'host',
  'hello-spf': 'spf',
  'domain-spf': 'spf',
  dkim: 'dkim',
  dmarc: 'dmarc',
  'dmarc-reports': 'dmarc',
  'return-path': 'return-path',
  'return-path-spf': 'return-path',
  'mta-sts': 'mta-sts',
  'tls-rpt': 'tls-rpt',
  bimi: 'bimi',
  'reverse-dns': 'ptr',
}

function chosen(
  records: readonly ComparedRecord[],
  only: readonly RecordGroup[] | undefined,
): readonly ComparedRecord[] {
  if (!only || only.length === 0) return records
  const groups: readonly RecordGroup[] = only.filter((group) => group !== 'changes')
  return records.filter(
    ({ why, state }) =>
      (groups.length === 0 || groups.includes(GROUP[why])) &&
      (!only.includes('changes') || state !== 'present'),
  )
}

type PublishOptions = {
  readonly query: DnsQuery
  readonly digest: string | undefined
  readonly waitMs: number | undefined
}

async function publish(
  known: Known,
  { query, digest, waitMs }: PublishOptions,
  deps: DnsDependencies,
): Promise<DnsPublication> {
  const { config, clock } = deps
  using resolver = createResolver({ ...deps.dns, timeoutMs: TIMEOUT_MS, attempts: 1 })
  const publisher = publisherOf(config, { clock, resolver })
  if (!publisher)
    throw new ControlFault('NO_PUBLISHER', 'dns_publish.provider is not set in the configuration')
  try {
    const hosts = await mailHosts(known.domain, resolver)
    const plan = { ...known, extras: extrasOf(query, { hosts, clock }) }
    const { zones, changes } = await changesOf(plan, { query, publisher, resolver })
    const about = {
      domain: known.domain,
      provider: publisher.provider,
      zones: [...new Set([...zones.values()].map(({ name }) => name))],
      changes,
      digest: digestOf(changes),
    }
    if (digest === undefined) return { ...about, results: [], waitingFor: null }
    if (digest !== about.digest)
      throw new ControlFault('CHANGES_DIFFER', 'the zone changed since these changes were shown')
    const results = await apply(publisher, zones, changes)
    const waitingFor = waitMs ? await wait(publisher, results, waitMs) : null
    return { ...about, results, waitingFor }
  } catch (error) {
    if (error instanceof PublishFault) throw new ControlFault('PUBLISH_FAILED', error.message)
    throw error
  }
}

/** Compares the plan with what the zones hold, as their keeper says it: no cache is between. */
async function changesOf(
  plan: Plan,
  {
    query,
    publisher,
    resolver,
  }: { readonly query: DnsQuery; readonly publisher: Publisher; readonly resolver: Resolver },
) {
  const names = plannedRecords(plan).filter(({ inZone }) => inZone)
  const zones = new Map<string, Zone>()
  const current: ZoneRecord[] = []
  for (const name of new Set(names.map((record) => record.name))) {
    const zone = await publisher.zoneOf(name)
    zones.set(name, zone)
    current.push(...(await publisher.read(zone, name)))
  }
  const inZones = lookupIn(current)
  const inDns = lookupOver(resolver)
  const lookup: Lookup = (name, type) => (zones.has(name) ? inZones : inDns)(name, type)
  const compared = await comparePlan(plan, { ...query, lookup, resolver })
  return { zones, changes: changesFor(chosen(compared, query.only), current) }
}

/** In each zone in turn; what could not be tried any more is said to be undone. */
async function apply(
  publisher: Publisher,
  zones: ReadonlyMap<string, Zone>,
  changes: readonly Change[],
): Promise<readonly ChangeResult[]> {
  const results = new Map<Change, ChangeResult>()
  for (const id of new Set([...zones.values()].map((zone) => zone.id))) {
    const own = changes.filter(({ record }) => zones.get(record.name)?.id === id)
    const zone = [...zones.values()].find((one) => one.id === id)!
    if (own.length === 0) continue
    for (const result of await publisher.apply(zone, own)) results.set(result.change, result)
  }
  return changes.map(
    (change) => results.get(change) ?? { change, done: false, why: 'it was not tried' },
  )
}

async function wait(
  publisher: Publisher,
  results: readonly ChangeResult[],
  timeoutMs: number,
): Promise<readonly string[]> {
  const records = results
    .filter(({ change, done }) => done && change.kind !== 'remove')
    .map(({ change }) => change.record)
  const seen = await publisher.waitUntilVisible(records, { timeoutMs })
  return seen.visible ? [] : seen.waitingFor
}

function digestOf(changes: readonly Change[]): string {
  return createHash('sha256').update(JSON.stringify(changes)).digest('hex').slice(0, 16)
}
