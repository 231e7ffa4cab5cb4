// The PROXY protocol, version 1 and 2, as HAProxy specifies it: what a load balancer says before the
// client's first octet of who that client is. Only listeners that name their proxies read it, and
// only from those; to everybody else it is no command. What can go wrong: a header that is cut,
// broken, too long or never comes, and then nothing of the connection is believed.

import { isIPv4, isIPv6, type Socket } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Clock } from '../std/clock.ts'

/** Who the client is: an address, the proxy itself (a health check), or nobody can say. */
export type ProxiedClient =
  | { readonly kind: 'client'; readonly address: string; readonly port: number }
  | { readonly kind: 'proxy' | 'unknown' }

/** A whole header; `octets` is its length. */
export type ProxyHeader = { readonly client: ProxiedClient; readonly octets: number }

/** Why this is no header; the connection is of no use. */
export type ProxyFault = { readonly fault: string }

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const PREFIX = Buffer.from('PROXY ', 'latin1')
/** With CRLF (§2.1). */
const LONGEST_LINE = 107
const FIXED_OCTETS = 16
/** Of version 2 behind its fixed part; 65,535 would be possible, some hundred are usual. */
const LONGEST_REST = 4_096

const UNKNOWN: ProxiedClient = { kind: 'unknown' }

/** Reads a header at the start of what came; undefined while it is not all here. */
export function parseProxyHeader(head: Buffer): ProxyHeader | ProxyFault | undefined {
  if (startsLike(head, PREFIX)) return parseLine(head)
  if (startsLike(head, SIGNATURE)) return parseBinary(head)
  return { fault: 'it begins with neither form of a PROXY header' }
}

function startsLike(head: Buffer, start: Buffer): boolean {
  const length = Math.min(head.length, start.length)
  return head.subarray(0, length).equals(start.subarray(0, length))
}

// Version 1: a line

function parseLine(head: Buffer): ProxyHeader | ProxyFault | undefined {
  const end = head.subarray(0, LONGEST_LINE).indexOf('\r\n')
  if (end < 0) {
    return head.length < LONGEST_LINE ? undefined : { fault: 'the PROXY line does not end' }
  }
  const client = clientOf(head.toString('latin1', PREFIX.length, end).split(' '))
  return client ? { client, octets: end + 2 } : { fault: 'the PROXY line cannot be read' }
}

function clientOf([family, source = '', , ...ports]: readonly string[]): ProxiedClient | undefined {
  if (family === 'UNKNOWN') return UNKNOWN
  const is = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined
  const port = portOf(ports[0])
  if (!is?.(source) || source.includes('%') || ports.length !== 2) return undefined
  if (port === undefined || portOf(ports[1]) === undefined) return undefined
  return { kind: 'client', address: plain(ipaddr.parse(source)), port }
}

function portOf(text = ''): number | undefined {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : 65_536
  return port < 65_536 ? port : undefined
}

// Version 2: octets

function parseBinary(head: Buffer): ProxyHeader | ProxyFault | undefined {
  if (head.length < FIXED_OCTETS) return undefined
  const command = head[12]!
  const rest = head.readUInt16BE(14)
  if (command >> 4 !== 2) return { fault: `version ${command >> 4} of the PROXY protocol` }
  if ((command & 15) > 1) return { fault: `unknown command ${command & 15} in a PROXY header` }
  if (rest > LONGEST_REST) return { fault: `a PROXY header of ${FIXED_OCTETS + rest} octets` }
  const octets = FIXED_OCTETS + rest
  if (head.length < octets) return undefined
  // LOCAL: whatever stands behind it is to be skipped (§2.2).
  if ((command & 15) === 0) return { client: { kind: 'proxy' }, octets }
  const client = sourceOf(head[13]!, head.subarray(FIXED_OCTETS, octets))
  return 'fault' in client ? client : { client, octets }
}

/** Octets of both addresses and ports by address family. */
const ADDRESSES: readonly number[] = [0, 12, 36, 216]

function sourceOf(how: number, body: Buffer): ProxiedClient | ProxyFault {
  const [family, transport] = [how >> 4, how & 15]
  const size = ADDRESSES[family]
  if (size === undefined || transport > 2) return { fault: 'an unknown family in a PROXY header' }
  if (body.length < size || !areExtras(body.subarray(size))) {
    return { fault: 'the addresses of the PROXY header are cut' }
  }
  const isAddress = (family === 1 || family === 2) && transport === 1
  if (!isAddress) return UNKNOWN
  const width = family === 1 ? 4 : 16
  const address = plain(ipaddr.fromByteArray([...body.subarray(0, width)]))
  return { kind: 'client', address, port: body.readUInt16BE(2 * width) }
}

/** Types, lengths and values behind the addresses: whole, and of no interest (§2.2.7). */
function areExtras(extras: Buffer): boolean {
  let at = 0
  while (at + 3 <= extras.length) at += 3 + extras.readUInt16BE(at + 1)
  return at === extras.length
}

/** IPv4 in IPv6 clothes is IPv4. */
function plain(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  const mapped = address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()
  return (mapped ? (address as ipaddr.IPv6).toIPv4Address() : address).toString()
}

/**
 * Reads the header from a new connection; what follows it stays in the socket, which is paused.
 * Never rejects: whatever goes wrong is a fault; undefined is a peer that only looked whether the
 * port is open.
 */
export function readProxyHeader(
  socket: Socket,
  options: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<ProxiedClient | ProxyFault | undefined> {
  return new Promise((resolve) => {
    let head: Buffer = Buffer.alloc(0)
    const timer = options.clock.after(options.timeoutMs, () =>
      settle({ fault: 'no PROXY header came in time' }),
    )
    const settle = (found?: ProxiedClient | ProxyFault) => {
      timer.cancel()
      socket.off('readable', onReadable)
      socket.off('end', onEnd)
      socket.off('close', onEnd)
      socket.off('error', onEnd)
      resolve(found)
    }
    const onEnd = () =>
      head.length === 0 ? settle() : settle({ fault: 'closed within its PROXY header' })
    const onReadable = () => {
      for (let some = socket.read() as Buffer | null; some; some = socket.read()) {
        head = head.length === 0 ? some : Buffer.concat([head, some])
      }
      const header = parseProxyHeader(head)
      if (!header) return
      if ('fault' in header) return settle(header)
      socket.off('readable', onReadable)
      socket.pause()
      if (head.length > header.octets) socket.unshift(head.subarray(header.octets))
      settle(header.client)
    }
    // Stays for good: an error may come before the next listener does.
    socket.on('error', () => {})
    socket.on('error', onEnd)
    socket.on('close', onEnd)
    socket.on('end', onEnd)
    socket.on('readable', onReadable)
  })
}
