// A small Internet inside Posthorn, so that mail without a live domain goes the whole real way and
// yet never leaves the machine.
//
// Its parts: a DNS server (dns-server.ts) that answers as world.ts says; a receiver (receiver.ts)
// behind our own SMTP server, obeying the table of behaviours.ts; a second host whose TLS is broken.
// The delivery room needs only the DNS server's address and the port: it resolves and speaks as it
// does outside. What can go wrong: a port that cannot be had, and a system without 127.0.0.2, where
// the host with broken TLS is left out.

import { createServer } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { KeyRing } from '../dkim/keyring.ts'
import type { SigningKey } from '../dkim/sign.ts'
import type { DnsServer } from '../dns/exchange.ts'
import { createResolver } from '../dns/stub.ts'
import type { Domain } from '../mail/domain.ts'
import type { Identity } from '../mail/identity.ts'
import type { Mailbox } from '../mail/mailbox.ts'
import { AuthThrottle, SessionLimits } from '../smtp/limits.ts'
import { type Listener, listen } from '../smtp/server.ts'
import type { SmtpService } from '../smtp/service.ts'
import { serverCertificate } from '../smtp/tls.ts'
import { selfSignedCertificate } from '../std/certificate.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { Store } from '../store/store.ts'
import { Behaviours, sandboxDestination } from './behaviours.ts'
import { serveDns } from './dns-server.ts'
import { sandboxReceiver } from './receiver.ts'
import { RECEIVER_HOSTNAME, sandboxWorld } from './world.ts'

export type SandboxOptions = {
  readonly store: Pick<Store, 'capture' | 'nextMessageId'>
  /** Keys of the server's own domains: their plan is what the DNS holds for them. */
  readonly keyring: KeyRing
  /** Signs for every other domain. */
  readonly sandboxKey: SigningKey
  readonly identity: Identity
  readonly clock: Clock
  readonly log: Log
  /** Messages that are kept; 1,000 when absent. */
  readonly keep?: number
}

export type Sandbox = AsyncDisposable & {
  /** Ask here for the sandbox's world. */
  readonly dnsServer: DnsServer
  /** Every host of this world takes mail on this port. */
  readonly smtpPort: number
  /** The domain whose hosts take a recipient's mail. */
  destinationOf(mailbox: Mailbox): Domain
}

const ADDRESS = '127.0.0.1'
const BROKEN_TLS_ADDRESS = '127.0.0.2'
/** Where mail seems to come from when our public address is not known (RFC 5737). */
const UNKNOWN_ADDRESS = '192.0.2.25'
const KEEP = 1000
const SESSIONS = 1000
/** Above what we accept ourselves, for our fields come on top. */
const MESSAGE_OCTETS = 64 * 1024 * 1024
const PORT_TRIES = 20

/** Starts the sandbox on free loopback ports. Rejects when there is none. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  await using parts = new AsyncDisposableStack()
  const { store, keyring, sandboxKey, clock, log } = options
  const identity = seenIdentity(options.identity)
  const brokenTlsAddress = (await canListen(BROKEN_TLS_ADDRESS)) ? BROKEN_TLS_ADDRESS : ADDRESS
  const world = { keyring, sandboxKey, identity, receiverAddress: ADDRESS, brokenTlsAddress }
  const dns = parts.use(await serveDns(sandboxWorld(world), { address: ADDRESS, clock }))
  const dnsServer = { address: dns.address, port: dns.port }
  const resolver = parts.use(
    createResolver({
      servers: [dnsServer],
      clock,
      timeoutMs: 2000,
      attempts: 2,
      cacheEntries: 1000,
      trustAd: false,
    }),
  )
  const service = sandboxReceiver({
    store,
    resolver,
    behaviours: new Behaviours(clock),
    identity,
    seenAddress: identity.ipv4 ?? identity.ipv6 ?? UNKNOWN_ADDRESS,
    keep: options.keep ?? KEEP,
    clock,
    log,
  })
  const brokenTls = brokenTlsAddress === BROKEN_TLS_ADDRESS
  if (!brokenTls)
    log.warn({ address: BROKEN_TLS_ADDRESS }, 'the sandbox has no host with broken TLS')
  const listeners = await listenOnOnePort(service, { clock, log, brokenTls })
  for (const listener of listeners) parts.use(listener)
  const running = parts.move()
  return {
    dnsServer,
    smtpPort: listeners[0].port,
    destinationOf: sandboxDestination,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

function seenIdentity(identity: Identity): Identity {
  return identity.ipv4 || identity.ipv6 ? identity : { ...identity, ipv4: UNKNOWN_ADDRESS }
}

type Surroundings = { readonly clock: Clock; readonly log: Log; readonly brokenTls: boolean }

/** MX records carry no port: all hosts must share one. */
async function listenOnOnePort(
  service: SmtpService,
  { clock, log, brokenTls }: Surroundings,
): Promise<[Listener, ...Listener[]]> {
  const deps = {
    service,
    slots: new SessionLimits({ perAddress: SESSIONS, total: SESSIONS }),
    throttle: new AuthThrottle(clock),
    clock,
    log,
  }
  const { key, cert } = selfSignedCertificate([RECEIVER_HOSTNAME], clock)
  const good = serverCertificate(key, cert, 'sandbox').secureContext
  for (let attempt = 1; ; attempt++) {
    const first = await listen(listenerOptions(ADDRESS, 0, good), deps)
    if (!brokenTls) return [first]
    try {
      const second = listenerOptions(BROKEN_TLS_ADDRESS, first.port, withoutCertificate())
      return [first, await listen(second, deps)]
    } catch (error) {
      await first[Symbol.asyncDispose]()
      if (attempt >= PORT_TRIES) throw new Error('no port for the sandbox', { cause: error })
    }
  }
}

function listenerOptions(address: string, port: number, secureContext: SecureContext) {
  return {
    name: 'sandbox',
    hostname: RECEIVER_HOSTNAME,
    address,
    port,
    tls: 'starttls',
    // Only our own client comes here, and it takes any certificate: so STARTTLS is offered on
    // loopback too, where a listener for applications would not offer a self-signed one.
    certificate: { secureContext, untrusted: false, notAfter: Number.POSITIVE_INFINITY },
    requireAuth: false,
    // The receiver writes no reports, so the client must: who asks for one sees one.
    dsn: false,
    limits: { messageOctets: MESSAGE_OCTETS, recipients: 10_000 },
  } as const
}

/** Offers TLS and then has no cipher that it could use: every handshake fails. */
function withoutCertificate(): SecureContext {
  return createSecureContext({ minVersion: 'TLSv1.2' })
}

/** Not every system has the whole of 127.0.0.0/8. */
function canListen(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(0, address, () => probe.close(() => resolve(true)))
  })
}
