// The milter protocol's packets: four octets of length, a letter, and data (mfdef.h of Sendmail's
// libmilter describes versions 2 to 6). Reading is bounded: a length that no honest filter sends is a
// fault before its octets are waited for.

/** One packet, either way. */
export type Packet = { readonly letter: string; readonly data: Buffer }

/** Filters send at most 64 KiB at a time unless more was agreed, which we do not. */
const LONGEST_PACKET = 1_048_576

/** The octets of a packet. Text parts are UTF-8 and end with NUL; octets stand as they are. */
export function formatPacket(letter: string, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const pieces = parts.map((part) => (typeof part === 'string' ? text(part) : part))
  const length = pieces.reduce((sum, piece) => sum + piece.length, 1)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(length)
  head.write(letter, 4, 'latin1')
  return Buffer.concat([head, ...pieces])
}

/** NUL ends a text, so none can be inside. */
function text(part: string): Buffer {
  return Buffer.from(`${part.replaceAll('\0', '')}\0`)
}

/** Puts packets together from whatever pieces arrive. */
export class PacketReader {
  #pieces: Uint8Array[] = []
  #length = 0
  /** Why nothing more can be read. */
  fault: string | undefined

  push(chunk: Uint8Array): void {
    this.#pieces.push(chunk)
    this.#length += chunk.length
  }

  /** The next whole packet; undefined when it is not here yet, or after a fault. */
  next(): Packet | undefined {
    if (this.fault !== undefined || this.#length < 5) return undefined
    const first = this.#pieces[0]!
    if (first.length < 5) this.#join()
    const head = Buffer.from(this.#pieces[0]!.buffer, this.#pieces[0]!.byteOffset, 4)
    const length = head.readUInt32BE()
    if (length === 0 || length > LONGEST_PACKET) {
      this.fault = `a packet of ${length} octets`
      return undefined
    }
    if (this.#length < 4 + length) return undefined
    this.#join()
    const all = this.#pieces[0] as Buffer
    const end = 4 + length
    this.#pieces = all.length > end ? [all.subarray(end)] : []
    this.#length = all.length - end
    return { letter: String.fromCharCode(all[4]!), data: all.subarray(5, end) }
  }

  #join(): void {
    if (this.#pieces.length > 1 || !Buffer.isBuffer(this.#pieces[0]))
      this.#pieces = [Buffer.concat(this.#pieces)]
  }
}
