// Transaction signatures (RFC 8945): who may update a zone proves it by a shared secret, and so does
// the server in its answer.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { plainName } from './publisher.ts'
import { skipName, wireName } from './wire.ts'

export const TSIG_ALGORITHMS = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const

export type TsigKey = {
  readonly name: string
  readonly algorithm: (typeof TSIG_ALGORITHMS)[number]
  readonly secret: Buffer
}

/** Seconds that the clocks may differ (RFC 8945 §10). */
const FUDGE_SECONDS = 300
const TSIG = 250
const ANY = 255
const NO_TIME = { error: 0, other: Buffer.alloc(0) }

export type Signed = { readonly message: Buffer; readonly mac: Buffer }

/** Appends a TSIG record to a whole message. */
export function signMessage(message: Buffer, key: TsigKey, now: number): Signed {
  const time = timeOctets(Math.floor(now / 1000))
  const mac = hmac(key, [message, variables(key, { time, ...NO_TIME })])
  const head = Buffer.alloc(4)
  head.writeUInt16BE(mac.length, 2)
  head.writeUInt16BE(FUDGE_SECONDS, 0)
  const tail = Buffer.alloc(6) // original id, error, length of nothing
  message.copy(tail, 0, 0, 2)
  const data = Buffer.concat([wireName(key.algorithm), time, head, mac, tail])
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(TSIG, 0)
  fixed.writeUInt16BE(ANY, 2)
  fixed.writeUInt16BE(data.length, 8)
  const signed = Buffer.concat([message, wireName(key.name), fixed, data])
  signed.writeUInt16BE(message.readUInt16BE(10) + 1, 10)
  return { message: signed, mac }
}

/** The reasons of RFC 8945 §3, by number. */
const ERRORS: Readonly<Record<number, string>> = {
  16: 'BADSIG: the secret is not the server’s',
  17: 'BADKEY: the server does not know this key name or algorithm',
  18: 'BADTIME: the clocks differ by more than five minutes',
  22: 'BADTRUNC: the server wants a longer signature',
}

export type Verification =
  | { readonly kind: 'good'; readonly message: Buffer }
  /** The server says what is wrong with our signature. */
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unsigned' | 'forged' }

/**
 * Checks the TSIG record at the end of a response to a signed request (RFC 8945 §5.3).
 * @returns the message without it
 */
export function verifyMessage(
  response: Buffer,
  request: { readonly key: TsigKey; readonly mac: Buffer; readonly now: number },
): Verification {
  try {
    const found = lastRecord(response)
    return found === undefined ? { kind: 'unsigned' } : verify(response, found, request)
  } catch {
    return { kind: 'forged' } // lengths that point outside
  }
}

type Found = {
  readonly start: number
  readonly ownerName: string
  readonly dataAt: number
}

function verify(
  response: Buffer,
  { start, ownerName, dataAt }: Found,
  { key, mac: requestMac, now }: { key: TsigKey; mac: Buffer; now: number },
): Verification {
  let at = skipName(response, dataAt).next
  const time = response.subarray(at, at + 6)
  const fudge = response.readUInt16BE(at + 6)
  const macLength = response.readUInt16BE(at + 8)
  at += 10
  const mac = response.subarray(at, at + macLength)
  at += macLength
  const originalId = response.readUInt16BE(at)
  const error = response.readUInt16BE(at + 2)
  const otherLength = response.readUInt16BE(at + 4)
  const other = response.subarray(at + 6, at + 6 + otherLength)
  if (macLength === 0 && error !== 0)
    return { kind: 'refused', why: ERRORS[error] ?? `TSIG error ${error}` }
  const bare = Buffer.from(response.subarray(0, start))
  bare.writeUInt16BE(response.readUInt16BE(10) - 1, 10)
  bare.writeUInt16BE(originalId, 0)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(requestMac.length)
  const expected = hmac(key, [
    length,
    requestMac,
    bare,
    variables(key, { time, error, other, fudge }),
  ])
  const fits = ownerName === plainName(key.name) && mac.length === expected.length
  if (!fits || !timingSafeEqual(mac, expected)) return { kind: 'forged' }
  if (error !== 0) return { kind: 'refused', why: ERRORS[error] ?? `TSIG error ${error}` }
  const skew = Math.abs(time.readUIntBE(0, 6) - Math.floor(now / 1000))
  return skew > fudge ? { kind: 'refused', why: ERRORS[18]! } : { kind: 'good', message: bare }
}

/** The TSIG record, which must be the last one (RFC 8945 §5.1). */
function lastRecord(message: Buffer): Found | undefined {
  let at = 12
  for (let i = message.readUInt16BE(4); i > 0; i--) at = skipName(message, at).next + 4
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10)
  for (let i = 1; i <= records; i++) {
    const start = at
    const name = skipName(message, at)
    const dataAt = name.next + 10
    const type = message.readUInt16BE(name.next)
    at = dataAt + message.readUInt16BE(name.next + 8)
    if (i === records && type === TSIG) return { start, ownerName: name.name, dataAt }
  }
  return undefined
}

function variables(
  key: TsigKey,
  about: { time: Buffer; error: number; other: Buffer; fudge?: number },
): Buffer {
  const fixed = Buffer.alloc(6) // class ANY, TTL 0
  fixed.writeUInt16BE(ANY, 0)
  const rest = Buffer.alloc(6)
  rest.writeUInt16BE(about.fudge ?? FUDGE_SECONDS, 0)
  rest.writeUInt16BE(about.error, 2)
  rest.writeUInt16BE(about.other.length, 4)
  return Buffer.concat([
    wireName(key.name),
    fixed,
    wireName(key.algorithm),
    about.time,
    rest,
    about.other,
  ])
}

function timeOctets(seconds: number): Buffer {
  const octets = Buffer.alloc(6)
  octets.writeUIntBE(seconds, 0, 6)
  return octets
}

function hmac(key: TsigKey, parts: readonly Buffer[]): Buffer {
  const digest = createHmac(key.algorithm.slice('hmac-'.length), key.secret)
  for (const part of parts) digest.update(part)
  return digest.digest()
}
