// When a domain was registered, as its registry says over RDAP (RFC 9083 §4.5). Nobody is asked
// unless the operator named a server: the question tells it which domains send from here.

const MOST_OCTETS = 256 * 1024

/**
 * Asks `base` + domain; follows the registry's redirects.
 * @returns milliseconds since 1970; undefined when the answer has no such date. Rejects when there is no answer.
 */
export function registryAt(base: string) {
  return async (domain: string, signal: AbortSignal): Promise<number | undefined> => {
    const response = await fetch(base + encodeURIComponent(domain), {
      headers: { accept: 'application/rdap+json' },
      signal,
    })
    if (!response.ok) return undefined
    return dateIn(JSON.parse(await bounded(response)))
  }
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MOST_OCTETS) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function dateIn(answer: unknown): number | undefined {
  const { events } = (answer ?? {}) as { readonly events?: unknown }
  if (!Array.isArray(events)) return undefined
  const event = events.find((one) => one?.eventAction === 'registration')
  const at = Date.parse(String(event?.eventDate))
  return Number.isNaN(at) ? undefined : at
}
