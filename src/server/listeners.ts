import type { ListenerView } from '../api/control.ts'
import type { Certificates } from '../certificates/certificates.ts'
import type { Config, ListenerConfig } from '../config/schema.ts'
import type { Record } from '../events/event.ts'
import { isIn, networkList } from '../intake/networks.ts'
import { createLineScan } from '../mail/line-scan.ts'
import { formatMailbox } from '../mail/mailbox.ts'
import { AuthThrottle, SessionLimits } from '../smtp/limits.ts'
import { type Listener, listen } from '../smtp/server.ts'
import type { Client, SmtpService } from '../smtp/service.ts'
import type { SmtpServerEvents } from '../smtp/session.ts'
import type { Offers } from '../smtp/wishes.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'

export type Doors = AsyncDisposable & {
  readonly views: readonly ListenerView[]
  readonly listeners: readonly Listener[]
}

/** How long open transactions may take at shutdown. */
const DRAIN_MS = 10_000

/** The listeners of the configuration, by name; the main one is `smtp`. */
export function listenersOf(config: Config): readonly (readonly [string, ListenerConfig])[] {
  return [['smtp', config.smtp], ...Object.entries(config.listeners)]
}

/** Opens every port, or none: rejects with the system's error. */
export async function openListeners(
  config: Config,
  deps: {
    service: SmtpService
    clock: Clock
    log: Log
    record: Record
    distrusts: (address: string) => boolean
    certificates: Certificates
    sockets?: ReadonlyMap<string, readonly number[]>
  },
): Promise<Doors> {
  const { clock, log } = deps
  await using parts = new AsyncDisposableStack()
  const trusted = networkList(config.networks)
  const sandbox = config.mode === 'sandbox'
  const { limits, hostname } = config
  const shared = {
    service: deps.service,
    slots: new SessionLimits({ perAddress: limits.sessionsPerAddress, total: limits.sessions }),
    throttle: new AuthThrottle(clock),
    clock,
    log,
    scan: createLineScan(),
    events: eventsOf(deps.record, { connections: config.log.format === 'postfix' }),
  }
  const listeners: Listener[] = []
  const views: ListenerView[] = []
  for (const [name, options] of listenersOf(config)) {
    const { address, port, tls, auth, authWithoutTls } = options
    const proxies = networkList(options.proxyProtocol)
    const speakers = networkList(options.xclientNetworks)
    const listener = await listen(
      {
        name,
        hostname,
        address,
        port,
        ...(deps.sockets?.has(name) && { sockets: deps.sockets.get(name)! }),
        tls,
        announceUntrusted: config.tls.announce === 'always',
        requireAuth: auth === 'required',
        authWithoutTls: authWithoutTls ?? (sandbox && tls === 'none' ? true : 'loopback'),
        ...(options.proxyProtocol.length > 0 && { isProxy: (client) => isIn(proxies, client) }),
        ...(options.xclientNetworks.length > 0 && {
          mayXclient: (client) => isIn(speakers, client),
        }),
        isTrusted: (client) => isIn(trusted, client) && !deps.distrusts(client),
        offers: offersOf(config),
        limits: { messageOctets: limits.messageSizeBytes, recipients: limits.recipients },
      },
      shared,
    )
    parts.use(listener)
    listeners.push(listener)
    views.push({ name, address: listener.address, port: listener.port, tls, auth })
  }
  deps.certificates.follow((make) => {
    for (const listener of listeners) listener.useCertificate(make?.(listener.name))
  })
  const running = parts.move()
  return {
    views,
    listeners,
    async [Symbol.asyncDispose]() {
      await Promise.all(listeners.map((listener) => listener.drain(DRAIN_MS)))
      await running.disposeAsync()
    },
  }
}

/** @param told.connections also when they begin, which costs a line each */
/** Every listener of ours leads to the queue, which keeps all of it. */
function offersOf({ wishes: { holdMs, deliverByMs, priority } }: Config): Offers {
  return {
    ...(holdMs !== null && { holdMs }),
    ...(deliverByMs !== null && { deliverBySeconds: Math.ceil(deliverByMs / 1000) }),
    priority,
  }
}

function eventsOf(record: Record, told: { readonly connections: boolean }): SmtpServerEvents {
  return {
    ...(told.connections && {
      onSession: (client: Client) => record({ kind: 'connected', ...viewOf(client) }),
    }),
    onTurnedAway: (door, client) => record({ kind: 'turned-away', door, client }),
    onRefusal: (client, { verb, reply, from, to }) =>
      record({
        kind: 'refused',
        ...viewOf(client),
        stage: verb.toLowerCase(),
        reply,
        ...(from !== undefined && { from }),
        ...(to && { to: formatMailbox(to) }),
        protocol: client.esmtp ? 'ESMTP' : 'SMTP',
        helloName: client.helloName,
      }),
    onLogin: (client, login) => record({ kind: 'login', ...viewOf(client), ...login }),
    onEnd: (client, { accepted, refused, durationMs, fault }) =>
      record({
        kind: 'session',
        ...viewOf(client),
        helloName: client.helloName,
        ...(client.tls && { tls: client.tls.version }),
        ...(client.credential !== undefined && { credential: client.credential }),
        durationMs,
        accepted,
        refused,
        end: fault ?? 'quit',
      }),
  }
}

function viewOf({ listener, address, session }: Client) {
  return { door: listener, client: address, ...(session !== undefined && { session }) }
}
