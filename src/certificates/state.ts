// What is told of certificates: to the log, the command line, the doctor and the metrics.

import type { X509Certificate } from 'node:crypto'
import type { Examined } from './examine.ts'
import { oneLine } from './examine.ts'
import type { CertificateFault } from './fault.ts'

export type CertificateSource = 'files' | 'acme' | 'authority'

export type CertificateState = {
  /** The first name that it is for, or the file when it could not be read. */
  readonly name: string
  readonly source: CertificateSource
  readonly file: string
  /** New connections get it. */
  readonly inUse: boolean
  readonly certificate: CertificateView | null
  /** What is wrong with what lies in the file now. */
  readonly faults: readonly CertificateFault[]
  /** What we renew ourselves: when, and how it went. */
  readonly renewal: RenewalView | null
}

export type CertificateView = {
  readonly names: readonly string[]
  readonly issuer: string
  readonly serial: string
  readonly keyType: string
  /** SHA-256, pairs of hexadecimal digits with colons. */
  readonly fingerprint: string
  readonly beginsAt: number
  readonly expiresAt: number
  /** Clients trust it only when they are told to: our own authority, or self-signed. */
  readonly untrusted: boolean
}

export type RenewalView = {
  readonly nextAt: number | null
  readonly failures: number
  readonly lastFailure: string | null
}

export function viewOf(
  { leaf, names, keyType }: Pick<Examined, 'leaf' | 'names' | 'keyType'>,
  options: { readonly untrusted: boolean },
): CertificateView {
  return {
    names,
    issuer: oneLine(leaf.issuer),
    serial: leaf.serialNumber,
    keyType,
    fingerprint: leaf.fingerprint256,
    beginsAt: timeOf(leaf, 'validFromDate'),
    expiresAt: timeOf(leaf, 'validToDate'),
    untrusted: options.untrusted,
  }
}

function timeOf(leaf: X509Certificate, which: 'validFromDate' | 'validToDate'): number {
  return leaf[which].getTime()
}
