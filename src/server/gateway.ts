// Clients that come through a gateway: behind a Docker bridge, a userland proxy or NAT all of them
// have its address, programs of this host and strangers of the Internet alike, and from inside one
// cannot see how the port was published. So while mail of any domain leaves, the gateway is trusted
// only when it was said so (trust_gateway, or its very address in networks); and even then we dial our
// public address now and then and look as whom we are seen: if as a trusted client, so is the world,
// and that address loses its trust until the door is closed.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type BlockList, connect, isIP, isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Config } from '../config/schema.ts'
import { canonicalAddress } from '../dns/address.ts'
import { isIn, networkList } from '../intake/networks.ts'

import type { Client, SmtpService } from '../smtp/service.ts'
import type { Clock, Timer } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { Metrics } from '../std/metrics.ts'

const PROBE_EVERY_MS = 3_600_000
const FIRST_PROBE_MS = 1_000
/** While nothing leaves, this often it is asked whether anything does by now. */
const AWAKE_EVERY_MS = 10_000
const DIAL_MS = 5_000
/** Beside those that we listen on: where containers are usually published. */
const USUAL_PORTS = [25, 587, 2525]
/** If these are trusted, everybody is. */
const STRANGERS = ['8.8.8.8', '1.1.1.1', '2606:4700:4700::1111']

/** The world, or a part of it, may relay. `seen` is the address under which it appears. */
export type RelayRisk = { readonly address: string; readonly seen: string }

export type TrustWatch = Disposable & {
  /** Trusted by its network, and yet not to be believed. */
  distrusts(address: string): boolean
  /** The service, with an eye on our own probes. */
  watched(service: SmtpService): SmtpService
  risks(): readonly RelayRisk[]
  /** It has begun to look: a server runs. */
  isWatching(): boolean
  /** Begins to look, at once and every hour. */
  start(ports: readonly number[]): void
  /** Looks now; resolves when every address has answered or has not. */
  probe(): Promise<void>
}

export type TrustWatchDeps = {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Mail leaves: of everybody, or of a domain that was made live meanwhile. */
  isLive(): boolean
  /** Our addresses as the world knows them. */
  readonly ipv4?: string
  readonly ipv6?: string
  readonly gateways?: readonly string[]
  /** Those of this machine: dialled from here, they tell nothing of the outside. */
  readonly own?: readonly string[]
}

export function watchTrust(
  config: Pick<Config, 'networks' | 'trustGateway'>,
  deps: TrustWatchDeps,
): TrustWatch {
  const { clock, log, metrics, isLive } = deps
  const trusted = networkList(config.networks)
  const gateways = new Set(deps.gateways ?? systemGateways())
  const named = new Set(config.networks.map((network) => network.replace(/\/(?:32|128)$/, '')))
  const believed = (address: string) =>
    isIn(trusted, address) &&
    (config.trustGateway || !gateways.has(plain(address)) || named.has(plain(address)))
  const risks = strangersIn(trusted)
  let told: readonly RelayRisk[] = []
  let probed: readonly RelayRisk[] = []
  let timer: Timer | undefined
  let ports: readonly number[] = []
  let watching = false
  const nonce = randomBytes(12).toString('hex')
  const published = [deps.ipv4, deps.ipv6].filter((one) => one !== undefined)
  /** What our own probes call themselves, and as whom they were seen. */
  const probes = new Map<string, string | undefined>()
  const all = () => (isLive() ? [...risks, ...probed] : [])
  const probe = async () => {
    if (!isLive()) return
    const own = deps.own ?? ownAddresses()
    const hosts = published.filter((one) => !own.includes(one))
    const looked = await Promise.all(
      placesOn(hosts, ports).map(async ({ host, port }) => {
        const helloName = `${nonce}-${probes.size}-${port}.probe.invalid`
        probes.set(helloName, undefined)
        await dial({ host, port }, helloName, clock)
        const seen = probes.get(helloName)
        probes.delete(helloName)
        const address = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
        return seen !== undefined && believed(seen) ? [{ address, seen }] : []
      }),
    )
    probed = looked.flat()
    tell(log, told, all())
    told = all()
  }
  const round = () => {
    const waitMs = () => (isLive() ? PROBE_EVERY_MS : AWAKE_EVERY_MS)
    void probe()
      .catch((error: unknown) => log.warn({ error: String(error) }, 'own address was not dialled'))
      .finally(() => watching && (timer = clock.after(waitMs(), round)))
  }
  metrics.gauge('posthorn_open_relay_risk', {
    help: '1 when strangers may relay through an address that is trusted.',
    read: (gauge) => gauge.set(all().length > 0 ? 1 : 0),
  })
  return {
    distrusts: (address) => {
      if (gateways.size === 0 && probed.length === 0) return false
      const seen = isIPv4(address) ? address : plain(address)
      const doubtful =
        (gateways.has(seen) && !believed(address)) ||
        probed.some((risk) => plain(risk.seen) === seen)
      return doubtful && isLive()
    },
    watched: (service) => ({
      ...service,
      mail(client: Client, request) {
        if (probes.size > 0 && probes.has(client.helloName))
          probes.set(client.helloName, client.address)
        return service.mail(client, request)
      },
    }),
    risks: all,
    isWatching: () => watching,
    probe,
    start(listening) {
      watching = true
      ports = listening
      tell(log, [], all())
      told = all()
      timer = clock.after(FIRST_PROBE_MS, round)
    },
    [Symbol.dispose]() {
      watching = false
      timer?.cancel()
    },
  }
}

function placesOn(hosts: readonly string[], ports: readonly number[]) {
  const all = [...new Set([...ports, ...USUAL_PORTS])]
  return hosts.flatMap((host) => all.map((port) => ({ host, port })))
}

function strangersIn(trusted: BlockList): readonly RelayRisk[] {
  const open = STRANGERS.filter((address) => isIn(trusted, address))
  return open.slice(0, 1).map((seen) => ({ address: 'networks', seen }))
}

function tell(log: Log, before: readonly RelayRisk[], now: readonly RelayRisk[]): void {
  for (const { address, seen } of now)
    if (!before.some((risk) => risk.address === address && risk.seen === seen))
      log.error(
        { code: 'OPEN_RELAY_RISK', address, seen },
        address === 'networks'
          ? 'OPEN_RELAY_RISK: networks trusts strangers of the Internet; name only your own networks'
          : `OPEN_RELAY_RISK: who connects to ${address} appears as ${seen}, which is trusted; its trust is withdrawn. ` +
              'Publish the port on 127.0.0.1 only, or give the clients credentials',
      )
  if (before.length > 0 && now.length === 0) log.info({}, 'no open relay any more; trust is back')
}

/** IPv4 inside IPv6 counts as IPv4, without zones. */
function plain(address: string): string {
  const text = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  return canonicalAddress(text) ?? text
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address))
}

function systemGateways(): string[] {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return ''
    }
  }
  return parseGateways(read('/proc/net/route'), read('/proc/net/ipv6_route'))
}

/** The default gateways in the kernel's tables of routes. */
export function parseGateways(ipv4: string, ipv6: string): string[] {
  const found: string[] = []
  for (const line of ipv4.split('\n')) {
    const [, target, gateway = '', , , , , mask] = line.split(/\s+/)
    if (target !== '00000000' || mask !== '00000000' || /^0*$/.test(gateway)) continue
    const octets = gateway.match(/../g)?.map((octet) => Number.parseInt(octet, 16)) ?? []
    found.push(octets.reverse().join('.'))
  }
  for (const line of ipv6.split('\n')) {
    const [target = '', prefix, , , gateway = ''] = line.trim().split(/\s+/)
    if (!/^0{32}$/.test(target) || prefix !== '00' || /^0*$/.test(gateway)) continue
    found.push(plain(gateway.match(/.{4}/g)?.join(':') ?? ''))
  }
  return found.filter((address) => isIP(address) !== 0)
}

/** Says hello and MAIL, as a stranger would; what is answered does not matter, only who was seen. */
function dial(
  place: { host: string; port: number },
  helloName: string,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(place).unref()
    const timer = clock.after(DIAL_MS, () => socket.destroy())
    const steps = [`EHLO ${helloName}\r\n`, 'MAIL FROM:<>\r\n', 'QUIT\r\n']
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (text.length > 10_000) socket.destroy()
      if (!/^\d{3} .*\r\n$/m.test(text)) return
      text = ''
      const next = steps.shift()
      if (next === undefined) socket.destroy()
      else socket.write(next)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      timer.cancel()
      resolve()
    })
  })
}
