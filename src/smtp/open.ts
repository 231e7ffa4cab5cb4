// From an address to a session that is ready for mail: connect, banner, EHLO, STARTTLS, AUTH. The
// caller decides how much TLS it wants and what follows when this peer will not do (RFC 5321 §3.1,
// RFC 3207, RFC 4954). A peer's "no" is a value; what breaks is thrown as SessionFault.

import { connect, isIP, type Socket } from 'node:net'
import { noCapabilities, parseCapabilities } from '../mail/capabilities.ts'
import type { Stage, TlsInfo } from '../mail/failure.ts'
import type { Reply } from '../mail/reply.ts'
import type { Clock } from '../std/clock.ts'
import { ClientSession, type ClientTimeouts, SessionFault } from './client.ts'
import type { TlsMemory } from './tls-memory.ts'
import { Wire } from './wire.ts'

/** `opportunistic`: when offered, with any certificate; `required`: STARTTLS or nothing; `implicit`: from the first octet. */
export type TlsLevel = 'none' | 'opportunistic' | 'required' | 'implicit'

export type Security = {
  readonly level: TlsLevel
  /** Only a certificate that an authority signed for this host will do. */
  readonly verify: boolean
}

export type Target = {
  /** The name that the certificate must carry, or an address. */
  readonly host: string
  readonly address: string
  readonly port: number
  /** Where the connection leaves from. */
  readonly localAddress?: string
}

/** Tokens in place of a password; what it rejects with is why there is none. */
export type Tokens = {
  get(): Promise<string>
  /** The peer did not take this one. */
  refused(token: string): void
}

export type Login = {
  readonly username: string
  readonly password: string
  /** XOAUTH2 with these; the password is not used. */
  readonly tokens?: Tokens
  /** The operator wants it so: without TLS too. Over loopback it always may. */
  readonly inTheClear: boolean
}

export type OpenOptions = {
  readonly clock: Clock
  readonly helloName: string
  readonly security: Security
  readonly login?: Login
  readonly timeouts: ClientTimeouts
  readonly tlsMemory: TlsMemory
  readonly signal: AbortSignal
}

export type Opened =
  | { readonly kind: 'open'; readonly session: ClientSession }
  | { readonly kind: 'refused'; readonly stage: Stage; readonly reply: Reply }

/** Opens a session. Throws SessionFault when network, TLS or our own rules are against it. */
export async function openSession(target: Target, options: OpenOptions): Promise<Opened> {
  const wire = await dial(target, options)
  const { clock, timeouts, signal } = options
  const session = new ClientSession(wire, target, { clock, timeouts })
  const abort = () => session.abort()
  signal.addEventListener('abort', abort)
  try {
    const refused = await prepare(session, wire, { ...options, target })
    if (refused) {
      goodbye(session)
      return { kind: 'refused', ...refused }
    }
    return { kind: 'open', session }
  } catch (error) {
    session.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

type Refused = { readonly stage: Stage; readonly reply: Reply }
type Preparation = OpenOptions & { readonly target: Target }

async function prepare(
  session: ClientSession,
  wire: Wire,
  options: Preparation,
): Promise<Refused | undefined> {
  const { security, login } = options
  if (security.level === 'implicit') session.tls = await handshake(wire, options)
  const banner = await session.reply('banner')
  if (banner.code !== 220) return { stage: 'banner', reply: banner }
  const refused = (await hello(session, options)) ?? (await secure(session, wire, options))
  if (refused) return refused
  return login && authenticate(session, login)
}

/** EHLO, or HELO for servers that do not know it (RFC 5321 §3.2). */
async function hello(session: ClientSession, options: OpenOptions): Promise<Refused | undefined> {
  const reply = await session.ask(`EHLO ${options.helloName}`, 'hello')
  if (reply.code === 250) {
    session.capabilities = parseCapabilities(reply)
    return undefined
  }
  if (reply.code < 500) return { stage: 'hello', reply }
  const plain = await session.ask(`HELO ${options.helloName}`, 'hello')
  if (plain.code !== 250) return { stage: 'hello', reply: plain }
  session.capabilities = noCapabilities
  return undefined
}

async function secure(
  session: ClientSession,
  wire: Wire,
  options: Preparation,
): Promise<Refused | undefined> {
  const { level } = options.security
  if (level === 'none' || level === 'implicit') return undefined
  if (!session.capabilities.starttls) {
    if (level === 'opportunistic') return undefined
    throw tlsFault(session.host, 'the server does not offer STARTTLS')
  }
  const reply = await session.ask('STARTTLS', 'tls')
  if (reply.code !== 220) {
    // It said no in good order and still listens: mail may go on without TLS (RFC 3207 §4).
    if (level === 'opportunistic' && !session.leaving) return undefined
    return { stage: 'tls', reply }
  }
  session.tls = await handshake(wire, options)
  try {
    // What was announced before TLS may have been forged: it is asked again (RFC 3207 §4.2).
    return await hello(session, options)
  } catch (error) {
    // With TLS 1.3 a server that dislikes our side of the handshake says so only now.
    throw error instanceof SessionFault ? tlsFault(session.host, error.message, error) : error
  }
}

async function handshake(wire: Wire, options: Preparation): Promise<TlsInfo> {
  const { target, security, tlsMemory } = options
  const key = `${target.host}:${target.port}`
  const ticket = tlsMemory.ticket(key, security)
  let info: TlsInfo | undefined
  // A ticket comes before the end of the handshake with TLS 1.2, some time after it with TLS 1.3.
  let newest: Buffer | undefined
  try {
    info = await wire.startTls(
      {
        side: 'client',
        options: {
          host: target.host,
          ...(isIP(target.host) === 0 && { servername: target.host }),
          rejectUnauthorized: security.verify,
          secureContext: tlsMemory.context,
          ...(ticket && { session: ticket.session }),
        },
        onSession: (session) => {
          newest = session
          if (info) tlsMemory.keep(key, { session, verified: info.verified })
        },
      },
      { timeoutMs: options.timeouts.tls },
    )
    // A resumed session does not check the name again: it is as good as the one that it resumes.
    if (ticket && !ticket.verified && info.verified) info = { ...info, verified: false }
    if (newest) tlsMemory.keep(key, { session: newest, verified: info.verified })
    return info
  } catch (error) {
    tlsMemory.forget(key)
    if (!(error instanceof Error)) throw error
    throw tlsFault(target.host, error.message, error)
  }
}

function tlsFault(host: string, text: string, cause?: Error): SessionFault {
  return new SessionFault('tls', { kind: 'tls', host, text }, { cause })
}

/**
 * The peer's TLS is broken: without TLS it might do (RFC 7435 §3). That counts for text glued to its
 * 220, too: whoever can write that can break a handshake as well, and what he wrote is never read.
 */
export function isBrokenTls(fault: SessionFault): boolean {
  return fault.stage === 'tls'
}

/** PLAIN or LOGIN (RFC 4616, and the draft that everyone implements). */
async function authenticate(session: ClientSession, login: Login): Promise<Refused | undefined> {
  const mayTravel = session.tls || login.inTheClear || isLoopback(session.address)
  if (!mayTravel) throw ourRule(session.host, 'the password would travel without TLS')
  if (login.tokens) return withToken(session, login.username, login.tokens)
  const mechanisms = session.capabilities.auth
  const encode = (text: string) => Buffer.from(text, 'utf8').toString('base64')
  if (mechanisms.has('PLAIN')) {
    const initial = encode(`\u0000${login.username}\u0000${login.password}`)
    const reply = await session.ask(`AUTH PLAIN ${initial}`, 'auth')
    return reply.code === 235 ? undefined : { stage: 'auth', reply }
  }
  if (!mechanisms.has('LOGIN'))
    throw ourRule(session.host, 'the server offers neither AUTH PLAIN nor AUTH LOGIN')
  for (const line of ['AUTH LOGIN', encode(login.username), encode(login.password)]) {
    const reply = await session.ask(line, 'auth')
    if (reply.code === 235) return undefined
    if (reply.code !== 334) return { stage: 'auth', reply }
  }
  throw ourRule(session.host, 'the server never ends AUTH LOGIN')
}

/**
 * XOAUTH2, as Google and Microsoft have it. A token that is refused is tried no more; one that is
 * new gets its chance in the same session.
 */
async function withToken(
  session: ClientSession,
  username: string,
  tokens: Tokens,
): Promise<Refused | undefined> {
  if (!session.capabilities.auth.has('XOAUTH2'))
    throw ourRule(session.host, 'the server does not offer AUTH XOAUTH2')
  let last: { token: string; reply: Reply } | undefined
  for (let tries = 0; tries < 2 && !session.leaving; tries++) {
    const token = await tokens.get().catch((error: Error) => {
      throw ourRule(session.host, error.message)
    })
    if (token === last?.token) break
    const text = `user=${username}\u0001auth=Bearer ${token}\u0001\u0001`
    const initial = Buffer.from(text, 'utf8').toString('base64')
    let reply = await session.ask(`AUTH XOAUTH2 ${initial}`, 'auth')
    // The challenge tells why not; an empty answer brings the reply.
    if (reply.code === 334) reply = await session.ask('', 'auth')
    if (reply.code === 235) return undefined
    if (reply.code >= 500) tokens.refused(token)
    last = { token, reply }
    if (reply.code < 500) break
  }
  if (!last) throw ourRule(session.host, 'the server left before AUTH')
  return { stage: 'auth', reply: last.reply }
}

function ourRule(host: string, text: string): SessionFault {
  return new SessionFault('auth', { kind: 'local', text: `${host}: ${text}` })
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

/** Leaves in the background, off the delivery path. */
function goodbye(session: ClientSession): void {
  if (session.leaving) session.destroy()
  else void session.quit()
}

/** Connects and wraps the socket before anything can happen to it. */
function dial(target: Target, options: OpenOptions): Promise<Wire> {
  const { clock, timeouts, signal } = options
  return new Promise((resolve, reject) => {
    const { address: host, port, localAddress } = target
    const socket: Socket = connect({
      host,
      port,
      noDelay: true,
      ...(localAddress && { localAddress }),
    })
    const fail = (code: string) => {
      settle()
      socket.destroy()
      const text = `cannot connect to ${host} port ${port}: ${describeConnect(code)}`
      const seen = { kind: 'network', stage: 'connect', host: target.host, code, text } as const
      reject(new SessionFault('connect', seen))
    }
    const timer = clock.after(timeouts.connect, () => fail('timeout'))
    const onAbort = () => fail('aborted')
    const onError = (error: NodeJS.ErrnoException) => fail(error.code ?? 'error')
    const onConnect = () => {
      settle()
      resolve(new Wire(socket, { clock, lineEnding: 'either' }))
    }
    const settle = () => {
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
      socket.off('connect', onConnect)
      socket.off('error', onError)
      socket.on('error', () => {})
    }
    socket.on('connect', onConnect)
    socket.on('error', onError)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
}

const CONNECT_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to this host',
  ENETUNREACH: 'no route to its network',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'connection reset',
  EADDRNOTAVAIL: 'our own address is not available here',
  timeout: 'no answer',
  aborted: 'stopped by this server',
}

function describeConnect(code: string): string {
  return CONNECT_FAULTS[code] ?? code
}
