// What a server keeps of a password for SCRAM-SHA-256 (RFC 5802 §3, RFC 7677): enough to check a
// client's proof and to prove ourselves, too little to log in with. As one line of text in the form
// of RFC 5803 §2: `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`.

import { createHash, createHmac, pbkdf2 } from 'node:crypto'

export type ScramSecret = {
  readonly iterations: number
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

const KEY_BYTES = 32
/** Clients spend this time, so a stored number is no larger than what they would bear. */
const MOST_ITERATIONS = 10_000_000
const FORM =
  /^SCRAM-SHA-256\$(\d{1,8}):([A-Za-z0-9+/]{1,340}={0,2})\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/
/** What Dovecot writes behind `{SCRAM-SHA-256}`, and `gsasl --mkpasswd`. */
const COMMAS =
  /^(\d{1,8}),([A-Za-z0-9+/]{1,340}={0,2}),([A-Za-z0-9+/]{43}=),([A-Za-z0-9+/]{43}=)(?:,[0-9a-f]*)?$/

/** Reads either form; undefined for anything else. */
export function parseScram(text: string): ScramSecret | undefined {
  const [, count, salt = '', stored = '', server = ''] = FORM.exec(text) ?? COMMAS.exec(text) ?? []
  const iterations = Number(count)
  if (!(iterations >= 1 && iterations <= MOST_ITERATIONS)) return undefined
  const [saltBytes, storedKey, serverKey] = [salt, stored, server].map((part) =>
    Buffer.from(part, 'base64'),
  ) as [Buffer, Buffer, Buffer]
  if (saltBytes.length === 0) return undefined
  return { iterations, salt: saltBytes, storedKey, serverKey }
}

/** The inverse of parseScram. */
export function formatScram({ iterations, salt, storedKey, serverKey }: ScramSecret): string {
  const [saltText, stored, server] = [salt, storedKey, serverKey].map((key) =>
    key.toString('base64'),
  )
  return `SCRAM-SHA-256$${iterations}:${saltText}$${stored}:${server}`
}

/** @param password prepared (RFC 5802 §5.1) */
export async function deriveScram(
  password: string,
  { iterations, salt }: { readonly iterations: number; readonly salt: Buffer },
): Promise<ScramSecret> {
  const salted = await new Promise<Buffer>((resolve, reject) => {
    pbkdf2(password, salt, iterations, KEY_BYTES, 'sha256', (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest()
  return { iterations, salt, storedKey, serverKey: hmac(salted, 'Server Key') }
}

/** Both proofs of an exchange are made of this. */
export function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
