/** An enhanced mail system status code (RFC 3463 §2). */
export type EnhancedStatus = {
  readonly class: 2 | 4 | 5
  readonly subject: number
  readonly detail: number
}

/** `5.1.1` */
export function formatStatus(status: EnhancedStatus): string {
  return `${status.class}.${status.subject}.${status.detail}`
}

/** Reads `5.1.1`, also at the start of a longer text; undefined when there is none. */
export function parseStatus(text: string): EnhancedStatus | undefined {
  const match = /^([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)/.exec(text)
  if (!match) return undefined
  return {
    class: Number(match[1]) as 2 | 4 | 5,
    subject: Number(match[2]),
    detail: Number(match[3]),
  }
}

/** `status('5.1.1')`, for codes written in the source; throws on a typo. */
export function status(text: string): EnhancedStatus {
  const parsed = parseStatus(text)
  if (!parsed) throw new TypeError(`not an enhanced status: ${text}`)
  return parsed
}
