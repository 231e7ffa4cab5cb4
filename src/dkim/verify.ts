import { createHash, type KeyObject, verify } from 'node:crypto'
import type { HeaderField } from '../mail/header.ts'
import { canonicalField } from './canonical.ts'
import { parseSignature } from './signature.ts'

/** How a check of one signature ended. */
export type Verdict =
  | { readonly kind: 'pass'; readonly domain: string; readonly selector: string }
  | { readonly kind: 'fail'; readonly why: string }

/**
 * Checks one signature of a message whose body has been hashed already (RFC 6376 §6.1.3). For what
 * we signed ourselves: the public key is given, not looked up, and of old algorithms none is known.
 * @param fields the message's header fields, top to bottom, with the signature among them
 */
export function verifySignature(
  fields: readonly HeaderField[],
  signatureField: HeaderField,
  options: { readonly bodyHash: string; readonly publicKey: KeyObject },
): Verdict {
  const colon = signatureField.raw.indexOf(':')
  const signature = parseSignature(signatureField.raw.slice(colon + 1))
  if (!signature) return { kind: 'fail', why: 'the field is not a signature that we know' }
  const rsa = signature.algorithm === 'rsa-sha256'
  if (options.publicKey.asymmetricKeyType !== (rsa ? 'rsa' : 'ed25519')) {
    return { kind: 'fail', why: 'the key is of another kind' }
  }
  if (signature.bodyHash !== options.bodyHash) return { kind: 'fail', why: 'the body differs' }
  const unsigned = signatureField.raw.replace(/([:;][ \t\r\n]*b[ \t\r\n]*=)[^;]*/, '$1')
  const input = Buffer.from(
    signedFields(fields, signature.fieldNames)
      .map((field) => `${canonicalField(field.raw, signature.header)}\r\n`)
      .join('') + canonicalField(unsigned, signature.header),
    'latin1',
  )
  const data = rsa ? input : createHash('sha256').update(input).digest()
  const octets = Buffer.from(signature.signature, 'base64')
  return verify(rsa ? 'sha256' : null, data, options.publicKey, octets)
    ? { kind: 'pass', domain: signature.domain, selector: signature.selector }
    : { kind: 'fail', why: 'the signature does not fit the header' }
}

/** Each name takes the lowest field that has not been taken (RFC 6376 §5.4.2). */
function signedFields(fields: readonly HeaderField[], names: readonly string[]): HeaderField[] {
  const left = fields.toReversed()
  const taken: HeaderField[] = []
  for (const name of names) {
    const at = left.findIndex((field) => field.lowerName === name.toLowerCase())
    if (at >= 0) taken.push(...left.splice(at, 1))
  }
  return taken
}
