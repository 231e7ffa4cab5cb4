import { createHash, type KeyObject, sign } from 'node:crypto'
import type { HeaderField } from '../mail/header.ts'
import { type Canonicalization, canonicalField } from './canonical.ts'
import { type ExtraFields, selectFields } from './fields.ts'
import type { KeyFlag } from './lifecycle.ts'
import { type Algorithm, appendSignature, formatUnsigned, type Signature } from './signature.ts'

/** A key that signs for a domain; which domain is said where it is used. */
export type SigningKey = {
  readonly selector: string
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
  /** What its record says in `t=`. */
  readonly flags?: readonly KeyFlag[]
}

export type SignOptions = {
  /** All fields that the receiver will get, top to bottom, in octets as latin-1 text. */
  readonly fields: readonly HeaderField[]
  /** From BodyHasher, made with the same canonicalization. */
  readonly bodyHash: string
  readonly domain: string
  readonly keys: readonly SigningKey[]
  /** Milliseconds since 1970. */
  readonly now: number
  /** Sets `x=`; without it the signature does not expire. */
  readonly expiresAfterMs?: number
  readonly header?: Canonicalization
  readonly body?: Canonicalization
  /** Signed besides the usual ones. */
  readonly extraFields?: ExtraFields
}

/**
 * Makes the DKIM-Signature fields, one a key, each with its CRLF: they go on top of `fields`.
 * The RSA work is done on the thread pool; rejects when a key cannot sign (RFC 6376 §3.7, RFC 8463 §3).
 */
export async function signHeader(options: SignOptions): Promise<string> {
  const { fields: all, header = 'relaxed', extraFields } = options
  const { names, text } = selectFields(all, header, extraFields)
  if (options.keys.length === 1) return await signOnce(options.keys[0]!, names, text, options)
  const fields = options.keys.map((key) => signOnce(key, names, text, options))
  return (await Promise.all(fields)).join('')
}

async function signOnce(
  key: SigningKey,
  fieldNames: readonly string[],
  text: string,
  options: SignOptions,
): Promise<string> {
  const signedAt = Math.floor(options.now / 1000)
  const header = options.header ?? 'relaxed'
  const signature: Signature = {
    algorithm: key.algorithm,
    header,
    body: options.body ?? 'relaxed',
    domain: options.domain,
    selector: key.selector,
    signedAt,
    ...(options.expiresAfterMs === undefined
      ? {}
      : { expiresAt: signedAt + Math.ceil(options.expiresAfterMs / 1000) }),
    fieldNames,
    bodyHash: options.bodyHash,
  }
  const unsigned = formatUnsigned(signature)
  const input = Buffer.from(text + canonicalField(unsigned, header), 'latin1')
  return appendSignature(unsigned, (await signOctets(key, input)).toString('base64'))
}

/** RSA signs the SHA-256 of the input, Ed25519 the digest itself as a message (RFC 8463 §3). */
function signOctets(key: SigningKey, input: Buffer): Promise<Buffer> {
  const rsa = key.algorithm === 'rsa-sha256'
  const data = rsa ? input : createHash('sha256').update(input).digest()
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  sign(rsa ? 'sha256' : null, data, key.privateKey, settle(resolve, reject))
  return promise
}

/**
 * A function apart, so that the callback does not hold on to the input: Node keeps callbacks of
 * finished signatures until the next full collection (docs/decisions/memory-of-reads.md).
 */
function settle(
  resolve: (signature: Buffer) => void,
  reject: (error: Error) => void,
): (error: Error | null, signature: Buffer) => void {
  return (error, signature) => {
    if (error) reject(error)
    else resolve(signature)
  }
}
