// The life of a signing key: coming (published, we hope, and not signing yet), active (it signs),
// retiring (it signs no more, but mail that it signed may still be on its way, so its record stays),
// retired. Every step is a function from a domain's keys to its keys; whoever calls it makes the
// result durable in one write, so a crash leaves the keys before the step or those after it.
//
// The rule that all of this is for: a key that replaces another signs only after every name server
// of the zone has shown its record (RFC 6376 §3.6.2.1: the record is what a verifier has), and its
// record is asked for until the last message that it signed has been delivered or given up.

import type { Algorithm } from './signature.ts'

export type KeyState = 'coming' | 'active' | 'retiring' | 'retired'

/** `t=` of the record (RFC 6376 §3.6.1): y, receivers shall look and not act; s, no subdomain in `i=`. */
export type KeyFlag = 'y' | 's'

/** A key as it is remembered; all times in milliseconds since 1970. */
export type DkimKey = {
  readonly selector: string
  readonly algorithm: Algorithm
  /** File name below the data folder's `keys/`. */
  readonly file: string
  /** Absent in records from before keys had states: active. */
  readonly state?: KeyState
  readonly flags?: readonly KeyFlag[]
  readonly createdAt?: number
  /** Since when it signs; a key that never had to wait has signed since it was made. */
  readonly activeAt?: number
  /** When it stopped. */
  readonly retiringAt?: number
  readonly retiredAt?: number
}

/** So many retired keys are remembered, for their selectors. */
const MOST_RETIRED = 20

export function stateOf(key: DkimKey): KeyState {
  return key.state ?? 'active'
}

/**
 * Adds new keys. The first ones of a domain sign at once, for there is nothing else to sign with;
 * every later one waits until its record is seen.
 */
export function addKeys(
  keys: readonly DkimKey[],
  fresh: readonly Omit<DkimKey, 'state'>[],
  now: number,
): readonly DkimKey[] {
  const first = !keys.some((one) => stateOf(one) === 'active' || stateOf(one) === 'retiring')
  const added = fresh.map(
    (key): DkimKey =>
      first
        ? { ...key, state: 'active', createdAt: now, activeAt: now }
        : { ...key, state: 'coming', createdAt: now },
  )
  return [...keys, ...added]
}

/** The record of a coming key was seen everywhere: it signs now, and those of its algorithm that did retire. */
export function activate(
  keys: readonly DkimKey[],
  selector: string,
  now: number,
): readonly DkimKey[] {
  const fresh = keys.find((key) => key.selector === selector && stateOf(key) === 'coming')
  if (!fresh) return keys
  return keys.map((key) => {
    if (key === fresh) return { ...key, state: 'active', activeAt: now }
    const replaced = stateOf(key) === 'active' && key.algorithm === fresh.algorithm
    return replaced ? { ...key, state: 'retiring', retiringAt: now } : key
  })
}

/** Gives up the coming keys: a rotation that nobody wants any more. Their selectors stay used. */
export function abort(keys: readonly DkimKey[], now: number): readonly DkimKey[] {
  return keys.map((key) =>
    stateOf(key) === 'coming' ? { ...key, state: 'retired', retiredAt: now } : key,
  )
}

/** What retire() can say: the keys afterwards, or why not. */
export type Retirement =
  | { readonly kind: 'keys'; readonly keys: readonly DkimKey[] }
  | { readonly kind: 'no-such-key' | 'last-key' }

/**
 * Takes a key out of use: a coming one at once, an active one stops signing, a retiring one is
 * retired when `atOnce` says so. The last RSA key that signs stays, for many receivers know
 * nothing else (RFC 8463 §1).
 */
export function retire(
  keys: readonly DkimKey[],
  selector: string,
  options: { readonly now: number; readonly atOnce: boolean },
): Retirement {
  const key = keys.find((one) => one.selector === selector)
  if (!key) return { kind: 'no-such-key' }
  const replace = (by: DkimKey): Retirement => ({
    kind: 'keys',
    keys: keys.map((one) => (one === key ? by : one)),
  })
  const state = stateOf(key)
  if (state === 'active') {
    const others = keys.filter((one) => one !== key && stateOf(one) === 'active')
    const rsaLeft = others.some((one) => one.algorithm === 'rsa-sha256')
    if (others.length === 0 || (key.algorithm === 'rsa-sha256' && !rsaLeft))
      return { kind: 'last-key' }
    return replace({ ...key, state: 'retiring', retiringAt: options.now })
  }
  if (state === 'coming' || (state === 'retiring' && options.atOnce))
    return replace({ ...key, state: 'retired', retiredAt: options.now })
  return { kind: 'keys', keys }
}

/** When a retiring key's record is of no more use; undefined for other keys. */
export function retiresAt(key: DkimKey, keepMs: number): number | undefined {
  return stateOf(key) === 'retiring' ? (key.retiringAt ?? 0) + keepMs : undefined
}

/** Retires what has been retiring for `keepMs`; the very same array when there is nothing. */
export function endRetiring(
  keys: readonly DkimKey[],
  { now, keepMs }: { readonly now: number; readonly keepMs: number },
): readonly DkimKey[] {
  const isOver = (key: DkimKey) => (retiresAt(key, keepMs) ?? Number.POSITIVE_INFINITY) <= now
  if (!keys.some(isOver)) return keys
  const ended = keys.map(
    (key): DkimKey => (isOver(key) ? { ...key, state: 'retired', retiredAt: now } : key),
  )
  const retired = ended.filter((key) => stateOf(key) === 'retired')
  const forgotten = new Set(retired.slice(0, -MOST_RETIRED))
  return ended.filter((key) => !forgotten.has(key))
}
