import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
} from 'node:crypto'
import { chmod, mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { replaceFile } from '../std/durable.ts'
import type { KeyFlag } from './lifecycle.ts'
import type { Algorithm } from './signature.ts'

const LEAST_RSA_BITS = 1024
const GOOD_RSA_BITS = 2048
/** Verifiers need not take longer ones (RFC 8301 §3.2). */
const MOST_RSA_BITS = 4096

const generate = promisify(generateKeyPair)

/** Makes a private key on the thread pool: RSA, of 2048 bits unless `bits` says otherwise, or Ed25519. */
export async function makeKey(
  algorithm: Algorithm,
  { bits = GOOD_RSA_BITS }: { readonly bits?: number } = {},
): Promise<KeyObject> {
  const pair =
    algorithm === 'rsa-sha256'
      ? await generate('rsa', { modulusLength: bits })
      : await generate('ed25519')
  return pair.privateKey
}

/** The length of an RSA key; 256 for Ed25519. */
export function bitsOf(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? 256
}

/** Why a text is no key that we can sign with, for programs; the sentence stands beside it. */
export type KeyFaultCode =
  | 'public'
  | 'certificate'
  | 'passphrase'
  | 'openssh'
  | 'not-a-key'
  | 'other-kind'
  | 'too-short'
  | 'too-long'

export type KeyFault = {
  readonly kind: 'fault'
  readonly code: KeyFaultCode
  /** The kind of the key, or its bits, where the code speaks of them. */
  readonly found: string
  readonly fault: string
}

export type KeyReading =
  | {
      readonly kind: 'key'
      readonly privateKey: KeyObject
      readonly algorithm: Algorithm
      /** A sentence for the operator, when the key works but is not what one should use. */
      readonly warning?: string
    }
  | KeyFault

const FAULTS: Readonly<Record<KeyFaultCode, (found: string) => string>> = {
  public: () => 'this is the public key; the private one is needed',
  certificate: () => 'this is a certificate; a private key is needed',
  passphrase: () =>
    'the key is protected by a password; remove it: openssl pkey -in KEY -out PLAIN',
  openssh: () => 'a key in the form of OpenSSH; rewrite it: ssh-keygen -p -m PEM -N "" -f KEY',
  'not-a-key': () => 'not a private key in PEM form (-----BEGIN PRIVATE KEY-----)',
  'other-kind': (found) => `a ${found} key; DKIM knows RSA and Ed25519`,
  'too-short': (found) =>
    `an RSA key of ${found} bits; receivers refuse less than ${LEAST_RSA_BITS}`,
  'too-long': (found) =>
    `an RSA key of ${found} bits; receivers need not take more than ${MOST_RSA_BITS}`,
}

function keyFault(code: KeyFaultCode, found: string | number = ''): KeyFault {
  return { kind: 'fault', code, found: String(found), fault: FAULTS[code](String(found)) }
}

/**
 * Reads a private key in PEM, PKCS#1 or PKCS#8, or an Ed25519 key as bare base64, which Rspamd
 * writes; refuses what receivers refuse (RFC 8301 §3.2).
 */
export function readKey(text: string): KeyReading {
  const label = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text)?.[1] ?? ''
  if (/ENCRYPTED/.test(text)) return keyFault('passphrase')
  if (/PUBLIC KEY$/.test(label)) return keyFault('public')
  if (/CERTIFICATE/.test(label)) return keyFault('certificate')
  if (/OPENSSH/.test(label)) return keyFault('openssh')
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(label === '' ? bareEd25519(text) : { key: text, format: 'pem' })
  } catch {
    return keyFault('not-a-key')
  }
  if (privateKey.asymmetricKeyType === 'ed25519')
    return { kind: 'key', privateKey, algorithm: 'ed25519-sha256' }
  if (privateKey.asymmetricKeyType !== 'rsa')
    return keyFault('other-kind', privateKey.asymmetricKeyType)
  const bits = bitsOf(privateKey)
  if (bits < LEAST_RSA_BITS) return keyFault('too-short', bits)
  if (bits > MOST_RSA_BITS) return keyFault('too-long', bits)
  if (bits >= GOOD_RSA_BITS) return { kind: 'key', privateKey, algorithm: 'rsa-sha256' }
  const warning = `an RSA key of ${bits} bits is weak; use ${GOOD_RSA_BITS}`
  return { kind: 'key', privateKey, algorithm: 'rsa-sha256', warning }
}

/** The head of an Ed25519 key in PKCS#8 (RFC 8410 §7); its 32 octets follow. */
const ED25519_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The seed, with or without the public half after it. Throws when it is neither. */
function bareEd25519(text: string): { key: Buffer; format: 'der'; type: 'pkcs8' } {
  const octets = Buffer.from(text.trim(), 'base64')
  const plain = /^[A-Za-z0-9+/]+={0,2}$/.test(text.trim())
  if (!plain || (octets.length !== 32 && octets.length !== 64)) throw new TypeError('no key')
  const key = Buffer.concat([ED25519_HEAD, octets.subarray(0, 32)])
  return { key, format: 'der', type: 'pkcs8' }
}

/** The key's file below the data folder's `keys/`; no two keys share one, whatever dots are in a selector. */
export function keyFileName(domain: string, selector: string): string {
  return selector.includes('.')
    ? `${selector}._domainkey.${domain}.pem`
    : `${domain}.${selector}.pem`
}

/** Writes a private key as PKCS#8, readable by us alone; it is on the disk when this resolves. */
export async function saveKey(folder: string, file: string, privateKey: KeyObject): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  await replaceFile(join(folder, file), pem, { mode: 0o600 })
}

/** Loads a key that saveKey wrote; closes its mode to others first when it is ours. Rejects when there is none. */
export async function loadKey(folder: string, file: string): Promise<KeyReading> {
  const path = join(folder, file)
  const { mode, uid } = await stat(path)
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) await chmod(path, 0o600)
  return readKey(await readFile(path, 'utf8'))
}

/**
 * The TXT record that publishes a key (RFC 6376 §3.6.1, RFC 8463 §4). Takes the private or the public key.
 * @param flags for `t=`
 */
export function publicText(key: KeyObject, flags: readonly KeyFlag[] = []): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  const t = flags.length === 0 ? '' : `t=${flags.join(':')}; `
  if (publicKey.asymmetricKeyType === 'ed25519') {
    const { x } = publicKey.export({ format: 'jwk' })
    return `v=DKIM1; k=ed25519; ${t}p=${Buffer.from(x!, 'base64url').toString('base64')}`
  }
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return `v=DKIM1; k=rsa; ${t}p=${der.toString('base64')}`
}

/** A text as the strings of one TXT record: at most 255 octets each (RFC 1035 §3.3, RFC 6376 §3.6.2.2). */
export function txtStrings(text: string): string[] {
  const strings: string[] = []
  for (let at = 0; at < text.length; at += 255) strings.push(text.slice(at, at + 255))
  return strings
}

/** Tells two keys apart at a glance: 16 hex digits of the SHA-256 of what `p=` holds. */
export function fingerprint(key: KeyObject): string {
  return fingerprintOf(publicText(key)) ?? ''
}

/** The same for a published record; undefined when it has no key (or a revoked one). */
export function fingerprintOf(record: string): string | undefined {
  const octets = Buffer.from(/(?:^|;)\s*p\s*=([^;]*)/.exec(record)?.[1] ?? '', 'base64')
  if (octets.length === 0) return undefined
  return createHash('sha256').update(octets).digest('hex').slice(0, 16)
}
