import { bodyStart } from '../mail/header.ts'
import { CONTENT_ROW_BYTES } from '../store/store.ts'

const NOTHING = Buffer.alloc(0)

/** Gathers the first octets of a message until its header is there. A first chunk that has it all is not copied. */
export class HeadCollector {
  #bytes: Buffer = NOTHING
  #length = 0
  #ours = false

  /** Takes the next chunk; returns where the body starts in `bytes`, -1 while that is not known. */
  push(chunk: Uint8Array): number {
    const searched = this.#length
    if (searched === 0) {
      this.#bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      this.#length = chunk.length
    } else this.#append(chunk)
    return bodyStart(this.bytes, searched)
  }

  /** The bytes are those of the first chunk. */
  get isOneChunk(): boolean {
    return !this.#ours
  }

  /** Everything so far. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length
    if (!this.#ours || length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(4096, 2 * length))
      grown.set(this.bytes)
      this.#bytes = grown
      this.#ours = true
    }
    this.#bytes.set(chunk, this.#length)
    this.#length = length
  }
}

/** Cuts content into rows of CONTENT_ROW_BYTES. Content in one piece that fits a row is not copied. */
export class RowCutter {
  #pieces: Uint8Array[] = []
  #pending = 0
  size = 0

  /** Takes a piece; returns the rows that are full now, most often none. */
  push(piece: Uint8Array): Uint8Array[] | undefined {
    this.size += piece.length
    let rows: Uint8Array[] | undefined
    let rest = piece
    while (this.#pending + rest.length > CONTENT_ROW_BYTES) {
      const room = CONTENT_ROW_BYTES - this.#pending
      this.#add(rest.subarray(0, room))
      rest = rest.subarray(room)
      rows ??= []
      rows.push(this.#take())
    }
    this.#add(rest)
    return rows
  }

  /** What is left at the end: one row, or none when there was no content. */
  end(): Uint8Array[] {
    return this.#pending > 0 ? [this.#take()] : []
  }

  #add(piece: Uint8Array): void {
    if (piece.length === 0) return
    this.#pieces.push(piece)
    this.#pending += piece.length
  }

  #take(): Uint8Array {
    const row = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#pending = 0
    return row
  }
}
