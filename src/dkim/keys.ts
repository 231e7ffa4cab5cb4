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
import type { Algorithm } from './signature.ts'

const LEAST_RSA_BITS = 1024
const GOOD_RSA_BITS = 2048

const generate = promisify(generateKeyPair)

/** Makes a private key on the thread pool: RSA of 2048 bits or Ed25519. */
export async function makeKey(algorithm: Algorithm): Promise<KeyObject> {
  const pair =
    algorithm === 'rsa-sha256'
      ? await generate('rsa', { modulusLength: GOOD_RSA_BITS })
      : await generate('ed25519')
  return pair.privateKey
}

export type KeyReading =
  | {
      readonly kind: 'key'
      readonly privateKey: KeyObject
      readonly algorithm: Algorithm
      /** A sentence for the operator, when the key works but is not what one should use. */
      readonly warning?: string
    }
  | { readonly kind: 'fault'; readonly fault: string }

/** Reads a private key in PEM, PKCS#1 or PKCS#8; refuses what receivers refuse (RFC 8301 §3.2). */
export function readKey(pem: string): KeyReading {
  const fault = (text: string): KeyReading => ({ kind: 'fault', fault: text })
  if (/-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem))
    return fault('this is the public key; the private one is needed')
  if (/ENCRYPTED/.test(pem))
    return fault('the key is protected by a password; remove it: openssl pkey -in KEY -out PLAIN')
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey({ key: pem, format: 'pem' })
  } catch {
    return fault('not a private key in PEM form (-----BEGIN PRIVATE KEY-----)')
  }
  if (privateKey.asymmetricKeyType === 'ed25519')
    return { kind: 'key', privateKey, algorithm: 'ed25519-sha256' }
  if (privateKey.asymmetricKeyType !== 'rsa')
    return fault(`a ${privateKey.asymmetricKeyType} key; DKIM knows RSA and Ed25519`)
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < LEAST_RSA_BITS)
    return fault(`an RSA key of ${bits} bits; receivers refuse less than ${LEAST_RSA_BITS}`)
  if (bits >= GOOD_RSA_BITS) return { kind: 'key', privateKey, algorithm: 'rsa-sha256' }
  const warning = `an RSA key of ${bits} bits is weak; use ${GOOD_RSA_BITS}`
  return { kind: 'key', privateKey, algorithm: 'rsa-sha256', warning }
}

/** `p2611` for November 2026: keys made in different months never share a name. */
export function selectorFor(now: number): string {
  const date = new Date(now)
  const two = (n: number) => String(n % 100).padStart(2, '0')
  return `p${two(date.getUTCFullYear())}${two(date.getUTCMonth() + 1)}`
}

/** The key's file below the data folder's `keys/`. */
export function keyFileName(domain: string, selector: string): string {
  return `${domain}.${selector}.pem`
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

/** The TXT record that publishes a key (RFC 6376 §3.6.1, RFC 8463 §4). Takes the private or the public key. */
export function publicText(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  if (publicKey.asymmetricKeyType === 'ed25519') {
    const { x } = publicKey.export({ format: 'jwk' })
    return `v=DKIM1; k=ed25519; p=${Buffer.from(x!, 'base64url').toString('base64')}`
  }
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return `v=DKIM1; k=rsa; p=${der.toString('base64')}`
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
