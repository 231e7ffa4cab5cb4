import { createHash, type KeyObject, sign } from 'node:crypto'
import type { HeaderField } from '../mail/header.ts'
import { type Canonicalization, canonicalField } from './canonical.ts'
import { type Algorithm, appendSignature, formatUnsigned, type Signature } from './signature.ts'

/** A key that signs for a domain; which domain is said where it is used. */
export type SigningKey = {
  readonly selector: string
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
}

/** Signed as often as they stand in the message and once more, so that none can be put on top unseen. */
const OVERSIGNED = [
  'From',
  'To',
  'Cc',
  'Subject',
  'Date',
  'Message-ID',
  'Reply-To',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
]
/** Signed where they stand; a later one does no harm (RFC 6376 §5.4.1). */
const SIGNED = ['Sender', 'In-Reply-To', 'References', 'List-Id', 'Feedback-ID']
const NAMES = [...OVERSIGNED, ...SIGNED]
const PLACES: ReadonlyMap<string, number> = new Map(
  NAMES.map((name, place) => [name.toLowerCase(), place]),
)

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
}

/**
 * Makes the DKIM-Signature fields, one a key, each with its CRLF: they go on top of `fields`.
 * The RSA work is done on the thread pool; rejects when a key cannot sign (RFC 6376 §3.7, RFC 8463 §3).
 */
export async function signHeader(options: SignOptions): Promise<string> {
  const { names, text } = selectFields(options.fields, options.header ?? 'relaxed')
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
  return new Promise((resolve, reject) => {
    sign(rsa ? 'sha256' : null, data, key.privateKey, (error, signature) => {
      if (error) reject(error)
      else resolve(signature)
    })
  })
}

/** Which fields are signed, and their canonical text; of several with one name the lowest comes first (RFC 6376 §5.4.2). */
function selectFields(
  fields: readonly HeaderField[],
  header: Canonicalization,
): { names: string[]; text: string } {
  const found: (string | undefined)[] = new Array(NAMES.length).fill(undefined)
  const counts: number[] = new Array(NAMES.length).fill(0)
  for (let i = fields.length - 1; i >= 0; i--) {
    const place = PLACES.get(fields[i]!.lowerName)
    if (place === undefined) continue
    found[place] = `${found[place] ?? ''}${canonicalField(fields[i]!.raw, header)}\r\n`
    counts[place]!++
  }
  const names: string[] = []
  let text = ''
  for (let place = 0; place < NAMES.length; place++) {
    const times = counts[place]! + (place < OVERSIGNED.length ? 1 : 0)
    for (let i = 0; i < times; i++) names.push(NAMES[place]!)
    if (found[place] !== undefined) text += found[place]
  }
  return { names, text }
}
