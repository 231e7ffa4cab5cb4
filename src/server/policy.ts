// From the configuration to the records that the rooms take: pure, one function a room.

import { networkInterfaces } from 'node:os'
import type { Config, RelayConfig } from '../config/schema.ts'
import type { RelayOptions, RouteConfig } from '../delivery/route.ts'
import { isPublicAddress } from '../dns/address.ts'
import type { DnsServer } from '../dns/exchange.ts'
import { systemServers, systemTrustsAd } from '../dns/system.ts'
import type { SiteName } from '../mail/entry.ts'
import type { Identity } from '../mail/identity.ts'
import { QUEUE_LIMITS } from '../queue/options.ts'
import { doublingSchedule, SANDBOX_SCHEDULE, type Schedules } from '../queue/schedule.ts'
import type { SiteLimits } from '../queue/site.ts'
import type { Tokens } from '../smtp/open.ts'
import type { Mechanism } from '../smtp/sasl.ts'

/** Deliveries at once before anything is known of a site, as Postfix does. */
const FIRST_WINDOW = 5
/** A relay is ours and expects us. */
const FIRST_RELAY_WINDOW = 20
const RECIPIENTS_PER_BATCH = 100
/** A relay that is down is asked again sooner: all our mail waits for it. */
const RELAY_REST = { restMs: 5_000, longestRestMs: 60_000 }

/** Our name and addresses: as configured, else the public addresses that this machine has. */
export function identityOf(config: Config): Identity {
  const ipv4 = config.publicIpv4 ?? ownAddresses().find((address) => !address.includes(':'))
  const ipv6 = config.publicIpv6 ?? undefined
  return { hostname: config.hostname, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) }
}

/** The public IPv6 address that mail would leave from, whether or not it is configured. */
export function ownIpv6Of(config: Config): string | undefined {
  return config.publicIpv6 ?? ownAddresses().find((address) => address.includes(':'))
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter(isPublicAddress)
}

/** @param tokens of the relays that want XOAUTH2 */
export function routesOf(
  config: Config,
  tokens: ReadonlyMap<RelayConfig, Tokens> = new Map(),
): Omit<RouteConfig, 'sandbox'> {
  const { delivery, relayhost, routes } = config
  return {
    ...(relayhost && { relayhost: relayOf(relayhost, tokens.get(relayhost)) }),
    routes: new Map(
      Object.entries(routes).map(([domain, relay]) => [domain, relayOf(relay, tokens.get(relay))]),
    ),
    port: delivery.port,
    protocol: delivery.protocol,
    allowPrivate: delivery.allowPrivateAddresses,
  }
}

function relayOf(
  { username, password, oauth: _, ...relay }: RelayConfig,
  tokens: Tokens | undefined,
): RelayOptions {
  return {
    ...relay,
    ...(username && { username }),
    ...(password && { password }),
    ...(tokens && { tokens }),
  }
}

export function schedulesOf({ retry }: Config): Schedules {
  const { firstMs, longestMs, expireMs, delayNoticeMs } = retry
  const end = { expireAfterMs: expireMs, noticeAfterMs: delayNoticeMs }
  return { live: doublingSchedule({ firstMs, longestMs, ...end }), sandbox: SANDBOX_SCHEDULE }
}

export function siteLimitsOf(
  config: Config,
  relayConnections: (site: SiteName) => number | undefined,
): (site: SiteName) => SiteLimits {
  return (site) => {
    const relay = relayConnections(site)
    const recipientsPerBatch = RECIPIENTS_PER_BATCH
    if (relay !== undefined)
      return {
        connections: relay,
        recipientsPerBatch,
        initialWindow: FIRST_RELAY_WINDOW,
        // All mail may go through it: its part of the memory is the whole.
        entries: QUEUE_LIMITS.activeEntries,
        ...RELAY_REST,
      }
    // One misbehaving recipient must not rest the rest of a developer's tests.
    if (site.startsWith('sandbox:'))
      return { connections: 20, recipientsPerBatch, initialWindow: FIRST_WINDOW, restMs: 0 }
    const connections = config.delivery.connectionsPerSite
    return { connections, recipientsPerBatch, initialWindow: FIRST_WINDOW }
  }
}

/** As the protocol spells them. */
export function mechanismsOf({ auth }: Config): ReadonlySet<Mechanism> {
  return new Set(auth.mechanisms.map((name) => name.toUpperCase() as Mechanism))
}

/** Which servers to ask, and whether their AD bit is to be believed. */
export function dnsOf(
  config: Config,
  resolvConf: string,
): { servers: readonly DnsServer[]; trustAd: boolean } {
  const { servers, trustAd } = config.dns
  if (servers.length === 0)
    return { servers: systemServers(resolvConf), trustAd: trustAd || systemTrustsAd(resolvConf) }
  return { servers: servers.map(serverOf), trustAd }
}

/** `192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:5353` */
export function serverOf(text: string): DnsServer {
  const [, address, port] =
    /^\[(.*)\](?::(\d+))?$/.exec(text) ?? /^([^:]*)(?::(\d+))?$/.exec(text) ?? []
  return address === undefined ? { address: text, port: 53 } : { address, port: Number(port ?? 53) }
}
