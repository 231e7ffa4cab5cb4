// SHA-crypt, as /etc/shadow and password files of mail servers have it: `$6$salt$hash` (SHA-512) and
// `$5$salt$hash` (SHA-256). By the specification at https://www.akkadia.org/drepper/SHA-crypt.txt

import { createHash, timingSafeEqual } from 'node:crypto'
import { setImmediate as breathe } from 'node:timers/promises'

const FORM =
  /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/
const ROUNDS = 5_000
/** A hash that asks for more would hold a login up for seconds. */
const MOST_ROUNDS = 1_000_000
/** As in crypt(3). The work grows with the square of the length, and a client chooses it. */
const LONGEST_PASSWORD = 512
/** Other work goes on between so many rounds, about a millisecond. */
const AT_ONCE = 500
const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

type Hash = {
  readonly algorithm: 'sha256' | 'sha512'
  readonly rounds: number
  readonly salt: Buffer
  readonly digest: string
}

/** Can it be read, and in a bearable time? */
export function isShaCrypt(stored: string): boolean {
  return parse(stored) !== undefined
}

export async function checkShaCrypt(stored: string, password: string): Promise<boolean> {
  const hash = parse(stored)
  if (!hash || Buffer.byteLength(password) > LONGEST_PASSWORD) return false
  const found = Buffer.from(await shaCrypt(Buffer.from(password), hash))
  return timingSafeEqual(found, Buffer.from(hash.digest))
}

function parse(stored: string): Hash | undefined {
  const [, kind, roundsText, salt = '', digest = ''] = FORM.exec(stored) ?? []
  if (kind === undefined) return undefined
  const algorithm = kind === '6' ? 'sha512' : 'sha256'
  if (digest.length !== (algorithm === 'sha512' ? 86 : 43)) return undefined
  const rounds = Math.max(Number(roundsText ?? ROUNDS), 1_000)
  if (rounds > MOST_ROUNDS) return undefined
  return { algorithm, rounds, salt: Buffer.from(salt), digest }
}

async function shaCrypt(password: Buffer, { algorithm, rounds, salt }: Hash): Promise<string> {
  const sha = (...parts: readonly Buffer[]) => {
    const hash = createHash(algorithm)
    for (const part of parts) hash.update(part)
    return hash.digest()
  }
  const b = sha(password, salt, password)
  const parts = [password, salt, stretched(b, password.length)]
  for (let rest = password.length; rest > 0; rest >>= 1) parts.push(rest & 1 ? b : password)
  let digest = sha(...parts)
  const dp = sha(...Array.from({ length: password.length }, () => password))
  const p = stretched(dp, password.length)
  const ds = sha(...Array.from({ length: 16 + digest[0]! }, () => salt))
  const s = stretched(ds, salt.length)
  for (let round = 0; round < rounds; round++) {
    if (round % AT_ONCE === AT_ONCE - 1) await breathe()
    const odd = round % 2 === 1
    const middle = [...(round % 3 ? [s] : []), ...(round % 7 ? [p] : [])]
    digest = sha(odd ? p : digest, ...middle, odd ? digest : p)
  }
  return algorithm === 'sha512' ? text512(digest) : text256(digest)
}

/** Repeated and cut to a length. */
function stretched(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes)
}

/** The specification's order of octets: three indices that wander by a third and one. */
function text512(digest: Buffer): string {
  let text = ''
  let [a, b, c] = [0, 21, 42]
  for (let i = 0; i < 21; i++) {
    text += base64(digest[a]!, digest[b]!, digest[c]!, 4)
    ;[a, b, c] = [b + 1, c + 1, a + 1]
  }
  return text + base64(0, 0, digest[63]!, 2)
}

function text256(digest: Buffer): string {
  let text = ''
  let [a, b, c] = [0, 10, 20]
  for (let i = 0; i < 10; i++) {
    text += base64(digest[a]!, digest[b]!, digest[c]!, 4)
    ;[a, b, c] = [c + 1, a + 1, b + 1]
  }
  return text + base64(0, digest[31]!, digest[30]!, 3)
}

function base64(high: number, middle: number, low: number, count: number): string {
  let value = (high << 16) | (middle << 8) | low
  let text = ''
  for (let i = 0; i < count; i++) {
    text += DIGITS[value & 63]
    value >>= 6
  }
  return text
}
