import type { Algorithm } from './signature.ts'

const LONGEST = 200

/**
 * Reads a selector: labels of letters, digits, hyphens and underscores between dots, in lower case
 * afterwards; undefined for anything that cannot stand before `._domainkey` (RFC 6376 §3.1).
 */
export function parseSelector(text: string): string | undefined {
  const name = text.toLowerCase()
  if (name.length > LONGEST) return undefined
  return /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(
    name,
  )
    ? name
    : undefined
}

/** `p2611` for November 2026, so that a selector tells the age of its key. */
export function selectorFor(now: number): string {
  const date = new Date(now)
  const two = (n: number) => String(n % 100).padStart(2, '0')
  return `p${two(date.getUTCFullYear())}${two(date.getUTCMonth() + 1)}`
}

/** Two keys of a domain need two names: `p2611` for RSA is `p2611e` for Ed25519. */
export function selectorOf(base: string, algorithm: Algorithm): string {
  return algorithm === 'ed25519-sha256' ? `${base}e` : base
}

/**
 * A selector that no key of the domain ever had, retired ones included: receivers may remember the
 * record of an old key for days. `p2611`, then `p2611-2`, `p2611-3`.
 */
export function freeSelector(
  base: string,
  algorithm: Algorithm,
  isTaken: (selector: string) => boolean,
): string {
  for (let n = 1; ; n++) {
    const selector = selectorOf(n === 1 ? base : `${base}-${n}`, algorithm)
    if (!isTaken(selector)) return selector
  }
}
