import type { Socket } from 'node:net'

/** Who is at the other end of a connection: an address, or `unknown` where a proxy cannot say. */
export type PeerAddress = { readonly address: string; readonly port: number }

/** IPv4 in IPv6 clothes is IPv4. */
export function peerAddressOf(socket: Socket): PeerAddress {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '')
  return { address, port: socket.remotePort ?? 0 }
}
