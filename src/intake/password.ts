// Passwords and what is kept of them. Ours are random keys of 256 bits, which SHA-256 keeps well
// enough, and passwords that people choose, which take argon2id (RFC 9106). Older and imported ones
// keep their form until their first login. checkPassword() reads all of them; a form that it cannot
// read fits nothing.

import { createHash, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { hash as argon2, parseOptions, verify as verifyArgon2 } from '@node-rs/argon2'
import { prepare } from '../mail/saslprep.ts'
import { deriveScram, formatScram, hmac, parseScram } from '../mail/scram.ts'
import { checkShaCrypt, isShaCrypt } from './crypt.ts'

/** RFC 9106 asks for more where there is time; OWASP's second choice: 19 MiB, two passes, some 20 ms. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** A stored hash may ask for this much memory at most, and so many passes. */
const MOST_MEMORY = 256 * 2 ** 20
const MOST_PASSES = 20
/** RFC 7677 §4 asks for 4096 at least; clients bear this in some 20 ms. */
const SCRAM_ITERATIONS = 32_768
const SCRAM_SALT_BYTES = 16

/** Hashes a password that somebody chose, as a PHC string. */
export function hashPassword(password: string): Promise<string> {
  return argon2(prepare(password) ?? password, ARGON2)
}

/** Hashes a key that makeKey() made: there is nothing to guess, so it may be quick. */
export function hashKey(key: string): string {
  return `sha256$${createHash('sha256').update(key).digest('base64')}`
}

/** What SCRAM-SHA-256 needs of a password, as text. */
export async function scramOf(password: string): Promise<string> {
  const salt = randomBytes(SCRAM_SALT_BYTES)
  const iterations = SCRAM_ITERATIONS
  return formatScram(await deriveScram(prepare(password) ?? password, { iterations, salt }))
}

/** Is checking it a matter of microseconds? */
export function isQuick(stored: string): boolean {
  return stored.startsWith('sha256$') || /^\{(S?SHA|PLAIN)/.test(stored)
}

/** Has it the form that we would give it today? */
export function isOwnForm(stored: string): boolean {
  return stored.startsWith('sha256$') || stored.startsWith('$argon2id$')
}

/** Can it be read at all, and in a bearable time? */
export function isReadable(stored: string): boolean {
  if (stored.startsWith('$argon2')) return argon2Cost(stored)
  return isShaCrypt(stored) || digestOf(stored) !== undefined || /^\{PLAIN\}./s.test(stored)
}

/** Does the password fit? The time does not tell how nearly. */
export async function checkPassword(stored: string, password: string): Promise<boolean> {
  if (stored.startsWith('sha256$'))
    return same(Buffer.from(hashKey(prepare(password) ?? password)), Buffer.from(stored))
  if (stored.startsWith('$argon2')) {
    return argon2Cost(stored) && verifyArgon2(stored, prepare(password) ?? password)
  }
  if (stored.startsWith('scrypt$')) return checkScrypt(stored, password)
  if (stored.startsWith('SCRAM')) return checkScram(stored, password)
  if (stored.startsWith('$')) return checkShaCrypt(stored, password)
  return checkDigest(stored, password)
}

function argon2Cost(stored: string): boolean {
  try {
    const { memoryCost, timeCost, parallelism } = parseOptions(stored)
    return memoryCost * 1024 <= MOST_MEMORY && timeCost <= MOST_PASSES && parallelism <= 16
  } catch {
    return false
  }
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** `{SHA256}`, `{SSHA512}` and the like: base64 of digest and salt, or hexadecimal. RFC 2307 §5.3 */
function digestOf(stored: string) {
  const [, salted, bits, text = ''] = /^\{(S?)SHA(256|512)\}([A-Za-z0-9+/=]+)$/.exec(stored) ?? []
  if (bits === undefined) return undefined
  const length = Number(bits) / 8
  const isHex = /^[0-9a-f]+$/i.test(text) && text.length >= 2 * length
  const octets = Buffer.from(text, isHex ? 'hex' : 'base64')
  if (salted ? octets.length <= length : octets.length !== length) return undefined
  return {
    algorithm: `sha${bits}`,
    digest: octets.subarray(0, length),
    salt: octets.subarray(length),
  }
}

function checkDigest(stored: string, password: string): boolean {
  const plain = /^\{PLAIN\}(.*)$/s.exec(stored)?.[1]
  if (plain !== undefined) {
    const key = randomBytes(32)
    return same(hmac(key, plain), hmac(key, password))
  }
  const kept = digestOf(stored)
  if (!kept) return false
  const { algorithm, digest, salt } = kept
  return same(createHash(algorithm).update(password).update(salt).digest(), digest)
}

/** SCRAM's own secret also answers PLAIN: the password leads to the same key. */
async function checkScram(stored: string, password: string): Promise<boolean> {
  const kept = parseScram(stored)
  if (!kept) return false
  const found = await deriveScram(prepare(password) ?? password, kept)
  return same(found.storedKey, kept.storedKey)
}

/** `scrypt$N$r$p$salt$hash` (RFC 7914), salt and hash in base64, as earlier versions made them. */
async function checkScrypt(stored: string, password: string): Promise<boolean> {
  const [, N, r, p, salt, hash] = stored.split('$')
  if (!N || !r || !p || !salt || !hash) return false
  const cost = { N: Number(N), r: Number(r), p: Number(p), maxmem: 2 * MOST_MEMORY }
  if (!(128 * cost.N * cost.r * cost.p <= MOST_MEMORY)) return false
  const wanted = Buffer.from(hash, 'base64')
  if (wanted.length === 0) return false
  return same(
    await derive(password, Buffer.from(salt, 'base64'), { cost, length: wanted.length }),
    wanted,
  )
}

function derive(
  password: string,
  salt: Buffer,
  { cost, length }: { readonly cost: ScryptOptions; readonly length: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, cost, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

/** Lower case without i, l, o and u: nothing to mistake when read aloud. */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'
/** Where it turns up in a log or a repository it is known for what it is. */
const KEY_PREFIX = 'phk_'
const KEY_LETTERS = 52

/** A random key of 260 bits: `phk_` and 52 letters and digits. */
export function makeKey(): string {
  const letters = Array.from(randomBytes(KEY_LETTERS), (octet) => LETTERS[octet & 31])
  return KEY_PREFIX + letters.join('')
}
