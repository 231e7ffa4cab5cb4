// What a TLS connection proves beside its secrecy: that both ends are the ends of one channel
// (RFC 5929, RFC 9266), and who the client is by its certificate.

import { createHash, type X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ChannelBindings } from './scram.ts'

const EXPORTER_BYTES = 32

/** By name; `tls-exporter` only in TLS 1.3, where every session has secrets of its own. */
export function channelBindingsOf(socket: TLSSocket): ChannelBindings {
  const bindings = new Map<string, Buffer>()
  if (socket.getProtocol() === 'TLSv1.3') {
    const label = 'EXPORTER-Channel-Binding'
    const material = socket.exportKeyingMaterial(EXPORTER_BYTES, label, Buffer.alloc(0))
    bindings.set('tls-exporter', material)
  }
  const own = socket.getX509Certificate()
  const digest = own && digestOf(own)
  if (digest) bindings.set('tls-server-end-point', createHash(digest).update(own.raw).digest())
  return bindings
}

/** RFC 5929 §4.1: that of the signature, but SHA-256 for the weak ones; undefined where there is none. */
function digestOf(certificate: X509Certificate): string | undefined {
  const [, bits] =
    /sha-?(1|256|384|512)(?!\d)|md5/i.exec(certificate.signatureAlgorithm ?? '') ?? []
  if (bits === '384' || bits === '512') return `sha${bits}`
  return /sha|md5/i.test(certificate.signatureAlgorithm ?? '') ? 'sha256' : undefined
}

type ClientCertificate = {
  /** What it is good for, in small letters: names of hosts, addresses, `sha256:` and its fingerprint; empty when it proves nothing. */
  readonly names: readonly string[]
  /** Why it proves nothing. */
  readonly fault?: string
}

/** The client's certificate; undefined when it has shown none. */
export function clientCertificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const shown = socket.getPeerX509Certificate()
  if (!shown) return undefined
  const fault = faultOf(socket)
  if (fault !== undefined) return { names: [], fault }
  return { names: namesOf(shown) }
}

/** Node judges only for its own tls.Server; OpenSSL's verdict is on the handle, and without it nobody is trusted. */
function faultOf(socket: TLSSocket): string | undefined {
  type Judged = { readonly ssl?: { verifyError?(): { code?: string; message: string } | null } }
  const { ssl } = socket as Judged
  if (!ssl?.verifyError) return 'its issuer cannot be checked'
  const error = ssl.verifyError()
  return error ? (error.code ?? error.message) : undefined
}

function namesOf(certificate: X509Certificate): string[] {
  const { subject, subjectAltName, fingerprint256 } = certificate
  const alternative = [
    ...(subjectAltName ?? '').matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/gy),
  ].flatMap(([, kind, name = '']) =>
    // Node quotes what could be taken for several: such a name is nobody's, and nothing in it counts.
    (kind === 'DNS' || kind === 'email') && /^[^"\s]+$/.test(name) ? [name] : [],
  )
  const common = [...(subject ?? '').matchAll(/^CN=(.+)$/gm)].map(([, name]) => name!)
  // RFC 6125 §6.4.4: the common name counts where nothing better is there.
  const names = alternative.length > 0 ? alternative : common
  const print = `sha256:${fingerprint256.replaceAll(':', '')}`
  return [...names, print].map((name) => name.toLowerCase())
}
