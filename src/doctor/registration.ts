import { responseText } from '../std/response-text.ts'

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
    return dateIn(JSON.parse(await responseText(response, MOST_OCTETS)))
  }
}

function dateIn(answer: unknown): number | undefined {
  const { events } = (answer ?? {}) as { readonly events?: unknown }
  if (!Array.isArray(events)) return undefined
  const event = events.find((one) => one?.eventAction === 'registration')
  const at = Date.parse(String(event?.eventDate))
  return Number.isNaN(at) ? undefined : at
}
