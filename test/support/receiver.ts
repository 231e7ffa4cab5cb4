// nodemailer's smtp-server as somebody's mail server: what it takes, word for word.

import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { testCertificate, testKey } from './certificate.ts'

export type Taken = {
  readonly from: string
  readonly to: readonly string[]
  /** Octets in latin-1. */
  readonly content: string
  readonly user: string | undefined
  readonly secure: boolean
}

export type Receiver = AsyncDisposable & {
  readonly port: number
  readonly taken: readonly Taken[]
}

/** Opens it; port 0 takes a free one. Offers STARTTLS with the test certificate. */
export async function openReceiver(
  options: SMTPServerOptions & { readonly address?: string; readonly port?: number } = {},
): Promise<Receiver> {
  const { address = '127.0.0.1', port = 0, ...own } = options
  const taken: Taken[] = []
  const server = new SMTPServer({
    key: testKey,
    cert: testCertificate,
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 200, // our client keeps its sessions for a while
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        taken.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map((one) => one.address),
          content: Buffer.concat(chunks).toString('latin1'),
          user: session.user as string | undefined,
          secure: session.secure,
        })
        done()
      })
    },
    ...own,
  })
  server.on('error', () => {}) // a failed handshake
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(port, address, resolve)
  })
  const bound = server.server.address()
  return {
    port: typeof bound === 'object' && bound ? bound.port : port,
    taken,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
