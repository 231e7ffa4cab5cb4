/** Below this a chunk is copied: less than it costs to keep it. */
const SLIM_BELOW = 16_384

/**
 * What was read, in memory of its size. Node reads into 64 KiB and gives the rest back to malloc,
 * which cannot use such a hole for the next 64 KiB: until the next collection each short line would
 * hold one. The copy lets go of it at once.
 */
export function slimmed(chunk: Buffer): Buffer {
  const { buffer, length } = chunk
  if (length > SLIM_BELOW || buffer.byteLength !== length) return chunk
  const copy = Buffer.from(chunk)
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
  return copy
}
