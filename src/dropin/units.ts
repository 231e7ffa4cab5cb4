// Values as Postfix and its images write them, in the form of our configuration.

import { isIP } from 'node:net'

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** `5d`, `300`, `4h` (postconf(5), time units) as our duration; undefined for what is none. */
export function postfixTime(value: string, unit: string): string | undefined {
  const [, number, given] = /^(\d{1,9})\s*([smhdw])?$/i.exec(value.trim()) ?? []
  if (number === undefined) return undefined
  const letter = given?.toLowerCase() ?? unit
  return SECONDS[letter] === undefined ? undefined : `${number}${letter}`
}

/** A whole number of octets or of things. */
export function postfixNumber(value: string): number | undefined {
  const trimmed = value.trim()
  return /^\d{1,15}$/.test(trimmed) ? Number(trimmed) : undefined
}

/** `[::1]/128`, `[::ffff:127.0.0.0]/104`, `10.0.0.0/8` as a network of ours; undefined for a name or a table. */
export function postfixNetwork(word: string): string | undefined {
  const [, six, four, bits] = /^(?:\[([^\]]+)\]|([^/[\]]+))(?:\/(\d{1,3}))?$/.exec(word) ?? []
  const address = six ?? four ?? ''
  const version = isIP(address)
  if (version === 0) return undefined
  if (bits !== undefined && Number(bits) > (version === 4 ? 32 : 128)) return undefined
  return bits === undefined ? address : `${address}/${bits}`
}

/**
 * A network without some of its addresses, as the fewest networks that hold the rest (IPv4 only;
 * others come back whole).
 */
export function without(network: string, addresses: readonly string[]): string[] {
  const [base = '', bitsText] = network.split('/')
  const bits = Number(bitsText ?? 32)
  if (isIP(base) !== 4) return [network]
  const inside = addresses.filter((one) => isIP(one) === 4 && sameNetwork(one, base, bits))
  if (inside.length === 0) return [`${dotted(masked(number(base), bits))}/${bits}`]
  if (bits >= 32) return []
  const low = masked(number(base), bits)
  const high = low + 2 ** (31 - bits)
  return [low, high].flatMap((half) => without(`${dotted(half)}/${bits + 1}`, inside))
}

function sameNetwork(a: string, b: string, bits: number): boolean {
  return masked(number(a), bits) === masked(number(b), bits)
}

const number = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

const masked = (value: number, bits: number): number => {
  const size = 2 ** (32 - bits)
  return Math.floor(value / size) * size
}

const dotted = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')

/** `host`, `host:port`, `[host]:port`, `[2001:db8::1]:25`, `smtp:[host]:port`; brackets mean no MX lookup. */
export function nextHop(
  text: string,
): { host: string; port: number; bracketed: boolean } | undefined {
  const [, inside, bare, port] =
    /^(?:smtp:|relay:)?(?:\[([^\]\s]+)\]|([^:[\]\s]+))(?::(\w{1,10}))?$/i.exec(text.trim()) ?? []
  const host = (inside ?? bare)?.replace(/^ipv6:/i, '')
  if (host === undefined || (isIP(host) === 0 && !/^[a-z0-9._-]+$/i.test(host))) return undefined
  const number = portOf(port ?? '25')
  return number === undefined ? undefined : { host, port: number, bracketed: inside !== undefined }
}

const SERVICES: Readonly<Record<string, number>> = {
  smtp: 25,
  submission: 587,
  smtps: 465,
  submissions: 465,
}

/** A port by number or by the name that /etc/services gives it. */
export function portOf(text: string): number | undefined {
  const known = Object.hasOwn(SERVICES, text) ? SERVICES[text] : undefined
  if (known !== undefined) return known
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return number >= 1 && number <= 65_535 ? number : undefined
}
