/**
 * The body of an HTTP response as text, UTF-8. Throws when it is longer than `mostOctets`, and what
 * the connection throws.
 */
export async function responseText(response: Response, mostOctets: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > mostOctets) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
