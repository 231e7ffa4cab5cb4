// From what we want of TLS to socket options, and what was agreed. A handshake may end in any of
// five events, of which two are not documented; here they become one promise.

import { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  type ConnectionOptions,
  createSecureContext,
  type SecureContext,
  TLSSocket,
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

export type TlsUpgrade =
  | { readonly side: 'server'; readonly secureContext: SecureContext }
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
  /** Nobody can verify it without being told. */
  readonly selfSigned: boolean
  /** Milliseconds since 1970. */
  readonly notAfter: number
}

/**
 * Reads PEM texts; throws when they are none or do not belong together.
 * @param listener binds session tickets to it: a ticket of another listener is worth nothing here
 */
export function serverCertificate(
  key: string | Buffer,
  chain: string | Buffer,
  listener: string,
): ServerCertificate {
  const leaf = new X509Certificate(chain)
  const secureContext = createSecureContext({
    key,
    cert: chain,
    minVersion: 'TLSv1.2',
    sessionIdContext: listener,
  })
  const selfSigned = leaf.checkIssued(leaf) && leaf.verify(leaf.publicKey)
  return { secureContext, selfSigned, notAfter: leaf.validToDate.getTime() }
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
        ? new TLSSocket(plain, { isServer: true, secureContext: upgrade.secureContext })
        : tlsConnect({ ...upgrade.options, socket: plain })
    const done = upgrade.side === 'server' ? 'secure' : 'secureConnect'
    const settle = () => {
      signal.removeEventListener('abort', onAbort)
      secured.off(done, onSecure)
      secured.off('_tlsError', onError)
      secured.off('close', onClose)
      secured.off('end', onClose)
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
    // A peer that closes its side alone says nothing more either: no close would come before our deadline.
    secured.on('end', onClose)
    // Stays for good: an error may come late, and must not be unhandled.
    secured.on('error', onError)
    signal.addEventListener('abort', onAbort)
    if (upgrade.side === 'client' && upgrade.onSession) secured.on('session', upgrade.onSession)
    if (signal.aborted) onAbort()
  })
}

/** What was agreed. */
export function describeTls(socket: TLSSocket): TlsInfo {
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher()?.name ?? 'unknown',
    verified: socket.authorized,
  }
}
