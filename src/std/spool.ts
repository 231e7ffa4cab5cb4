import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { assert } from './assert.ts'

/** Up to this size it stays in memory. */
const IN_MEMORY = 262_144
const PIECE = 262_144

/**
 * Octets that must be read more than once, in order: small ones in memory, the rest in a file without
 * a name, which is gone with the process whatever happens.
 */
export class Spool implements AsyncDisposable {
  readonly #folder: string
  #pieces: Uint8Array[] = []
  #pending = 0
  #file: FileHandle | undefined
  #written = 0
  #disposed = false
  size = 0

  /** @param folder where a file may lie; made when it is needed */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Takes a piece, which must not change any more. A promise while the disk is busy; it rejects with the disk's error. */
  push(piece: Uint8Array): Promise<void> | undefined {
    if (piece.length === 0) return undefined
    this.#pieces.push(piece)
    this.#pending += piece.length
    this.size += piece.length
    return this.#pending > IN_MEMORY ? this.#flush() : undefined
  }

  /** All octets, from the first; may be asked for again when it has ended. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    assert(!this.#disposed, 'a spool is read after its end')
    for (let at = 0; at < this.#written; ) {
      const buffer = Buffer.allocUnsafe(Math.min(PIECE, this.#written - at))
      const { bytesRead } = await this.#file!.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) throw new Error('a spool file is shorter than what was written')
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
    yield* this.#pieces
  }

  async #flush(): Promise<void> {
    this.#file ??= await nameless(this.#folder)
    const octets = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#pending = 0
    for (let done = 0; done < octets.length; ) {
      const { bytesWritten } = await this.#file.write(
        octets,
        done,
        octets.length - done,
        this.#written,
      )
      done += bytesWritten
      this.#written += bytesWritten
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    this.#pieces = []
    await this.#file?.close()
    this.#file = undefined
  }
}

async function nameless(folder: string): Promise<FileHandle> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, randomBytes(8).toString('hex'))
  const file = await open(path, 'wx+', 0o600)
  await rm(path)
  return file
}
