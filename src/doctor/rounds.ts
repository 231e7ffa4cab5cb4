// Which checks are made: of the host that sends, and of a domain that mail is From. A line for each.

import { askAuthoritative } from '../dns/authoritative.ts'
import type { DnsServer } from '../dns/exchange.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Domain } from '../mail/domain.ts'
import type { Identity } from '../mail/identity.ts'
import type { Clock } from '../std/clock.ts'
import { addressOf, makeAskTime } from './ask-time.ts'
import type { Check } from './check.ts'
import { checkBlocklists } from './checks/blocklists.ts'
import { type CertificateOptions, checkCertificate } from './checks/certificate.ts'
import { checkClock } from './checks/clock.ts'
import { checkDisk, type Disk } from './checks/disk.ts'
import { checkDkim } from './checks/dkim.ts'
import { checkDmarcPolicy } from './checks/dmarc.ts'
import { checkDomain, type DomainCheckOptions } from './checks/domain.ts'
import { checkHelloName } from './checks/hello-name.ts'
import { checkMailHosts } from './checks/mail-hosts.ts'
import { checkOpenRelay, type OpenRelayOptions } from './checks/open-relay.ts'
import { checkOutboundPort } from './checks/outbound-port.ts'
import { checkRelays, type RelayPlace } from './checks/relay.ts'
import { checkResolver } from './checks/resolver.ts'
import { checkReverseDns } from './checks/reverse-dns.ts'
import { checkHelloSpf, checkSpfRecord } from './checks/spf.ts'
import { type Dial, makeDial } from './dial.ts'

/** What the checks of the host need. */
export type HostMeans = {
  readonly resolver: Resolver
  /** The servers behind it, to be looked at one by one. */
  readonly dns: { readonly servers: readonly DnsServer[]; readonly trustAd: boolean }
  readonly clock: Clock
  readonly identity: Identity
  /** How mail leaves. */
  readonly delivery: {
    readonly port: number
    readonly protocol: 'ipv4' | 'ipv6' | 'both'
    readonly allowPrivate: boolean
    readonly sourceIpv4?: string
    readonly sourceIpv6?: string
    readonly relays: readonly RelayPlace[]
    /** A relay takes all mail: receivers never see our address. */
    readonly onlyByRelay: boolean
  }
  /** Whom to ask. */
  readonly world: {
    readonly port25Domains: readonly Domain[]
    readonly blocklists: readonly string[]
    readonly clockHosts: readonly string[]
    readonly signedName: string
    readonly brokenName: string
  }
  readonly machine: {
    /** Who made it, such as `Hetzner`; empty when it does not say. */
    readonly vendor: string
    readonly disk: () => Promise<Disk>
    readonly certificates: CertificateOptions
    /** Undefined where no server runs. */
    readonly relaying: OpenRelayOptions | undefined
  }
}

/** What the checks of a domain need. */
export type DomainMeans = {
  readonly host: Pick<HostMeans, 'resolver' | 'clock' | 'identity' | 'delivery'>
  readonly domain: Domain
  /** The keys that should be published, as plan.ts takes them. */
  readonly keys: readonly {
    readonly selector: string
    readonly txt: string
    readonly state?: string
  }[]
  /** Where bounces come back to, when not to the domain itself. */
  readonly returnPath?: Domain
  /** Domains of others that bounces were asked to go to. */
  readonly foreignPaths?: readonly Domain[]
  /** When a domain was registered, in milliseconds since 1970; absent where nobody is asked. */
  readonly registeredAt?: DomainCheckOptions['registeredAt']
  /** The configuration has its mail leave unsigned. */
  readonly signingOff?: boolean
}

/** Two tries at each of a name server's addresses stay within the doctor's patience. */
const SERVER_MS = 1_500
/** A third of the doctor's patience, so that silence is told as silence. */
const CALL_MS = 5_000
const HTTPS_PORT = 443

/** Network, identity, lists and the machine itself; the same for every domain. */
export function hostChecks(means: HostMeans): readonly Check[] {
  const { resolver, clock, delivery, dns, world, machine } = means
  const dial = makeDial({ clock, patienceMs: CALL_MS, ...delivery })
  const { allowPrivate } = delivery
  const askTime = makeAskTime({ resolver, clock, patienceMs: CALL_MS, allowPrivate })
  return [
    ...(delivery.onlyByRelay ? [] : directChecks(means, dial)),
    checkRelays({ relays: delivery.relays, resolver, dial }),
    checkClock({ clock, hosts: world.clockHosts, askTime }),
    checkResolver({ ...dns, ...world, clock, timeoutMs: CALL_MS }),
    checkCertificate(machine.certificates),
    checkDisk(machine.disk),
    checkOpenRelay(machine.relaying),
  ]
}

/** What matters where receivers see our own address. */
function directChecks(
  { resolver, identity, delivery, world, machine }: HostMeans,
  dial: Dial,
): readonly Check[] {
  const usesIpv6 = delivery.protocol !== 'ipv4'
  const addresses = sendingAddresses({ identity, delivery })
  const port25 = { domains: world.port25Domains, vendor: machine.vendor }
  const elsewhere = async () => {
    const found = await Promise.all(world.clockHosts.map((host) => addressOf(host, resolver)))
    return found.flatMap((address) => (address ? [{ address, port: HTTPS_PORT }] : []))
  }
  return [
    checkOutboundPort({ ...delivery, ...port25, resolver, identity, dial, elsewhere }),
    checkHelloName({ resolver, ...identity, usesIpv6 }),
    checkHelloSpf({ resolver, hostname: identity.hostname, addresses }),
    checkReverseDns({ resolver, ...identity, usesIpv6 }),
    checkBlocklists({
      resolver,
      addresses,
      lists: world.blocklists,
    }),
  ]
}

/** What is published for a domain, against what should be. */
export function domainChecks(means: DomainMeans): readonly Check[] {
  const {
    host,
    domain,
    keys,
    returnPath,
    foreignPaths = [],
    signingOff = false,
    registeredAt,
  } = means
  const { resolver, clock, identity, delivery } = host
  // Behind a relay nobody sees our addresses: SPF has to name the relay's.
  const addresses = delivery.onlyByRelay ? [] : sendingAddresses(host)
  const us = { resolver, hostname: identity.hostname, addresses }
  const { allowPrivate } = delivery
  const askAll = (name: string, signal: AbortSignal) =>
    askAuthoritative(name, 'TXT', { resolver, clock, timeoutMs: SERVER_MS, allowPrivate, signal })
  const back = returnPath ? { returnPath } : {}
  return [
    checkDomain({
      resolver,
      domain,
      now: () => clock.now(),
      ...(registeredAt && { registeredAt }),
    }),
    checkSpfRecord({ ...us, domain }),
    checkDkim({ resolver, domain, keys, askAll, isOff: signingOff, byRelay: delivery.onlyByRelay }),
    checkDmarcPolicy({ resolver, domain, ...back }),
    checkMailHosts({ ...us, domain, ...back, foreignPaths }),
  ]
}

function sendingAddresses({ identity, delivery }: Pick<HostMeans, 'identity' | 'delivery'>) {
  const usesIpv6 = delivery.protocol !== 'ipv4'
  return [identity.ipv4, usesIpv6 ? identity.ipv6 : undefined].filter(
    (address) => address !== undefined,
  )
}
