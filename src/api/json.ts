// Between Control's values and the API's JSON: snake_case names, and times as RFC 3339 text.

/** What goes out: `receivedAt: 0` becomes `received_at: "1970-01-01T00:00:00.000Z"`. */
export function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [
        name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        isTime(name) && typeof item === 'number' ? new Date(item).toISOString() : toWire(item),
      ]),
  )
}

/** The inverse, for our own client; the caller knows the type. */
export function fromWire<T>(value: unknown): T {
  return convert(value) as T
}

function convert(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(convert)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const name = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
      return [name, isTime(name) && typeof item === 'string' ? Date.parse(item) : convert(item)]
    }),
  )
}

function isTime(name: string): boolean {
  return name === 'at' || name.endsWith('At')
}
