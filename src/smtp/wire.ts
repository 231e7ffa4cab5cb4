import type { Socket } from 'node:net'
import type { SecureContext, TLSSocket } from 'node:tls'

/** The peer went away (`code` from the socket, or 'closed'). */
export class WireClosed extends Error {
  override readonly name = 'WireClosed'
  readonly code: string
  constructor(code: string, options?: ErrorOptions) {
    super(`connection ${code}`, options)
    this.code = code
  }
}
/** Nothing came, or too slowly, before the deadline. */
export class WireTimeout extends Error {
  override readonly name = 'WireTimeout'
}
/** A line is longer than allowed; it has been read to its end and dropped. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong'
}

export type ContentSink = (chunk: Uint8Array) => Promise<void> | undefined
export type { SecureContext, Socket, TLSSocket }
