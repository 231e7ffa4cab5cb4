// Certificates of our own making: self-signed ones for peers that take any, and those of a local
// authority for clients that were given its root. P-256, version 3 (RFC 5280 §4), with the
// extensions that strict verifiers want: key identifiers, key usage, alternative names.

import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { isIP } from 'node:net'
import type { Clock } from './clock.ts'
import { bits, integer, oid, pem, sequence, tagged, time } from './der.ts'

export type Certificate = { readonly key: string; readonly cert: string }

const DAY_MS = 86_400_000
const COMMON_NAME = '2.5.4.3'
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14'
const KEY_USAGE = '2.5.29.15'
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'
const BASIC_CONSTRAINTS = '2.5.29.19'
const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const LONGEST_COMMON_NAME = 64

type Life = { readonly days: number }
type Pair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
type Issuer = { readonly name: Buffer; readonly keys: Pair }

/**
 * Makes a key and a certificate over it, both PEM.
 * @param names host names (A-labels) and addresses, the first of them the subject
 * @param clock its wall time is the beginning, less a day for peers whose clock is behind
 */
export function selfSignedCertificate(
  names: readonly string[],
  clock: Clock,
  options?: Life,
): Certificate {
  const keys = newKeys()
  const name = commonName(names[0] ?? 'localhost')
  return issue({
    subject: { name, keys },
    issuer: { name, keys },
    life: span(clock, options?.days ?? 3650),
    extensions: leafExtensions(names),
  })
}

/** Makes an authority that may sign certificates of hosts and nothing else (pathLenConstraint 0). */
export function makeAuthority(name: string, clock: Clock, options: Life): Certificate {
  const keys = newKeys()
  const subject = commonName(name)
  return issue({
    subject: { name: subject, keys },
    issuer: { name: subject, keys },
    life: span(clock, options.days),
    extensions: [
      extension(
        BASIC_CONSTRAINTS,
        sequence(tagged(0x01, Buffer.from([0xff])), integer(Buffer.from([0]))),
        'critical',
      ),
      // keyCertSign and cRLSign
      extension(KEY_USAGE, tagged(0x03, Buffer.from([1, 0x06])), 'critical'),
      extension(SUBJECT_KEY_IDENTIFIER, tagged(0x04, keyIdentifier(keys.publicKey)), 'plain'),
    ],
  })
}

/** Makes a key and a certificate for it that the authority signs. Throws when the authority is none. */
export function issueCertificate(
  authority: Certificate,
  names: readonly string[],
  options: Life & { readonly clock: Clock },
): Certificate {
  const keys = newKeys()
  const root = new X509Certificate(authority.cert)
  const privateKey = createPrivateKey(authority.key)
  if (!root.checkPrivateKey(privateKey)) throw new Error('the authority’s key is not its own')
  const identifier = keyIdentifier(root.publicKey)
  return issue({
    subject: { name: commonName(names[0] ?? 'localhost'), keys },
    issuer: {
      name: commonName(root.subject.replace(/^CN=/, '')),
      keys: { privateKey, publicKey: root.publicKey },
    },
    life: span(options.clock, options.days),
    extensions: [
      ...leafExtensions(names),
      extension(SUBJECT_KEY_IDENTIFIER, tagged(0x04, keyIdentifier(keys.publicKey)), 'plain'),
      extension(AUTHORITY_KEY_IDENTIFIER, sequence(tagged(0x80, identifier)), 'plain'),
    ],
  })
}

/** Makes a key and a request that an authority may sign it for these names (RFC 2986), both PEM. */
export function certificateRequest(names: readonly string[]): {
  readonly key: string
  readonly request: string
} {
  const { privateKey, publicKey } = newKeys()
  const named = extension(
    SUBJECT_ALTERNATIVE_NAME,
    sequence(...names.map(alternativeName)),
    'plain',
  )
  const signed = sequence(
    integer(Buffer.from([0])),
    sequence(),
    publicKey.export({ format: 'der', type: 'spki' }),
    tagged(0xa0, sequence(oid(EXTENSION_REQUEST), tagged(0x31, sequence(named)))),
  )
  const signature = bits(sign('sha256', signed, privateKey))
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    request: pem(
      'CERTIFICATE REQUEST',
      sequence(signed, sequence(oid(ECDSA_WITH_SHA256)), signature),
    ),
  }
}

function newKeys(): Pair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function span(clock: Clock, days: number): readonly [number, number] {
  return [clock.now() - DAY_MS, clock.now() + days * DAY_MS]
}

function issue(parts: {
  readonly subject: Issuer
  readonly issuer: Issuer
  readonly life: readonly [number, number]
  readonly extensions: readonly Buffer[]
}): Certificate {
  const { subject, issuer, life, extensions } = parts
  const algorithm = sequence(oid(ECDSA_WITH_SHA256))
  const signed = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    algorithm,
    issuer.name,
    sequence(time(life[0]), time(life[1])),
    subject.name,
    subject.keys.publicKey.export({ format: 'der', type: 'spki' }),
    tagged(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', signed, issuer.keys.privateKey)
  return {
    key: subject.keys.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    cert: pem('CERTIFICATE', sequence(signed, algorithm, bits(signature))),
  }
}

function leafExtensions(names: readonly string[]): Buffer[] {
  const digitalSignature = tagged(0x03, Buffer.from([7, 0x80]))
  return [
    extension(BASIC_CONSTRAINTS, sequence(), 'critical'),
    extension(KEY_USAGE, digitalSignature, 'critical'),
    extension(EXTENDED_KEY_USAGE, sequence(oid(SERVER_AUTH)), 'plain'),
    extension(SUBJECT_ALTERNATIVE_NAME, sequence(...names.map(alternativeName)), 'plain'),
  ]
}

/** The SHA-1 of the public key's bits, as RFC 5280 §4.2.1.2 (1) has it: a name, not a protection. */
function keyIdentifier(key: KeyObject): Buffer {
  // A P-256 key's SubjectPublicKeyInfo ends in the 65 octets of its point.
  const point = key.export({ format: 'der', type: 'spki' }).subarray(-65)
  return createHash('sha1').update(point).digest()
}

function extension(id: string, value: Buffer, weight: 'critical' | 'plain'): Buffer {
  const critical = weight === 'critical' ? [tagged(0x01, Buffer.from([0xff]))] : []
  return sequence(oid(id), ...critical, tagged(0x04, value))
}

/** dNSName or iPAddress (RFC 5280 §4.2.1.6). */
function alternativeName(name: string): Buffer {
  return isIP(name) === 0 ? tagged(0x82, Buffer.from(name)) : tagged(0x87, addressOctets(name))
}

function addressOctets(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const before = groups(head)
  const after = groups(tail ?? '')
  const zeros = new Array<string>(8 - before.length - after.length).fill('0')
  const words = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16))
  return Buffer.from(words.flatMap((word) => [word >> 8, word & 0xff]))
}

function commonName(name: string): Buffer {
  const text = name.length <= LONGEST_COMMON_NAME ? name : 'posthorn'
  const utf8 = tagged(0x0c, Buffer.from(text))
  return sequence(tagged(0x31, sequence(oid(COMMON_NAME), utf8)))
}
