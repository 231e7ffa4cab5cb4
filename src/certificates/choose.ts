// From the certificates that can be used to what a listener offers: one for each name that a client
// asks for (RFC 6066 §3), with an RSA and an ECDSA key side by side where there are both.

import type { SecureContext } from 'node:tls'
import { type PemPair, type ServerCertificate, serverContext } from '../smtp/tls.ts'

export type Usable = {
  /** Lower-case DNS names, `*.example.com` among them, and addresses. */
  readonly names: readonly string[]
  readonly keyType: string
  readonly pair: PemPair
  readonly untrusted: boolean
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
}

type Offer = ServerCertificate & { readonly names: readonly string[] }

type ChooserOptions = {
  /** Ours: its certificate is for clients that ask for no name, or for one we do not have. */
  readonly hostname: string
  /** PEM; clients may then show certificates of theirs. */
  readonly clientAuthorities?: string | undefined
}

/** Makes a listener's own contexts: session tickets belong to one listener. */
export type MakeCertificate = (listener: string) => ServerCertificate

/**
 * @param usable in the order of the configuration
 * @returns undefined without any certificate; throws OpenSSL's error for a pair that it refuses
 */
export function chooser(
  usable: readonly Usable[],
  { hostname, clientAuthorities }: ChooserOptions,
): MakeCertificate | undefined {
  if (usable.length === 0) return undefined
  const groups = grouped(usable)
  return (listener) => {
    const offers = groups.map((group) => offerOf(group, { listener, clientAuthorities }))
    const byName = new Map<string, SecureContext>()
    for (const { names, secureContext } of offers)
      for (const name of names) if (!byName.has(name)) byName.set(name, secureContext)
    const ours = lookUp(byName, hostname)
    const fallback = offers.find((offer) => offer.secureContext === ours) ?? offers[0]!
    const { secureContext, untrusted, notAfter } = fallback
    // Node takes only the last pair of a context over when it changes to it by name, so we stay where
    // we are when that is the one; elsewhere the last is RSA, which every client knows.
    const contextFor = (servername: string) => {
      const wanted = lookUp(byName, servername)
      return wanted === secureContext ? undefined : wanted
    }
    const asksClient = clientAuthorities !== undefined
    return { secureContext, contextFor, asksClient, untrusted, notAfter }
  }
}

/** Certificates for the same names: the newest for each type of key. */
function grouped(usable: readonly Usable[]): readonly (readonly Usable[])[] {
  const groups = new Map<string, Map<string, Usable>>()
  for (const one of usable) {
    const group = [...one.names].sort().join(' ')
    const members = groups.get(group) ?? new Map<string, Usable>()
    groups.set(group, members)
    const type = one.keyType.split(' ')[0]!
    const other = members.get(type)
    if (!other || other.notBefore < one.notBefore) members.set(type, one)
  }
  const rsaLast = (a: Usable, b: Usable) => a.keyType.localeCompare(b.keyType)
  return [...groups.values()].map((members) => [...members.values()].sort(rsaLast))
}

function offerOf(
  group: readonly Usable[],
  use: { readonly listener: string; readonly clientAuthorities?: string | undefined },
): Offer {
  return {
    secureContext: serverContext(
      group.map(({ pair }) => pair),
      use,
    ),
    names: group[0]!.names,
    untrusted: group.every((one) => one.untrusted),
    notAfter: Math.max(...group.map((one) => one.notAfter)),
  }
}

/** The name itself, else the wildcard one label up (RFC 6125 §6.4.3). */
function lookUp(byName: ReadonlyMap<string, SecureContext>, name: string) {
  const wanted = name.toLowerCase().replace(/\.$/, '')
  return byName.get(wanted) ?? byName.get(wanted.replace(/^[^.]+/, '*'))
}
