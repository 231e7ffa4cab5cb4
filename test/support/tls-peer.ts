// What a client sees of a TLS port.

import type { X509Certificate } from 'node:crypto'
import { type ConnectionOptions, connect } from 'node:tls'

/** The certificate that a client gets who asks for a name (SNI); whether it trusts it is not asked. */
export function getPeer(
  port: number,
  servername: string,
  options: ConnectionOptions = {},
): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const all = { host: '127.0.0.1', port, servername, rejectUnauthorized: false, ...options }
    const socket = connect(all, () => {
      const peer = socket.getPeerX509Certificate()
      socket.destroy()
      if (peer) resolve(peer)
      else reject(new Error('no certificate'))
    })
    socket.on('error', reject)
  })
}
