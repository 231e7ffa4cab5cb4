// Where mail for a domain goes, by configuration alone: to the domain's own hosts, or to a relay.
// Pure: no DNS, no time. The site's name comes from here too, so that the queue groups what the
// same next hop takes.

import { isIP } from 'node:net'
import type { AddressLiteral, Domain } from '../mail/domain.ts'
import type { SiteName } from '../mail/entry.ts'
import type { Mailbox } from '../mail/mailbox.ts'
import type { World } from '../mail/message.ts'
import type { TlsLevel, Tokens } from '../smtp/open.ts'

export type Protocol = 'ipv4' | 'ipv6' | 'both'

/** A relay (smarthost) as the operator writes it. */
export type RelayOptions = {
  /** `[name]` or an address is taken as it is; of a bare name the MX records are asked. */
  readonly host: string
  /** 465 with implicit TLS, else 587 with a password and 25 without. */
  readonly port?: number
  /** `required` with a password, else `opportunistic`. */
  readonly tls?: TlsLevel
  /** `required` and `implicit` demand a certificate for this host unless `insecure` is set. */
  readonly insecure?: boolean
  readonly username?: string
  readonly password?: string
  /** XOAUTH2 instead of the password. */
  readonly tokens?: Tokens
  /** How many sessions at once: for the scheduler. */
  readonly connections?: number
}

export type RouteConfig = {
  /** For every domain that has no route of its own. */
  readonly relayhost?: RelayOptions
  /** By domain; `.example.com` stands for everything below it. */
  readonly routes: ReadonlyMap<string, RelayOptions>
  /** 25 unless a test or an odd network says otherwise. */
  readonly port?: number
  readonly protocol: Protocol
  /** Hosts of direct mail may have private addresses. */
  readonly allowPrivate: boolean
  /** Where the sandbox's receiver listens; its addresses come from the sandbox's DNS. */
  readonly sandbox?: {
    readonly port: number
    /** The domain whose hosts take a recipient's mail there. */
    destinationOf(mailbox: Mailbox): Domain | AddressLiteral
  }
}

export type DirectRoute = {
  readonly kind: 'direct'
  readonly domain: Domain | AddressLiteral
  readonly port: number
  readonly protocol: Protocol
  readonly allowPrivate: boolean
  readonly world: World
}

export type RelayRoute = {
  readonly kind: 'relay'
  /** A name or an address, without brackets. */
  readonly host: string
  /** Ask for the MX records of `host` first. */
  readonly mx: boolean
  readonly port: number
  readonly protocol: Protocol
  readonly tls: TlsLevel
  readonly verify: boolean
  readonly username?: string
  readonly password?: string
  readonly tokens?: Tokens
  readonly connections: number
  readonly site: SiteName
}

export type Route = DirectRoute | RelayRoute

export type Router = {
  routeOf(mailbox: Mailbox, world: World): Route
  siteOf(mailbox: Mailbox, world: World): SiteName
  /** How many sessions a relay's site may have; undefined for other sites. */
  connectionsAt(site: SiteName): number | undefined
}

const RELAY_CONNECTIONS = 20
const SMTP_PORT = 25

/** Reads the configuration once. The sandbox never leaves through a relay. */
export function createRouter(config: RouteConfig): Router {
  const names = new Map<SiteName, RelayOptions>()
  const route = (options: RelayOptions) => relayRoute(options, config.protocol, names)
  const routes = new Map<string, RelayRoute>()
  for (const [domain, options] of config.routes) routes.set(domain.toLowerCase(), route(options))
  const otherwise = config.relayhost && route(config.relayhost)

  const relayFor = (domain: string): RelayRoute | undefined => {
    if (routes.size === 0) return otherwise
    const exact = routes.get(domain)
    if (exact) return exact
    for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      const above = routes.get(domain.slice(dot))
      if (above) return above
    }
    return otherwise
  }

  const sandboxed = (mailbox: Mailbox) => config.sandbox?.destinationOf(mailbox) ?? mailbox.domain

  return {
    routeOf(mailbox, world) {
      if (world === 'sandbox') {
        const port = config.sandbox?.port ?? SMTP_PORT
        const domain = sandboxed(mailbox)
        return { kind: 'direct', domain, port, protocol: 'both', allowPrivate: true, world }
      }
      const { domain } = mailbox
      const { port = SMTP_PORT, protocol, allowPrivate } = config
      return relayFor(domain) ?? { kind: 'direct', domain, port, protocol, allowPrivate, world }
    },
    siteOf(mailbox, world) {
      if (world === 'sandbox') return `sandbox:${sandboxed(mailbox)}`
      return relayFor(mailbox.domain)?.site ?? mailbox.domain
    },
    connectionsAt: (site) =>
      [...routes.values(), otherwise].find((relay) => relay?.site === site)?.connections,
  }
}

function relayRoute(
  options: RelayOptions,
  protocol: Protocol,
  names: Map<SiteName, RelayOptions>,
): RelayRoute {
  const { username, password, insecure } = options
  const bracketed = /^\[(.*)\]$/.exec(options.host)
  const host = (bracketed?.[1] ?? options.host).replace(/^ipv6:/i, '').toLowerCase()
  const tls = options.tls ?? (username === undefined ? 'opportunistic' : 'required')
  const port = options.port ?? usualPort(tls, username)
  return {
    kind: 'relay',
    host,
    mx: !bracketed && isIP(host) === 0 && host !== 'localhost',
    port,
    protocol,
    tls,
    verify: (tls === 'required' || tls === 'implicit') && !insecure,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(options.tokens && { tokens: options.tokens }),
    connections: options.connections ?? RELAY_CONNECTIONS,
    site: relaySite(options, port, names),
  }
}

function usualPort(tls: TlsLevel, username: string | undefined): number {
  if (tls === 'implicit') return 465
  return username === undefined ? SMTP_PORT : 587
}

/** `relay:host:port`; routes to one server that differ (in the password, say) are different sites. */
function relaySite(
  options: RelayOptions,
  port: number,
  names: Map<SiteName, RelayOptions>,
): SiteName {
  const plain = `relay:${options.host}:${port}`
  let name = plain
  for (let n = 2; ; n++) {
    const known = names.get(name)
    if (!known || sameRelay(known, options)) break
    name = `${plain}#${n}`
  }
  names.set(name, options)
  return name
}

function sameRelay(a: RelayOptions, b: RelayOptions): boolean {
  return (
    a.tls === b.tls &&
    a.username === b.username &&
    a.password === b.password &&
    a.tokens === b.tokens &&
    a.insecure === b.insecure &&
    a.connections === b.connections
  )
}
