import type { Socket } from 'node:net'

/** Gathered octets above which they should go to the socket at once. */
const SEND_AT = 65_536
/** ASCII, as nearly everything here, goes to the socket without being encoded. */
const NOT_ASCII = /[^\u0000-\u007f]/

/** From here on a copy costs more than a list of parts for the system. */
const GATHERED_FROM = 32_768

/** What was written and is not yet with the socket: replies and content go out together, in one write. */
export class Output {
  #parts: Uint8Array[] = []
  /** Comes after the parts. */
  #text = ''
  #size = 0

  /** Returns true when so much has gathered that it should be sent. */
  add(data: string | Uint8Array): boolean {
    if (typeof data === 'string') {
      this.#text += data
    } else {
      this.#takeText()
      this.#parts.push(data)
    }
    this.#size += data.length
    return this.#size >= SEND_AT
  }

  sendTo(socket: Socket): void {
    if (this.#size === 0) return
    if (this.#parts.length === 0) {
      socket.write(this.#text, NOT_ASCII.test(this.#text) ? 'utf8' : 'latin1')
    } else {
      this.#takeText()
      if (this.#size < GATHERED_FROM) socket.write(joined(this.#parts))
      else writeGathered(socket, this.#parts)
    }
    this.drop()
  }

  drop(): void {
    this.#parts = []
    this.#text = ''
    this.#size = 0
  }

  #takeText(): void {
    if (this.#text === '') return
    this.#parts.push(Buffer.from(this.#text, 'utf8'))
    this.#text = ''
  }
}

const joined = (parts: readonly Uint8Array[]) =>
  parts.length === 1 ? parts[0]! : Buffer.concat(parts)

/** One writev(2). */
function writeGathered(socket: Socket, parts: readonly Uint8Array[]): void {
  socket.cork()
  for (const part of parts) socket.write(part)
  socket.uncork()
}
