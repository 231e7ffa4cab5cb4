// A small authoritative DNS server on loopback (RFC 1035 §4.2), over UDP and TCP: the sandbox's
// resolvers ask it with the same code that asks the real world. A function answers; this file only
// speaks. It takes questions from this machine alone, and still believes nothing that it reads.

import { createSocket, type Socket as Datagrams } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import { AUTHORITATIVE_ANSWER, type Answer as DnsRecord, decode, encode } from 'dns-packet'
import type { MxRecord } from '../dns/resolver.ts'
import type { Clock } from '../std/clock.ts'

/** A record as the world writes it. */
export type WorldRecord =
  | { readonly type: 'A' | 'AAAA' | 'TXT' | 'PTR'; readonly value: string }
  | { readonly type: 'MX'; readonly value: MxRecord }

export type WorldAnswer =
  | { readonly kind: 'records'; readonly records: readonly WorldRecord[] }
  | { readonly kind: 'none' | 'no-such-name' | 'server-failure' }

/** @param name lower case, without the final dot */
export type World = (name: string, type: string) => WorldAnswer

export type DnsServerHandle = AsyncDisposable & {
  readonly address: string
  readonly port: number
}

/** Short, so that a domain that is added a moment later is seen. */
const TTL_SECONDS = 2
const SMALL_PAYLOAD_BYTES = 512
const LONGEST_STRING = 255
const MOST_CONNECTIONS = 100
const LONGEST_STREAM_MS = 10_000
const PORT_TRIES = 20

/** Serves on a free port, the same one for UDP and TCP. Rejects when it cannot listen. */
export async function serveDns(
  world: World,
  { address, clock }: { readonly address: string; readonly clock: Clock },
): Promise<DnsServerHandle> {
  for (let attempt = 1; ; attempt++) {
    const streams = new Set<Socket>()
    const tcp = createServer((socket) => {
      streams.add(socket)
      socket.on('close', () => streams.delete(socket))
      serveStream(world, { socket, clock })
    })
    tcp.maxConnections = MOST_CONNECTIONS
    const port = await listenTcp(tcp, address)
    const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    try {
      await bindUdp(udp, { address, port })
    } catch (error) {
      tcp.close()
      if (attempt < PORT_TRIES) continue // somebody else has the port for UDP
      throw new Error(`cannot serve DNS on ${address}`, { cause: error })
    }
    udp.on('error', () => {})
    udp.on('message', (octets, peer) => {
      const response = respond(world, octets, 'udp')
      if (response) udp.send(response, peer.port, peer.address, () => {})
    })
    return { address, port, [Symbol.asyncDispose]: () => close(tcp, { udp, streams }) }
  }
}

function listenTcp(tcp: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    tcp.once('error', reject)
    tcp.listen(0, address, () => {
      const bound = tcp.address()
      resolve(typeof bound === 'object' && bound ? bound.port : 0)
    })
  })
}

function bindUdp(udp: Datagrams, at: { address: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    udp.once('error', reject)
    udp.bind(at.port, at.address, () => {
      udp.off('error', reject)
      resolve()
    })
  })
}

async function close(
  tcp: Server,
  { udp, streams }: { udp: Datagrams; streams: ReadonlySet<Socket> },
): Promise<void> {
  await new Promise<void>((resolve) => udp.close(resolve))
  const closed = new Promise((resolve) => tcp.close(resolve))
  for (const socket of streams) socket.destroy()
  await closed
}

/** Questions in a row, each with its length before it (RFC 7766 §8). */
function serveStream(world: World, { socket, clock }: { socket: Socket; clock: Clock }): void {
  let received = Buffer.alloc(0)
  const timer = clock.after(LONGEST_STREAM_MS, () => socket.destroy())
  socket.on('close', () => timer.cancel())
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const response = respond(world, received.subarray(2, end), 'tcp')
      received = received.subarray(end)
      if (!response) return void socket.destroy()
      const length = Buffer.alloc(2)
      length.writeUInt16BE(response.length)
      socket.write(Buffer.concat([length, response]))
    }
  })
}

function respond(world: World, octets: Buffer, via: 'udp' | 'tcp'): Buffer | undefined {
  let query: ReturnType<typeof decode>
  try {
    query = decode(octets)
  } catch {
    return undefined
  }
  const question = query.questions?.[0]
  if (query.flag_qr || query.questions?.length !== 1 || !question) return undefined
  const { name, type } = question
  const answer = world(name.toLowerCase(), type)
  const records = answer.kind === 'records' ? answer.records.map((r) => encodable(name, r)) : []
  const rcode = { 'no-such-name': 3, 'server-failure': 2, none: 0, records: 0 }[answer.kind]
  const negative = answer.kind === 'none' || answer.kind === 'no-such-name'
  const opt = query.additionals?.find((record) => record.type === 'OPT')
  const room = opt?.type === 'OPT' ? opt.udpPayloadSize : SMALL_PAYLOAD_BYTES
  const packet = (answers: DnsRecord[], truncated: boolean) => {
    const response = encode({
      type: 'response',
      id: query.id ?? 0,
      flags: AUTHORITATIVE_ANSWER | ((query.flags ?? 0) & RECURSION_DESIRED),
      questions: [question],
      answers,
      authorities: negative ? [startOfAuthority(name)] : [],
    })
    response[2]! |= truncated ? 0x02 : 0
    response[3]! |= 0x80 | rcode // recursion is available: every name ends here
    return response
  }
  const whole = packet(records, false)
  return via === 'tcp' || whole.length <= Math.max(room, SMALL_PAYLOAD_BYTES)
    ? whole
    : packet([], true)
}

const RECURSION_DESIRED = 1 << 8

function encodable(name: string, record: WorldRecord): DnsRecord {
  const ttl = TTL_SECONDS
  switch (record.type) {
    case 'MX':
      return { type: 'MX', name, ttl, data: { ...record.value } }
    case 'TXT':
      return { type: 'TXT', name, ttl, data: characterStrings(record.value) }
    case 'A':
    case 'AAAA':
    case 'PTR':
      return { type: record.type, name, ttl, data: record.value }
  }
}

function characterStrings(text: string): Buffer[] {
  const octets = Buffer.from(text)
  const strings = [octets.subarray(0, LONGEST_STRING)]
  for (let at = LONGEST_STRING; at < octets.length; at += LONGEST_STRING)
    strings.push(octets.subarray(at, at + LONGEST_STRING))
  return strings
}

/** Lets resolvers believe a "no" for as long as a "yes" (RFC 2308 §5). */
function startOfAuthority(name: string): DnsRecord {
  const data = {
    mname: 'dns.posthorn.test',
    rname: 'postmaster.posthorn.test',
    serial: 1,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: TTL_SECONDS,
  }
  return { type: 'SOA', name, ttl: TTL_SECONDS, data }
}
