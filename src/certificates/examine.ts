// What is in a certificate's files and what is wrong with it: pure, over what was read. The leaf is
// found by the key, the chain by its signatures, so that files in any order serve.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { PemPair } from '../smtp/tls.ts'
import { type CertificateFault, fault } from './fault.ts'
import { readPem } from './pem.ts'

/** A file as it was read. */
export type ReadFile = { readonly path: string; readonly content: Buffer }

/** What belongs together: the certificate's file may hold the chain and the key, too. */
export type ReadFiles = {
  readonly certificate: ReadFile
  readonly chain?: ReadFile
  readonly key?: ReadFile
}

export type Examined = {
  readonly leaf: X509Certificate
  /** DNS names and addresses, as the certificate has them. */
  readonly names: readonly string[]
  readonly keyType: string
  readonly pair: PemPair
  /** It is its own issuer. */
  readonly selfSigned: boolean
}

export type Examination = {
  /** Absent when there is no certificate with its key at all. */
  readonly found?: Examined
  readonly faults: readonly CertificateFault[]
}

export type ExamineOptions = {
  /** Wall time, milliseconds since 1970. */
  readonly now: number
  /** The name that it should be for; absent: not asked. */
  readonly host?: string
  /** Subjects of the authorities that clients have anyway. */
  readonly roots: () => ReadonlySet<string>
}

const DAY_MS = 86_400_000
/** A certificate of 90 days is renewed long before; later, something is wrong. */
const SOON_MS = 14 * DAY_MS
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const ANY_USAGE = '2.5.29.37.0'
const LEAST_RSA_BITS = 2048

export function examine(files: ReadFiles, options: ExamineOptions): Examination {
  const faults: CertificateFault[] = []
  const certificates = certificatesIn(files, faults)
  const key = keyIn(files, faults)
  if (certificates.length === 0 || !key) return { faults }
  const { path } = files.certificate
  const leaf = certificates.find((one) => one.checkPrivateKey(key.object))
  const first = certificates[0]!
  if (!leaf) {
    const details = { key: key.path, subject: oneLine(first.subject) }
    return { faults: [...faults, fault('KEY_MISMATCH', path, details)] }
  }
  const chain = chainOf(leaf, certificates)
  faults.push(...faultsOfLeaf(leaf, path, options), ...faultsOfKey(key.object, key.path))
  faults.push(...faultsOfChain({ chain, certificates, path }, options))
  return {
    faults,
    found: {
      leaf,
      names: namesOf(leaf),
      keyType: describeKey(key.object),
      pair: { key: key.text, chain: chain.map(String).join('') },
      selfSigned: isSelfSigned(leaf),
    },
  }
}

function certificatesIn(files: ReadFiles, faults: CertificateFault[]): X509Certificate[] {
  const found: X509Certificate[] = []
  for (const file of [files.certificate, files.chain]) {
    if (!file) continue
    const { certificates, keys, other } = readPem(file.content)
    if (certificates.length === 0)
      faults.push(
        fault('WRONG_TYPE', file.path, {
          found: keys.length > 0 ? 'only-key' : (other ?? 'nothing'),
          wanted: 'certificate',
        }),
      )
    for (const text of certificates) {
      try {
        found.push(new X509Certificate(text))
      } catch (error) {
        faults.push(fault('MALFORMED', file.path, { what: 'certificate', why: reason(error) }))
      }
    }
  }
  const seen = new Set<string>()
  return found.filter((one) => !seen.has(one.fingerprint256) && seen.add(one.fingerprint256))
}

type Key = { readonly text: string; readonly object: KeyObject; readonly path: string }

function keyIn(files: ReadFiles, faults: CertificateFault[]): Key | undefined {
  const { path, content } = files.key ?? files.certificate
  const { certificates, keys, other } = readPem(content)
  const [first] = keys
  if (!first) {
    if (files.key) {
      const found = certificates.length > 0 ? 'only-certificate' : (other ?? 'nothing')
      faults.push(fault('WRONG_TYPE', path, { found, wanted: 'key' }))
    } else if (certificates.length > 0) faults.push(fault('KEY_MISSING', path, {}))
    return undefined
  }
  if (first.encrypted) {
    faults.push(fault('KEY_ENCRYPTED', path, {}))
    return undefined
  }
  try {
    return { text: first.text, object: createPrivateKey(first.text), path }
  } catch (error) {
    faults.push(fault('MALFORMED', path, { what: 'key', why: reason(error) }))
    return undefined
  }
}

/** The leaf, its issuer, that one's issuer … as far as they are there. */
function chainOf(leaf: X509Certificate, pool: readonly X509Certificate[]): X509Certificate[] {
  const chain = [leaf]
  for (let last = leaf; !isSelfSigned(last); ) {
    const issuer = pool.find((one) => !chain.includes(one) && signed(one, last))
    if (!issuer) break
    chain.push(issuer)
    last = issuer
  }
  return chain
}

function signed(issuer: X509Certificate, one: X509Certificate): boolean {
  try {
    return one.checkIssued(issuer) && one.verify(issuer.publicKey)
  } catch {
    return false // a key of a type that OpenSSL does not know
  }
}

/** Not by checkIssued(): one that may sign nothing else is its own issuer all the same. */
function isSelfSigned(one: X509Certificate): boolean {
  try {
    return one.subject === one.issuer && one.verify(one.publicKey)
  } catch {
    return false
  }
}

function faultsOfLeaf(
  leaf: X509Certificate,
  path: string,
  { now, host }: ExamineOptions,
): CertificateFault[] {
  const faults: CertificateFault[] = []
  const from = leaf.validFromDate.getTime()
  const until = leaf.validToDate.getTime()
  if (until <= now) faults.push(fault('EXPIRED', path, { at: until }))
  else if (until - now < Math.min(SOON_MS, (until - from) / 4)) {
    const days = Math.floor((until - now) / DAY_MS)
    faults.push(fault('EXPIRES_SOON', path, { at: until, days }))
  }
  if (from > now) faults.push(fault('NOT_YET_VALID', path, { at: from, now }))
  if (host !== undefined && !namesHost(leaf, host))
    faults.push(fault('NOT_FOR_HOST', path, { host, names: namesOf(leaf) }))
  const usages = leaf.keyUsage
  if (usages && !usages.includes(SERVER_AUTH) && !usages.includes(ANY_USAGE))
    faults.push(fault('NOT_FOR_SERVERS', path, {}))
  const { signatureAlgorithm } = leaf
  if (!isSelfSigned(leaf) && /sha-?1\b|sha1|md5/i.test(signatureAlgorithm ?? ''))
    faults.push(fault('SIGNATURE_WEAK', path, { algorithm: signatureAlgorithm! }))
  return faults
}

/** RFC 6125 §6.4.4: the subject's common name counts no more. */
function namesHost(leaf: X509Certificate, host: string): boolean {
  return leaf.checkHost(host, { subject: 'never' }) !== undefined
}

function faultsOfKey(key: KeyObject, path: string): CertificateFault[] {
  const type = describeKey(key)
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss': {
      const weak = (key.asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_RSA_BITS
      return weak ? [fault('KEY_WEAK', path, { type })] : []
    }
    case 'ec': {
      const curve = key.asymmetricKeyDetails?.namedCurve ?? ''
      return ['prime256v1', 'secp384r1'].includes(curve)
        ? []
        : [fault('KEY_UNUSUAL', path, { type })]
    }
    default:
      return [fault('KEY_UNUSUAL', path, { type })]
  }
}

function faultsOfChain(
  parts: {
    readonly chain: readonly X509Certificate[]
    readonly certificates: readonly X509Certificate[]
    readonly path: string
  },
  { now, roots }: ExamineOptions,
): CertificateFault[] {
  const { chain, certificates, path } = parts
  const faults: CertificateFault[] = []
  const foreign = certificates.filter((one) => !chain.includes(one))
  const given = certificates.filter((one) => chain.includes(one))
  if (given.some((one, i) => one !== chain[i])) faults.push(fault('CHAIN_ORDER', path, {}))
  if (foreign.length > 0) {
    const subjects = foreign.map((one) => oneLine(one.subject))
    faults.push(fault('CHAIN_FOREIGN', path, { subjects }))
  }
  const last = chain.at(-1)!
  // Beyond an intermediate we cannot tell what is missing from a private root, which nobody sends.
  if (chain.length === 1 && !isSelfSigned(last) && !roots().has(last.issuer)) {
    const url = /CA Issuers - URI:(\S+)/.exec(last.infoAccess ?? '')?.[1]
    const details = { issuer: oneLine(last.issuer), ...(url !== undefined && { url }) }
    faults.push(fault('CHAIN_INCOMPLETE', path, details))
  }
  for (const one of chain.slice(1)) {
    const at = one.validToDate.getTime()
    if (at <= now) faults.push(fault('CHAIN_EXPIRED', path, { subject: oneLine(one.subject), at }))
  }
  return faults
}

/** Alternative names, without their kinds. */
function namesOf(leaf: X509Certificate): string[] {
  const names = [...(leaf.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)]
  return names.map(([, name = '']) => name.toLowerCase())
}

function describeKey(key: KeyObject): string {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  const type = key.asymmetricKeyType ?? 'unknown'
  if (modulusLength !== undefined) return `${type.toUpperCase()} ${modulusLength}`
  if (namedCurve === undefined) return type
  return `ECDSA ${CURVES[namedCurve] ?? namedCurve}`
}

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}

/** `CN=R3, O=Let's Encrypt` out of OpenSSL's lines. */
export function oneLine(name: string): string {
  return name.split('\n').reverse().join(', ')
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^error:[0-9A-F]+:/, '') : String(error)
}
