// The certificate that clients see when they submit mail over TLS.

import { X509Certificate } from 'node:crypto'
import type { Clock } from '../../std/clock.ts'
import { type Check, type Finding, findingsOf } from '../check.ts'
import { certificateTexts } from '../texts/certificate.ts'

const found = findingsOf(certificateTexts)

export type CertificateOptions = {
  readonly hostname: string
  readonly clock: Clock
  /** The chain in PEM, its leaf first; undefined when none is set. Rejects when it cannot be read. */
  readonly read: () => Promise<string | undefined>
  /** Listeners that take mail from other machines without TLS, as `address:port`. */
  readonly openListeners: readonly string[]
}

const DAY_MS = 86_400_000
/** Renewal begins a month before the end at most authorities; two weeks left means that it failed. */
const SOON_DAYS = 14

export function checkCertificate(options: CertificateOptions): Check {
  return {
    name: 'certificate',
    group: 'server',
    async run() {
      const { read, openListeners } = options
      const pem = await read()
      if (pem !== undefined) return judge(pem, options)
      const listeners = openListeners.join(', ')
      return openListeners.length > 0 ? [found('CERTIFICATE_NONE', listeners, { listeners })] : []
    },
  }
}

function judge(pem: string, { hostname, clock }: CertificateOptions): Finding[] {
  const certificate = parse(pem)
  if (certificate === undefined) return [found('CERTIFICATE_BROKEN', hostname, {})]
  const days = Math.floor((certificate.validToDate.getTime() - clock.now()) / DAY_MS)
  const until = certificate.validToDate.toISOString().slice(0, 10)
  const findings: Finding[] = []
  if (days < 0) findings.push(found('CERTIFICATE_EXPIRED', hostname, { until }))
  else if (days < SOON_DAYS) findings.push(found('CERTIFICATE_EXPIRES', hostname, { until, days }))
  if (certificate.validFromDate.getTime() > clock.now())
    findings.push(
      found('CERTIFICATE_NOT_YET', hostname, { from: certificate.validFromDate.toISOString() }),
    )
  if (certificate.checkHost(hostname) === undefined) {
    const names = (certificate.subjectAltName ?? certificate.subject).replace(/DNS:/g, '')
    findings.push(found('CERTIFICATE_NAME', hostname, { hostname, names: names.slice(0, 300) }))
  }
  if (certificate.verify(certificate.publicKey))
    findings.push(found('CERTIFICATE_SELF_SIGNED', hostname, { hostname }))
  return findings.length > 0 ? findings : [found('CERTIFICATE_OK', hostname, { hostname, until })]
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}
