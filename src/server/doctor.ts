// The doctor in this house: gathers what its checks need, asks with a resolver of its own (so that
// a record that was repaired a moment ago is not answered from our cache), and in the background
// tells the log what changed.

import { readFile, statfs } from 'node:fs/promises'
import type { DoctorReport, DomainReport, DomainView } from '../api/control.ts'
import type { Certificates } from '../certificates/certificates.ts'
import type { Config } from '../config/schema.ts'
import type { Resolver } from '../dns/resolver.ts'
import { createResolver, type StubOptions } from '../dns/stub.ts'
import type { OpenRelayOptions } from '../doctor/checks/open-relay.ts'
import { countsOf, examine } from '../doctor/doctor.ts'
import { registryAt } from '../doctor/registration.ts'
import { domainChecks, type HostMeans, hostChecks } from '../doctor/rounds.ts'
import { type Domain, parseDomain } from '../mail/domain.ts'
import type { Clock } from '../std/clock.ts'
import { Gate } from '../std/gate.ts'
import type { Log } from '../std/log.ts'
import type { Metrics } from '../std/metrics.ts'
import type { Domains } from './domains.ts'
import { unsignedOf } from './given.ts'
import { listenersOf } from './listeners.ts'
import { identityOf, ownIpv6Of } from './policy.ts'
import type { ReturnPaths } from './return-paths.ts'
import { show, type Trouble, tell, troublesOf } from './troubles.ts'

export type DoctorDependencies = {
  readonly config: Config
  readonly domains: Domains
  readonly clock: Clock
  readonly returnPaths: Pick<ReturnPaths, 'of'>
  readonly certificates: Certificates
  /** The watch over who is trusted; undefined where no server runs. */
  readonly relaying?: OpenRelayOptions | undefined
  /** How to ask; the cache is made anew for every round. */
  readonly dns: StubOptions
}

/** In one round; with the doctor's patience this stays below a minute. */
const MOST_DOMAINS = 50
const DOMAINS_AT_ONCE = 16
/** Twice that is told as silence well within the doctor's patience. */
const QUESTION_MS = 2_500
/** The first minute belongs to the mail that waited. */
const FIRST_LOOK_MS = 60_000

/** Looks at the host and at the chosen domain, or at all domains; undefined: it is not ours. */
export async function askDoctor(
  deps: DoctorDependencies,
  wanted: string | undefined,
): Promise<DoctorReport | undefined> {
  const name = wanted === undefined ? undefined : parseDomain(wanted)
  const all = deps.domains.list().filter(({ domain }) => wanted === undefined || domain === name)
  return wanted !== undefined && all.length === 0 ? undefined : visit(deps, all)
}

/**
 * What else the checks of a domain need: whose return paths are ours to publish for and whose are
 * somebody else's, whether it is signed for, who knows its age.
 */
function moreAbout(domain: Domain, { config, domains, returnPaths }: DoctorDependencies) {
  const isOurs = (name: Domain) =>
    domains.list().some((one) => name === one.domain || name.endsWith(`.${one.domain}`))
  const seen = returnPaths.of(domain)
  const [returnPath] = seen.filter(isOurs)
  return {
    ...(returnPath && { returnPath }),
    foreignPaths: seen.filter((name) => !isOurs(name) && name !== config.hostname),
    signingOff: unsignedOf(config, domain) !== undefined,
    ...(config.doctor.rdap && { registeredAt: registryAt(config.doctor.rdap) }),
  }
}

/** Those that sign and those whose mail may still be on its way: a coming key need not be seen yet. */
function keysToSee(domain: Domain, { domains }: Pick<DoctorDependencies, 'domains'>) {
  return (domains.published(domain) ?? []).filter(({ state }) => state !== 'coming')
}

/** One round over the host and these domains. */
async function visit(deps: DoctorDependencies, all: readonly DomainView[]): Promise<DoctorReport> {
  const { config, clock } = deps
  const chosen = all.slice(0, MOST_DOMAINS)
  const at = clock.now()
  const began = clock.elapsed()
  using resolver = createResolver({ ...deps.dns, timeoutMs: QUESTION_MS })
  const identity = identityOf(config)
  const means = await hostMeans(deps, resolver)
  const gate = new Gate(DOMAINS_AT_ONCE)
  const [host, ...others] = await Promise.all([
    examine(hostChecks(means), { clock }),
    ...chosen.map(({ domain }) =>
      gate.run(() => {
        const keys = keysToSee(domain as Domain, deps)
        const more = moreAbout(domain as Domain, deps)
        const its = { host: means, domain: domain as Domain, keys, ...more }
        return examine(domainChecks(its), { clock })
      }),
    ),
  ])
  const reports: DomainReport[] = others.map(({ results }, i) => ({
    domain: chosen[i]!.domain,
    world: chosen[i]!.world,
    checks: results,
  }))
  const counts = countsOf([host, ...others].flatMap(({ results }) => results))
  return {
    at,
    durationMs: Math.round(clock.elapsed() - began),
    hostname: identity.hostname,
    counts,
    healthy: counts.error === 0,
    host: host.results,
    domains: reports,
    leftOut: all.length - chosen.length,
  }
}

/**
 * Looks by itself, soon after the start and then every so often, at a server whose mail goes out
 * into the world, and tells the log what is wrong and what no longer is: a line each, once. Returns
 * what ends it.
 */
export function watchHealth(
  deps: DoctorDependencies & { readonly log: Log; readonly metrics: Metrics },
): () => void {
  const { config, domains, clock, log, metrics } = deps
  const { everyMs } = config.doctor
  if (everyMs === 0) return () => {}
  let known: ReadonlyMap<string, Trouble> = new Map()
  metrics.gauge('posthorn_doctor_findings', {
    help: 'What the doctor found wrong at its last look, by code.',
    labels: ['code', 'severity'],
    read: (gauge) => show(gauge, known),
  })
  let timer = clock.after(Math.min(FIRST_LOOK_MS, everyMs), look)
  let over = false
  function look(): void {
    round()
      .catch((error: unknown) => log.warn({ error: String(error) }, 'the doctor failed'))
      .finally(() => {
        if (!over) timer = clock.after(everyMs, look)
      })
  }
  async function round(): Promise<void> {
    const live = domains.list().filter(({ world }) => world === 'live')
    if (config.mode !== 'live' && live.length === 0) return
    const report = await visit(deps, live)
    if (over) return
    const now = troublesOf(report, known)
    tell(log, known, now)
    known = now
  }
  return () => {
    over = true
    timer.cancel()
  }
}

async function hostMeans(
  { config, clock, dns, certificates, relaying }: DoctorDependencies,
  resolver: Resolver,
): Promise<HostMeans> {
  const { port, protocol, allowPrivateAddresses, sourceIpv4, sourceIpv6 } = config.delivery
  const { relayhost, routes } = config
  const ipv6 = ownIpv6Of(config)
  return {
    resolver,
    dns,
    clock,
    identity: { ...identityOf(config), ...(ipv6 && { ipv6 }) },
    delivery: {
      port,
      protocol,
      allowPrivate: allowPrivateAddresses,
      ...(sourceIpv4 && { sourceIpv4 }),
      ...(sourceIpv6 && { sourceIpv6 }),
      relays: [...(relayhost ? [relayhost] : []), ...Object.values(routes)],
      onlyByRelay: Boolean(relayhost),
    },
    world: config.doctor,
    machine: {
      vendor: await readFile('/sys/class/dmi/id/sys_vendor', 'utf8').catch(() => ''),
      disk: () => diskOf(config),
      relaying,
      certificates: {
        states: () => certificates.states(),
        openListeners: openListenersOf(config),
      },
    },
  }
}

async function diskOf({ data, storage }: Config) {
  const { bavail, blocks, bsize } = await statfs(data)
  return {
    folder: data,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    reserveBytes: storage.reserveBytes,
  }
}

/** Listeners without TLS that other machines can reach. */
function openListenersOf(config: Config): string[] {
  return listenersOf(config)
    .filter(([, { address, tls }]) => tls === 'none' && !isLoopback(address))
    .map(([, { address, port }]) => `${address}:${port}`)
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
