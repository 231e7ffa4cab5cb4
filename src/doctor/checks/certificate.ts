// The certificates that clients see when they hand in mail over TLS: their own room examines them,
// here what it says becomes findings.

import type { CertificateFault } from '../../certificates/fault.ts'
import type { CertificateState } from '../../certificates/state.ts'
import { type Check, type Finding, findingsOf } from '../check.ts'
import { certificateTexts } from '../texts/certificate.ts'

const found = findingsOf(certificateTexts)

export type CertificateOptions = {
  readonly states: () => Promise<readonly CertificateState[]>
  /** Listeners that take mail from other machines without TLS, as `address:port`. */
  readonly openListeners: readonly string[]
}

export function checkCertificate({ states, openListeners }: CertificateOptions): Check {
  return {
    name: 'certificate',
    group: 'server',
    async run() {
      const all = await states()
      const listeners = openListeners.join(', ')
      if (all.length === 0 && listeners !== '')
        return [found('CERTIFICATE_NONE', listeners, { listeners })]
      return all.flatMap(judge)
    },
  }
}

function judge({ name, file, source, certificate, faults, renewal }: CertificateState): Finding[] {
  const findings = faults.map((fault) => ofFault(fault, name))
  if (renewal?.lastFailure)
    findings.push(found('CERTIFICATE_NOT_RENEWED', name, { name, reason: renewal.lastFailure }))
  if (certificate?.untrusted && source === 'files')
    findings.push(found('CERTIFICATE_SELF_SIGNED', name, { name, file }))
  if (findings.length > 0 || certificate === null) return findings
  const until = new Date(certificate.expiresAt).toISOString().slice(0, 10)
  return [found('CERTIFICATE_OK', name, { name, until })]
}

function ofFault({ code, level, file, says, mend }: CertificateFault, name: string): Finding {
  const facts = { file, says, mend }
  if (code === 'EXPIRED') return found('CERTIFICATE_EXPIRED', name, facts)
  if (code === 'EXPIRES_SOON') return found('CERTIFICATE_EXPIRES', name, facts)
  if (code === 'NOT_FOR_HOST') return found('CERTIFICATE_NAME', name, facts)
  return found(level === 'error' ? 'CERTIFICATE_UNUSABLE' : 'CERTIFICATE_FLAWED', name, facts)
}
