// What the API and the command line need of a server's certificates.

import type { CertificateState } from '../certificates/state.ts'

export type CertificateControl = {
  /** Every certificate that is configured, got by ACME or signed by our own authority. */
  certificates(): Promise<readonly CertificateState[]>
  /** Reads files again, orders and signs anew what is ours to get; the states after that. */
  renewCertificates(): Promise<readonly CertificateState[]>
  /** The root of our own authority, PEM; undefined when there is none and `make` is not set. */
  rootCertificate(options?: { readonly make: boolean }): Promise<string | undefined>
  /** The text that http-01 asks for (RFC 8555 §8.3); undefined for a token that nobody gave out. */
  acmeAnswer(token: string): string | undefined
}
