const LF = 0x0a
const CR = 0x0d

/** Lines of programs here may end in LF alone; mail's end in CRLF. The last line gets its end. */
export async function* crlfStream(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let last = LF
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue
    yield withCr(chunk, last)
    last = chunk[chunk.length - 1]!
  }
  if (last !== LF) yield Buffer.from(last === CR ? '\n' : '\r\n')
}

/** @param before the octet before the chunk */
function withCr(chunk: Buffer, before: number): Buffer {
  let missing = 0
  for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1))
    if ((at === 0 ? before : chunk[at - 1]) !== CR) missing++
  if (missing === 0) return chunk
  const whole = Buffer.allocUnsafe(chunk.length + missing)
  let to = 0
  for (let i = 0; i < chunk.length; i++) {
    if (chunk[i] === LF && (i === 0 ? before : chunk[i - 1]) !== CR) whole[to++] = CR
    whole[to++] = chunk[i]!
  }
  return whole
}
