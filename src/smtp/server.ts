import { createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import type { Domain } from '../mail/domain.ts'
import type { LineScan } from '../mail/line-scan.ts'
import { formatReply, reply } from '../mail/reply.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import { type PeerAddress, peerAddressOf } from './address.ts'
import {
  type AuthThrottle,
  defaultLimits,
  type ProtocolLimits,
  type SessionLimits,
  type Slot,
} from './limits.ts'
import { readProxyHeader } from './proxy.ts'
import { isLoopback } from './secure.ts'
import { serveSession } from './serve.ts'
import type { SmtpService } from './service.ts'
import { type Door, Session, ShuttingDown, type SmtpServerEvents } from './session.ts'
import type { ServerCertificate } from './tls.ts'
import { WaitingRoom } from './waiting-room.ts'
import { Wire } from './wire.ts'
import type { Offers } from './wishes.ts'

export type ListenerOptions = {
  /** For logs, metrics and Client.listener. */
  readonly name: string
  /** Our name in the banner and in EHLO. */
  readonly hostname: Domain
  /** The local address; `::` is every one. */
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  /** File descriptors of sockets that listen already; address and port are theirs. */
  readonly sockets?: readonly number[]
  readonly tls: 'none' | 'starttls' | 'implicit'
  readonly certificate?: ServerCertificate
  /** Nobody sends without a credential; else the service decides. */
  readonly requireAuth: boolean
  /** AUTH without TLS: where nothing is said, on loopback and where TLS is `none`. */
  readonly authWithoutTls?: boolean | 'loopback'
  /** These clients may also end all lines of a session with a bare LF, as nc does. */
  isTrusted?(address: string): boolean
  /** Connections from here begin with a PROXY header; nobody else may send one. */
  isProxy?(address: string): boolean
  /** Who may say with XCLIENT for whom it speaks. */
  mayXclient?(address: string): boolean
  /** STARTTLS on loopback also with a certificate that clients trust only when told. */
  readonly announceUntrusted?: boolean
  /** DSN is announced, so this server owes its clients' senders reports (RFC 3461 §5.2.2); absent: it is. */
  readonly dsn?: boolean
  /** Absent: none of it. */
  readonly offers?: Offers
  readonly limits?: Partial<ProtocolLimits>
}

/** What listeners share. */
export type ListenerDeps = {
  readonly service: SmtpService
  readonly slots: SessionLimits
  readonly throttle: AuthThrottle
  readonly clock: Clock
  readonly log: Log
  readonly events?: SmtpServerEvents
  /** Looks at content faster. */
  readonly scan?: LineScan | undefined
}

const HASTEN_EVERY_MS = 1_000
const LAST_WORDS_MS = 1_000
/** Connections whose PROXY header is awaited; a proxy sends it with its first segment. */
const MOST_NAMELESS = 1_000
/**
 * An event loop takes one connection a turn from each listening socket. With a single one a crowd
 * would wait in the backlog, and beyond it connect to nobody (SYN cookies), where it should hear 421.
 */
const LISTENING_SOCKETS = process.platform === 'linux' ? 32 : 1
/** Connections that the system holds for us on all of them together. */
const BACKLOG = 16_384

const TURNED_AWAY = {
  'address is full': ['4.7.0', 'Error: too many connections from your address'],
  'server is full': ['4.7.0', 'Error: too many connections'],
  'shutting down': ['4.3.2', 'Service shutting down'],
} as const

/** Opens a port. Rejects with the system's error (EADDRINUSE, EACCES …). */
export async function listen(options: ListenerOptions, deps: ListenerDeps): Promise<Listener> {
  const listener = new Listener(options, deps)
  await listener.open()
  return listener
}

/** An open port and its sessions. */
export class Listener implements AsyncDisposable {
  readonly name: string
  readonly #options: ListenerOptions
  readonly #deps: ListenerDeps
  readonly #door: Door
  readonly #servers: readonly Server[]
  readonly #sessions = new Map<Session, Promise<void>>()
  readonly #room = new WaitingRoom(
    (socket) => this.#receive(socket),
    (socket) => this.#turnAway(socket, 'server is full'),
  )
  /** Their clients are not known yet. */
  readonly #nameless = new Set<Socket>()
  #certificate: ServerCertificate | undefined
  #hastenedAt = Number.NEGATIVE_INFINITY

  constructor(options: ListenerOptions, deps: ListenerDeps) {
    this.name = options.name
    this.#options = options
    this.#deps = deps
    this.#certificate = options.certificate
    this.#door = this.#makeDoor()
    // A client may close its side and still wait for our replies.
    const count = options.sockets?.length ?? LISTENING_SOCKETS
    this.#servers = Array.from({ length: count }, () =>
      createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#room.enter(socket)),
    )
  }

  /** Rejects when the port cannot be had. */
  async open(): Promise<void> {
    const { address: host, sockets } = this.#options
    let { port } = this.#options
    if (sockets) {
      for (const [index, fd] of sockets.entries()) await this.#open(this.#servers[index]!, { fd })
      return
    }
    const reusePort = this.#servers.length > 1
    if (reusePort) {
      // Sockets that share a port would share it with another server of ours, too: is it free?
      const probe = createServer()
      await listening(probe, { host, port })
      port = portOf(probe) ?? port
      await closed(probe)
    }
    for (const server of this.#servers) await this.#open(server, { host, port, reusePort })
  }

  async #open(server: Server, options: Place): Promise<void> {
    await listening(server, options, Math.ceil(BACKLOG / this.#servers.length))
    server.on('error', (error) => {
      this.#deps.log.error({ err: error, listener: this.name }, 'smtp listener failed')
    })
  }

  /** The local address: the configured one, or that of the first socket that we were given. */
  get address(): string {
    const taken = this.#options.sockets && this.#servers[0]?.address()
    return typeof taken === 'object' && taken !== null ? taken.address : this.#options.address
  }

  /** The port that was taken. */
  get port(): number {
    return portOf(this.#servers[0]) ?? this.#options.port
  }

  /** Open sessions. */
  get sessions(): number {
    return this.#sessions.size
  }

  /** Connections that wait for their session. */
  get waiting(): number {
    return this.#room.size
  }

  /** From now on; open sessions keep theirs. */
  useCertificate(certificate: ServerCertificate | undefined): void {
    this.#certificate = certificate
  }

  /** Ends every session that has logged in as this credential. */
  revoke(credential: string): void {
    for (const session of this.#sessions.keys()) session.revoke(credential)
  }

  /**
   * Takes no more connections, tells idle sessions to go and lets transactions end; what is left
   * after `deadlineMs` is cut off. Resolves when no session is left.
   */
  async drain(deadlineMs: number): Promise<void> {
    for (const server of this.#servers) server.close()
    this.#room.empty((socket) => this.#turnAway(socket, 'shutting down'))
    for (const socket of this.#nameless) socket.destroy()
    for (const session of this.#sessions.keys()) session.drain()
    await this.#ended(deadlineMs)
    for (const { wire } of this.#sessions.keys()) wire.interrupt(new ShuttingDown('shutting down'))
    await this.#ended(LAST_WORDS_MS)
    for (const { wire } of this.#sessions.keys()) wire.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0)
  }

  async #ended(withinMs: number): Promise<void> {
    if (this.#sessions.size === 0) return
    const giveUp = new AbortController()
    const ended = Promise.all(this.#sessions.values())
    const late = this.#deps.clock.sleep(withinMs, giveUp.signal).catch(() => {})
    await Promise.race([ended, late])
    giveUp.abort()
  }

  #makeDoor(): Door {
    const { name, hostname, address, tls, requireAuth, authWithoutTls, dsn, limits, mayXclient } =
      this.#options
    const { service, throttle, clock, log, scan, events = {}, slots } = this.#deps
    return {
      name,
      hostname,
      tls,
      certificate: () => this.#usableCertificate(),
      requireAuth,
      authWithoutTls: authWithoutTls ?? (tls === 'none' || isLoopback(address)),
      dsn: dsn ?? true,
      offers: this.#options.offers ?? {},
      limits: { ...defaultLimits, ...limits },
      service,
      throttle,
      events,
      clock,
      log,
      scan,
      isStressed: () => slots.stressed,
      mayXclient: mayXclient ?? (() => false),
      move: (from, to) => slots.move(from, to),
    }
  }

  /**
   * Clients that see STARTTLS on their own machine upgrade unasked, and then fail to verify a
   * certificate that nobody told them of: there it would only do harm, unless they were told.
   */
  #usableCertificate(): ServerCertificate | undefined {
    const certificate = this.#certificate
    if (!certificate || certificate.notAfter < this.#deps.clock.now()) return undefined
    const { tls, announceUntrusted = false } = this.#options
    const chokes = certificate.untrusted && !announceUntrusted
    return tls === 'starttls' && chokes && isLoopback(this.address) ? undefined : certificate
  }

  /** False when the client was sent away at once. */
  #receive(socket: Socket): boolean {
    const place = peerAddressOf(socket)
    if (!this.#options.isProxy?.(place.address)) return this.#admit(socket, place)
    void this.#receiveThrough(socket, place)
    return true
  }

  /** The proxy says first who comes; a connection of which that cannot be read is refused. */
  async #receiveThrough(socket: Socket, proxy: PeerAddress): Promise<void> {
    const { clock } = this.#deps
    if (this.#nameless.size >= MOST_NAMELESS) return void socket.destroy()
    this.#nameless.add(socket)
    const { proxyMs } = this.#door.limits
    const found = await readProxyHeader(socket, { clock, timeoutMs: proxyMs })
    this.#nameless.delete(socket)
    if (!found) return void socket.destroy()
    if ('fault' in found) return this.#refuseHeader(socket, { ...proxy, why: found.fault })
    // A proxy that looks whether we live is itself; of a client that it cannot name nothing is believed.
    const unknown = { address: 'unknown', port: 0 }
    this.#admit(socket, found.kind === 'client' ? found : found.kind === 'proxy' ? proxy : unknown)
  }

  #refuseHeader(socket: Socket, { address, port, why }: PeerAddress & { why: string }): void {
    const { hostname, tls, name: listener } = this.#options
    const said = reply(554, '5.5.0', `${hostname} Error: ${why}`)
    const client = { address, port, listener, helloName: '', esmtp: false }
    this.#deps.events?.onRefusal?.(client, { verb: 'PROXY', reply: said })
    if (tls !== 'implicit' && socket.writable) socket.end(formatReply(said))
    this.#deps.clock.after(LAST_WORDS_MS, () => socket.destroy())
  }

  #admit(socket: Socket, peer: PeerAddress): boolean {
    const { slots, clock, events } = this.#deps
    const slot = slots.enter(peer.address)
    if (slot !== 'entered') {
      this.#turnAway(socket, slot, peer)
      return false
    }
    const lineEnding = this.#options.isTrusted?.(peer.address) ? 'first-decides' : 'crlf'
    const wire = new Wire(socket, { clock, lineEnding, peer })
    const session = new Session(wire, this.#door, slots.entered)
    events?.onSession?.(session.client)
    this.#sessions.set(session, this.#serve(session))
    if (slots.stressed) this.#hasten()
    return true
  }

  /** Before anything is spent on it. On a TLS port a reply in the clear would be no reply. */
  #turnAway(
    socket: Socket,
    why: Exclude<Slot, 'entered'> | 'shutting down',
    peer = peerAddressOf(socket),
  ): void {
    const { hostname, tls } = this.#options
    if (why !== 'shutting down') this.#deps.events?.onTurnedAway?.(this.name, peer.address)
    socket.on('error', () => {})
    if (tls !== 'implicit') {
      const [status, text] = TURNED_AWAY[why]
      socket.write(formatReply(reply(421, status, `${hostname} ${text}`)))
      // A reset could take our words from who has spoken already; a farewell costs a third more.
      if (socket.readableLength > 0 || socket.writableLength > 0) {
        const { clock } = this.#deps
        new Wire(socket, { clock, lineEnding: 'crlf', peer }).end()
        return
      }
    }
    socket.destroy()
  }

  async #serve(session: Session): Promise<void> {
    try {
      await serveSession(session)
    } finally {
      this.#sessions.delete(session)
      this.#deps.slots.leave(session.seat)
      told(session)
    }
  }

  /** Most slots are taken: who is silent now has less time. */
  #hasten(): void {
    const now = this.#deps.clock.elapsed()
    if (now - this.#hastenedAt < HASTEN_EVERY_MS) return
    this.#hastenedAt = now
    for (const { wire } of this.#sessions.keys()) wire.hasten(this.#door.limits.stressedIdleMs)
  }
}

/** Where to listen: an address, or a socket that was opened for us. */
type Place = ListenOptions | { readonly fd: number }

/** Resolves when the server listens; rejects with the system's error. */
function listening(server: Server, options: Place, backlog?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, backlog, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function portOf(server: Server | undefined): number | undefined {
  const address = server?.address()
  return typeof address === 'object' ? address?.port : undefined
}

function told(session: Session): void {
  const { client, door, accepted, refused, fault } = session
  const durationMs = door.clock.elapsed() - session.startedAt
  door.events.onEnd?.(client, { accepted, refused, durationMs, fault })
}
