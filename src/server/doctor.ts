// The doctor in this house: gathers what its checks need, asks with a resolver of its own (so that
// a record that was repaired a moment ago is not answered from our cache), and in the background
// tells the log what changed.

import { readFile, statfs } from 'node:fs/promises'
import type { DoctorReport, DomainReport } from '../api/control.ts'
import type { Config } from '../config/schema.ts'
import type { Resolver } from '../dns/resolver.ts'
import { createResolver, type StubOptions } from '../dns/stub.ts'
import { countsOf, examine } from '../doctor/doctor.ts'
import { domainChecks, type HostMeans, hostChecks } from '../doctor/rounds.ts'
import { type Domain, parseDomain } from '../mail/domain.ts'
import type { Clock } from '../std/clock.ts'
import { Gate } from '../std/gate.ts'
import type { Domains } from './domains.ts'
import { listenersOf } from './listeners.ts'
import { identityOf } from './policy.ts'

export type DoctorDependencies = {
  readonly config: Config
  readonly domains: Domains
  readonly clock: Clock
  /** How to ask; the cache is made anew for every round. */
  readonly dns: StubOptions
}

/** In one round; with the doctor's patience this stays below a minute. */
const MOST_DOMAINS = 50
const DOMAINS_AT_ONCE = 16

/** Looks at the host and at the chosen domain, or at all domains; undefined: it is not ours. */
export async function askDoctor(
  deps: DoctorDependencies,
  wanted: string | undefined,
): Promise<DoctorReport | undefined> {
  const { config, domains, clock } = deps
  const name = wanted === undefined ? undefined : parseDomain(wanted)
  const all = domains.list().filter(({ domain }) => wanted === undefined || domain === name)
  if (wanted !== undefined && all.length === 0) return undefined
  const chosen = all.slice(0, MOST_DOMAINS)
  const at = clock.now()
  const began = clock.elapsed()
  using resolver = createResolver(deps.dns)
  const identity = identityOf(config)
  const means = await hostMeans(deps, resolver)
  const gate = new Gate(DOMAINS_AT_ONCE)
  const [host, ...others] = await Promise.all([
    examine(hostChecks(means), { clock }),
    ...chosen.map(({ domain }) =>
      gate.run(() => {
        const keys = domains.published(domain as Domain) ?? []
        return examine(domainChecks({ resolver, identity, domain: domain as Domain, keys }), {
          clock,
        })
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

async function hostMeans(
  { config, clock, dns }: DoctorDependencies,
  resolver: Resolver,
): Promise<HostMeans> {
  const { port, protocol, allowPrivateAddresses, sourceIpv4, sourceIpv6 } = config.delivery
  const { relayhost, routes } = config
  const { certificate } = config.tls
  return {
    resolver,
    dns,
    clock,
    identity: identityOf(config),
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
      certificate: {
        read: async () => (certificate === null ? undefined : readFile(certificate, 'utf8')),
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
