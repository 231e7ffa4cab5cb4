// A filter of our own over a real socket, that answers as a test wants: also wrongly, late or never.

import { type AddressInfo, createServer, type Socket } from 'node:net'
import { formatPacket, type Packet, PacketReader } from '../../src/milter/packet.ts'

/** What is done at a packet: packets to send, raw octets, silence, or the end of the connection. */
export type Act = Uint8Array | readonly Uint8Array[] | 'silence' | 'die'

export type MilterScript = {
  readonly version?: number
  readonly changes?: number
  readonly steps?: number
  /** By the packet's letter; what is not here is answered with "continue". `n` counts packets of the letter. */
  readonly on?: Readonly<Record<string, (packet: Packet, n: number) => Act>>
}

export type TestMilter = AsyncDisposable & {
  readonly port: number
  /** Letters and texts of all packets, a list per connection. */
  readonly seen: { letter: string; text: string }[][]
  /** Connections that were made. */
  readonly connections: number
  script: MilterScript
}

export const say = {
  go: () => formatPacket('c'),
  accept: () => formatPacket('a'),
  reject: () => formatPacket('r'),
  tempfail: () => formatPacket('t'),
  discard: () => formatPacket('d'),
  skip: () => formatPacket('s'),
  progress: () => formatPacket('p'),
  reply: (text: string) => formatPacket('y', text),
  addHeader: (name: string, value: string) => formatPacket('h', name, value),
  insertHeader: (index: number, name: string, value: string) =>
    formatPacket('i', number(index), name, value),
  changeHeader: (index: number, name: string, value: string) =>
    formatPacket('m', number(index), name, value),
  body: (text: string) => formatPacket('b', Buffer.from(text, 'latin1')),
  addRecipient: (address: string) => formatPacket('+', `<${address}>`),
  deleteRecipient: (address: string) => formatPacket('-', `<${address}>`),
  from: (address: string) => formatPacket('e', `<${address}>`),
  quarantine: (reason: string) => formatPacket('q', reason),
}

function number(value: number): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value)
  return octets
}

const UNANSWERED = new Set(['D', 'Q', 'K', 'A'])

export async function startMilter(script: MilterScript = {}): Promise<TestMilter> {
  const sockets = new Set<Socket>()
  const seen: TestMilter['seen'] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    const packets: TestMilter['seen'][number] = []
    seen.push(packets)
    const reader = new PacketReader()
    socket.on('data', (chunk) => {
      reader.push(chunk)
      for (let packet = reader.next(); packet; packet = reader.next()) {
        packets.push({ letter: packet.letter, text: packet.data.toString('latin1') })
        const n = packets.filter(({ letter }) => letter === packet!.letter).length
        act(socket, answerTo(packet, n, milter.script))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const milter: TestMilter = {
    port: (server.address() as AddressInfo).port,
    seen,
    get connections() {
      return seen.length
    },
    script,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return milter
}

function answerTo(packet: Packet, n: number, script: MilterScript): Act {
  const own = script.on?.[packet.letter]
  if (own) return own(packet, n)
  if (packet.letter === 'O') {
    const { version = 6, changes = 0xff, steps = 0 } = script
    return formatPacket('O', number(version), number(changes), number(steps))
  }
  return UNANSWERED.has(packet.letter) ? 'silence' : say.go()
}

function act(socket: Socket, what: Act): void {
  if (what === 'silence') return
  if (what === 'die') socket.destroy()
  else if (what instanceof Uint8Array) socket.write(what)
  else for (const one of what) socket.write(one)
}
