// From what we want of TLS to socket options, and what was agreed. A handshake may end in any of
// five events, of which two are not documented; here they become one promise.

import { constants, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  type ConnectionOptions,
  createSecureContext,
  type SecureContext,
  TLSSocket,
  type TLSSocketOptions,
  connect as tlsConnect,
} from 'node:tls'
import type { TlsInfo } from '../mail/failure.ts'

/** The handshake failed; `code` is OpenSSL's or Node's, such as ERR_SSL_WRONG_VERSION_NUMBER or CERT_HAS_EXPIRED. */
export class TlsFailed extends Error {
  override readonly name = 'TlsFailed'
  readonly code: string
  constructor(text: string, code: string, options?: ErrorOptions) {
    super(text, options)
    this.code = code
  }
}

/** Text came between STARTTLS and the handshake: CVE-2011-0411 and its kin. */
export class PlaintextInjected extends Error {
  override readonly name = 'PlaintextInjected'
}

export type TlsSocket = TLSSocket

export type TlsUpgrade =
  | ({
      readonly side: 'server'
      /** What the socket has received already is the beginning of the handshake. */
      readonly early?: boolean
    } & Pick<ServerCertificate, 'secureContext' | 'contextFor' | 'asksClient'>)
  | {
      readonly side: 'client'
      /** servername, ca, rejectUnauthorized, checkServerIdentity, session, minVersion … */
      readonly options: ConnectionOptions
      /** Called with each ticket that the server gives, for the next connection's `session`. */
      readonly onSession?: (session: Buffer) => void
    }

/** A server's key and certificate chain, ready to use. */
export type ServerCertificate = {
  readonly secureContext: SecureContext
  /** Another one for the name that the client asks for (RFC 6066 §3); undefined: the one above. */
  readonly contextFor?: ((servername: string) => SecureContext | undefined) | undefined
  /** It knows authorities for clients' certificates, so clients are asked for theirs. */
  readonly asksClient?: boolean | undefined
  /** Nobody can verify it without being told. */
  readonly untrusted: boolean
  /** Milliseconds since 1970. */
  readonly notAfter: number
}

/** A key and its certificate chain, PEM. */
export type PemPair = { readonly key: string | Buffer; readonly chain: string | Buffer }

/**
 * What RFC 9325 §4.2 recommends, and nothing else: forward secrecy and authenticated encryption
 * everywhere. We choose; but a client without AES in hardware gets the ChaCha20 that it puts first.
 */
const SERVER_CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

const { SSL_OP_NO_RENEGOTIATION, SSL_OP_PRIORITIZE_CHACHA } = constants

/**
 * Our side of TLS: 1.2 and newer. Throws OpenSSL's error when a pair does not belong together.
 * @param pairs one, or one for each type of key
 * @param use.listener binds session tickets to it: a ticket of another listener is worth nothing here
 * @param use.clientAuthorities PEM; clients are asked for a certificate of theirs
 */
export function serverContext(
  pairs: readonly PemPair[],
  use: { readonly listener: string; readonly clientAuthorities?: string | undefined },
): SecureContext {
  const { listener, clientAuthorities } = use
  return createSecureContext({
    key: pairs.map(({ key }) => key),
    cert: pairs.map(({ chain }) => chain),
    minVersion: 'TLSv1.2',
    ciphers: SERVER_CIPHERS,
    honorCipherOrder: true,
    secureOptions: SSL_OP_NO_RENEGOTIATION | SSL_OP_PRIORITIZE_CHACHA,
    sessionIdContext: listener,
    ...(clientAuthorities !== undefined && { ca: clientAuthorities }),
  })
}

/** Reads PEM texts; throws when they are none or do not belong together. See serverContext(). */
export function serverCertificate(
  key: string | Buffer,
  chain: string | Buffer,
  listener: string,
): ServerCertificate {
  const leaf = new X509Certificate(chain)
  const untrusted = leaf.subject === leaf.issuer && leaf.verify(leaf.publicKey)
  const secureContext = serverContext([{ key, chain }], { listener })
  return { secureContext, untrusted, notAfter: leaf.validToDate.getTime() }
}

/** Runs the handshake over an open socket; rejects with TlsFailed or the signal's reason. The plain socket then belongs to the result. */
export function upgradeToTls(
  plain: Socket,
  upgrade: TlsUpgrade,
  signal: AbortSignal,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured =
      upgrade.side === 'server'
        ? new TLSSocket(plain, serverOptions(upgrade))
        : tlsConnect({ ...upgrade.options, socket: plain })
    const done = upgrade.side === 'server' ? 'secure' : 'secureConnect'
    const settle = () => {
      signal.removeEventListener('abort', onAbort)
      secured.off(done, onSecure)
      secured.off('_tlsError', onError)
      secured.off('close', onClose)
      secured.off('end', onClose)
      plain.off('end', onClose)
    }
    const fail = (error: Error) => {
      settle()
      secured.destroy()
      reject(error)
    }
    const onSecure = () => {
      settle()
      resolve(secured)
    }
    const onError = (error: NodeJS.ErrnoException) =>
      fail(new TlsFailed(error.message, error.code ?? 'ERR_TLS', { cause: error }))
    const onClose = () => fail(new TlsFailed('closed during the TLS handshake', 'closed'))
    const onAbort = () => fail(signal.reason as Error)
    secured.on(done, onSecure)
    secured.on('_tlsError', onError)
    secured.on('close', onClose)
    // What was read before TLS took over, its end included, only the plain socket tells.
    plain.on('end', onClose)
    // A peer that closes its side alone says nothing more either: no close would come before our deadline.
    secured.on('end', onClose)
    // Stays for good: an error may come late, and must not be unhandled.
    secured.on('error', onError)
    signal.addEventListener('abort', onAbort)
    if (upgrade.side === 'client' && upgrade.onSession) secured.on('session', upgrade.onSession)
    if (signal.aborted) onAbort()
  })
}

function serverOptions({
  secureContext,
  contextFor,
  asksClient,
}: Extract<TlsUpgrade, { side: 'server' }>): TLSSocketOptions {
  return {
    isServer: true,
    secureContext,
    ...(asksClient && { requestCert: true, rejectUnauthorized: false }),
    ...(contextFor && { SNICallback: (name, choose) => choose(null, contextFor(name)) }),
  }
}

/** What was agreed. */
export function describeTls(socket: TLSSocket): TlsInfo {
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher()?.name ?? 'unknown',
    verified: socket.authorized,
  }
}
