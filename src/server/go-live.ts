// A domain changes its world. Into the world only what receivers will believe: the doctor looks as at
// any time, and every name server of the zone is asked for the keys that sign, for a resolver's one
// answer may be of yesterday. Back into the sandbox it may go at any time.

import type { DomainView } from '../api/control.ts'
import type { GoLiveControl } from '../api/go-live.ts'
import { couldNotCheck, type Finding, GROUPS } from '../doctor/check.ts'
import { addressDemand, type Demand, demandsOf } from '../doctor/demands.ts'
import { type Domain, displayDomain, parseDomain } from '../mail/domain.ts'
import { Gate } from '../std/gate.ts'
import type { Log } from '../std/log.ts'
import { askDoctor, type DoctorDependencies } from './doctor.ts'
import type { Domains, PublishedKey } from './domains.ts'
import { identityOf } from './policy.ts'
import type { LookForKey, Sight } from './publication.ts'
import type { SandboxHouse } from './sandbox.ts'

export type GoLiveDependencies = {
  readonly doctor: DoctorDependencies
  readonly look: LookForKey
  readonly sandbox: Pick<SandboxHouse, 'open'>
  readonly log: Log
}

export function goLiveVerbs(deps: GoLiveDependencies): GoLiveControl {
  const { doctor, look, sandbox, log } = deps
  const { domains } = doctor
  return {
    async goLive(name, { force }) {
      const domain = ours(name, domains)
      if (!domain) return undefined
      const keys = signersOf(domains, domain)
      const [demands, unseen] = await Promise.all([
        demandsFor(domain, doctor),
        unseenKeys({ domain, keys, look }),
      ])
      const all = withSights(demands, unseen)
      const ready = all.every(({ state }) => state === 'met')
      const before = domains.worldOf(domain)
      const goes = before !== 'live' && (ready || force)
      if (goes) {
        const selectors = keys.map(({ selector }) => selector)
        await domains.setWorld(domain, 'live', force ? {} : { keys: selectors })
        const missing = codesOf(all)
        const says = 'mail From this domain is delivered from now on'
        if (ready) log.info({ domain }, says)
        else log.warn({ domain, missing }, `${says}, though receivers will not believe all of it`)
      }
      return { domain: viewOf(domain, domains), ready, changed: goes, demands: all }
    },
    async goSandbox(name) {
      const domain = ours(name, domains)
      if (!domain) return undefined
      const changed = domains.worldOf(domain) !== 'sandbox'
      await sandbox.open()
      await domains.setWorld(domain, 'sandbox')
      if (changed) log.info({ domain }, 'mail From this domain is captured from now on')
      return { domain: viewOf(domain, domains), changed }
    },
  }
}

function ours(name: string, domains: Domains): Domain | undefined {
  const domain = parseDomain(name)
  return domain && domains.worldOf(domain) ? domain : undefined
}

const viewOf = (domain: Domain, domains: Domains): DomainView =>
  domains.list().find((one) => one.domain === domain)!

const signersOf = (domains: Domains, domain: Domain): readonly PublishedKey[] =>
  (domains.published(domain) ?? []).filter(({ state }) => state === 'active')

async function demandsFor(domain: Domain, doctor: DoctorDependencies): Promise<readonly Demand[]> {
  const report = await askDoctor(doctor, domain)
  const results = [...(report?.host ?? []), ...(report?.domains[0]?.checks ?? [])]
  const demands = demandsOf(results).toSorted(
    (a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group),
  )
  const { delivery, relayhost } = doctor.config
  const { hostname, ipv4, ipv6 } = identityOf(doctor.config)
  const address = ipv4 ?? (delivery.protocol === 'ipv4' ? undefined : ipv6)
  const isKnown = address !== undefined || Boolean(relayhost)
  const isTold = demands.some(
    ({ check, state }) => check === 'outbound-port' && state === 'missing',
  )
  return isKnown || isTold ? demands : [addressDemand(hostname), ...demands]
}

type Unseen = { readonly name: string; readonly sight: Sight }

/** The keys that some name server does not show, or about which nobody could be asked. */
async function unseenKeys({
  domain,
  keys,
  look,
}: {
  readonly domain: Domain
  readonly keys: readonly PublishedKey[]
  readonly look: LookForKey
}): Promise<readonly Unseen[]> {
  const seen = await Promise.all(
    keys.map(async ({ selector, txt }) => ({
      name: `${selector}._domainkey.${domain}`,
      sight: await look({ domain, selector, txt }),
    })),
  )
  return seen.filter(({ sight }) => sight.kind !== 'published')
}

/** What the doctor told already is not told again. */
function withSights(demands: readonly Demand[], unseen: readonly Unseen[]): readonly Demand[] {
  if (unseen.length === 0) return demands
  return demands.map((demand) => {
    if (demand.check !== 'dkim' || demand.state !== 'met') return demand
    const more = unseen.map(({ name, sight }) => couldNotCheck(name, reasonOf(sight)))
    return { ...demand, state: 'unknown' as const, findings: [...more, ...demand.findings] }
  })
}

function reasonOf({ why, without }: Sight): string {
  return [why, ...without.map((server) => [server.host, server.why].filter(Boolean).join(': '))]
    .filter(Boolean)
    .join(', ')
}

const isAgainst = ({ severity }: Finding) => severity === 'error' || severity === 'unknown'

function codesOf(demands: readonly Demand[]): readonly string[] {
  const unmet = demands.filter(({ state }) => state !== 'met')
  return [
    ...new Set(unmet.flatMap(({ findings }) => findings.filter(isAgainst).map((f) => f.code))),
  ]
}

const LOOKS_AT_ONCE = 4

/**
 * Says in the log which live domains sign with keys that the world cannot see: at the start, and
 * when a domain is added as live. Nothing is held back: who set it so may know of a record on its way.
 */
export function warnOfUnseenKeys({
  domains,
  look,
  log,
  signal,
}: {
  readonly domains: Domains
  readonly look: LookForKey
  readonly log: Log
  /** When it is aborted, nobody wants to know any more. */
  readonly signal?: AbortSignal
}): (domain?: Domain) => Promise<void> {
  const gate = new Gate(LOOKS_AT_ONCE)
  const one = (domain: Domain) =>
    gate.run(async () => {
      const keys = signersOf(domains, domain)
      for (const { name, sight } of await unseenKeys({ domain, keys, look })) {
        if (signal?.aborted) return
        const { kind, why } = sight
        const fix = `posthorn dns ${domain}, then posthorn doctor ${domain}`
        const fields = { domain, record: name, seen: kind, ...(why && { why }), fix }
        const key = `the key that ${displayDomain(domain)} signs with`
        if (kind === 'cannot-tell') log.warn(fields, `no name server says whether it shows ${key}`)
        else log.warn(fields, `DNS does not show ${key}`)
      }
    })
  return async (domain) => {
    const live = domains.list().filter(({ world }) => world === 'live')
    const chosen = domain ? [domain] : live.map((view) => view.domain as Domain)
    await Promise.all(chosen.map(one))
  }
}
