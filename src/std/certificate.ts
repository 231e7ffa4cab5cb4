// A self-signed certificate, for listeners that have none: peers that take any certificate then at
// least speak in cipher. Node makes keys but no certificates, hence a small DER writer (X.690) for
// the one kind that we need: P-256, version 3, subject alternative names (RFC 5280 §4).

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import type { Clock } from './clock.ts'

export type Certificate = { readonly key: string; readonly cert: string }

const DAY_MS = 86_400_000
const COMMON_NAME = '2.5.4.3'
const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const LONGEST_COMMON_NAME = 64

/**
 * Makes a key and a certificate over it, both PEM.
 * @param names host names (A-labels) and addresses, the first of them the subject
 * @param clock its wall time is the beginning, less a day for peers whose clock is behind
 */
export function selfSignedCertificate(
  names: readonly string[],
  clock: Clock,
  options?: { readonly days: number },
): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const from = clock.now() - DAY_MS
  const until = clock.now() + (options?.days ?? 3650) * DAY_MS
  const subject = commonName(names[0] ?? 'localhost')
  const algorithm = sequence(oid(ECDSA_WITH_SHA256))
  const signed = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    algorithm,
    subject,
    sequence(time(from), time(until)),
    subject,
    publicKey.export({ format: 'der', type: 'spki' }),
    tagged(0xa3, sequence(...extensions(names))),
  )
  const signature = sign('sha256', signed, privateKey)
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    cert: pem(sequence(signed, algorithm, bits(signature))),
  }
}

function extensions(names: readonly string[]): Buffer[] {
  const digitalSignature = tagged(0x03, Buffer.from([7, 0x80]))
  return [
    extension(BASIC_CONSTRAINTS, sequence(), 'critical'),
    extension(KEY_USAGE, digitalSignature, 'critical'),
    extension(EXTENDED_KEY_USAGE, sequence(oid(SERVER_AUTH)), 'plain'),
    extension(SUBJECT_ALTERNATIVE_NAME, sequence(...names.map(alternativeName)), 'plain'),
  ]
}

function extension(id: string, value: Buffer, weight: 'critical' | 'plain'): Buffer {
  const critical = weight === 'critical' ? [tagged(0x01, Buffer.from([0xff]))] : []
  return sequence(oid(id), ...critical, tagged(0x04, value))
}

/** dNSName or iPAddress (RFC 5280 §4.2.1.6). */
function alternativeName(name: string): Buffer {
  return isIP(name) === 0 ? tagged(0x82, Buffer.from(name)) : tagged(0x87, addressOctets(name))
}

function addressOctets(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const before = groups(head)
  const after = groups(tail ?? '')
  const zeros = new Array<string>(8 - before.length - after.length).fill('0')
  const words = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16))
  return Buffer.from(words.flatMap((word) => [word >> 8, word & 0xff]))
}

function commonName(name: string): Buffer {
  const text = name.length <= LONGEST_COMMON_NAME ? name : 'posthorn'
  const utf8 = tagged(0x0c, Buffer.from(text))
  return sequence(tagged(0x31, sequence(oid(COMMON_NAME), utf8)))
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '')
  return digits < '2050'
    ? tagged(0x17, Buffer.from(digits.slice(2)))
    : tagged(0x18, Buffer.from(digits))
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const octets = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80)
    octets.push(...groups)
  }
  return tagged(0x06, Buffer.from(octets))
}

/** A positive number, in as few octets as DER wants. */
function integer(octets: Buffer): Buffer {
  let start = 0
  while (start < octets.length - 1 && octets[start] === 0) start++
  const trimmed = octets.subarray(start)
  return tagged(0x02, trimmed[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed)
}

function bits(octets: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), octets]))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
