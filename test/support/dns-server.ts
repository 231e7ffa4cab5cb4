// A DNS server on loopback that a test scripts packet by packet, faults included.

import { createSocket, type Socket } from 'node:dgram'
import { createServer, type Server } from 'node:net'
import { type Answer, type DecodedPacket, decode, encode } from 'dns-packet'

export type DnsQuery = {
  readonly name: string
  readonly type: string
  readonly via: 'udp' | 'tcp'
  /** The port that the question came from. */
  readonly peerPort: number
  readonly packet: DecodedPacket
}

/** Octets are sent as they are, each as one datagram; a record adds to an ordinary response. */
export type DnsReply =
  | readonly Buffer[]
  | {
      readonly rcode?: number
      readonly flags?: number
      readonly id?: number
      readonly question?: string
      readonly answers?: Answer[]
      readonly authorities?: Answer[]
      readonly additionals?: Answer[]
    }
  | 'silence'

export type ScriptedDns = AsyncDisposable & {
  readonly server: { readonly address: string; readonly port: number }
  /** Every question as `udp name TYPE`, the name in lower case. */
  readonly asked: string[]
}

const RESPONSE = 0x8180

/** Listens on a free port of `address` (or on the one given), over UDP and TCP. */
export async function scriptedDns(
  respond: (query: DnsQuery) => DnsReply,
  options?: { address: string; port?: number },
): Promise<ScriptedDns> {
  const address = options?.address ?? '127.0.0.1'
  const asked: string[] = []
  const answer = (octets: Buffer, via: 'udp' | 'tcp', peerPort: number): readonly Buffer[] => {
    const packet = decode(octets)
    const { name, type } = packet.questions![0]!
    asked.push(`${via} ${name.toLowerCase()} ${type}`)
    const reply = respond({ name: name.toLowerCase(), type, via, peerPort, packet })
    if (reply === 'silence') return []
    return 'length' in reply ? reply : [response(packet, reply)]
  }
  const udp = createSocket('udp4')
  const tcp = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (octets) => {
      for (const reply of answer(octets.subarray(2), 'tcp', socket.remotePort ?? 0)) {
        const length = Buffer.alloc(2)
        length.writeUInt16BE(reply.length)
        socket.write(Buffer.concat([length, reply]))
      }
    })
  })
  udp.on('message', (octets, peer) => {
    for (const reply of answer(octets, 'udp', peer.port)) udp.send(reply, peer.port, peer.address)
  })
  const port = await bindBoth(tcp, udp, { address, port: options?.port ?? 0 })
  return {
    server: { address, port },
    asked,
    async [Symbol.asyncDispose]() {
      udp.close()
      await new Promise((resolve) => tcp.close(resolve))
    },
  }
}

/** A port that TCP has free may be taken for UDP, by any question under way: then the next one. */
async function bindBoth(
  tcp: Server,
  udp: Socket,
  { address, port }: { address: string; port: number },
): Promise<number> {
  for (let tries = 0; ; tries++) {
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject)
      tcp.listen(port, address, () => {
        tcp.off('error', reject)
        resolve()
      })
    })
    const free = (tcp.address() as { port: number }).port
    try {
      await new Promise<void>((resolve, reject) => {
        udp.once('error', reject)
        udp.bind(free, address, () => {
          udp.off('error', reject)
          resolve()
        })
      })
      return free
    } catch (error) {
      await new Promise((resolve) => tcp.close(resolve))
      if (port !== 0 || tries === 20) {
        udp.close()
        throw error
      }
    }
  }
}

export function response(
  query: DecodedPacket,
  reply: Exclude<DnsReply, 'silence' | readonly Buffer[]>,
): Buffer {
  const question = query.questions![0]!
  const octets = encode({
    type: 'response',
    id: reply.id ?? query.id ?? 0,
    questions: [{ ...question, name: reply.question ?? question.name }],
    answers: reply.answers ?? [],
    authorities: reply.authorities ?? [],
    additionals: reply.additionals ?? [],
  })
  octets.writeUInt16BE(RESPONSE | (reply.flags ?? 0) | (reply.rcode ?? 0), 2)
  return octets
}
