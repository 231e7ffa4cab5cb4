import { BodyHasher, hashingScratch } from '../../src/dkim/canonical.ts'
import { type SigningKey, signHeader } from '../../src/dkim/sign.ts'
import { bodyStart, splitHeader } from '../../src/mail/header.ts'

/** The message with our signature on top, made in one go. */
export async function signText(text: string, domain: string, key: SigningKey): Promise<string> {
  const octets = Buffer.from(text)
  const start = bodyStart(octets)
  const fields = splitHeader(octets.toString('latin1', 0, start))
  if (!Array.isArray(fields)) throw new TypeError(fields.fault)
  const hasher = new BodyHasher('relaxed', hashingScratch())
  hasher.update(octets.subarray(start))
  const bodyHash = hasher.digest()
  const now = Date.UTC(2026, 0, 5)
  return (await signHeader({ fields, bodyHash, domain, keys: [key], now })) + text
}
