/** Below this a chunk is copied: less than it costs to keep it. */
const SLIM_BELOW = 16_384

/**
 * What was read, in memory of its size. Node reads into 64 KiB and gives the rest back to malloc,
 * which cannot use such a hole for the next 64 KiB: until the next collection each short line would
 * hold one. The copy lets go of it at once.
 */
export function slimmed(chunk: Buffer): Buffer {
  if (chunk.length > SLIM_BELOW || !isWhole(chunk)) return chunk
  const copy = Buffer.from(chunk)
  letGo(chunk)
  return copy
}

/** Gives back the memory of what nobody will look at any more, if the chunk has it for itself. */
export function letGo(chunk: Buffer): void {
  if (isWhole(chunk) && chunk.buffer instanceof ArrayBuffer) chunk.buffer.transfer(0)
}

const isWhole = ({ buffer, length }: Buffer): boolean => buffer.byteLength === length
