// What a sender may wish beside delivery: not before (RFC 4865), not after (RFC 2852), and how
// urgently (RFC 6710). As they travel: times count from the command that says them.

import { upperCase } from './ascii.ts'

/** HOLDFOR or HOLDUNTIL (RFC 4865 §4). */
export type HoldWish =
  | { readonly kind: 'for'; readonly seconds: number }
  | { readonly kind: 'until'; readonly at: number }

/** BY (RFC 2852 §4). With `return` it is of no use later; `notify` only wants to be told. */
export type ByWish = {
  /** May be negative: then the time has passed already. */
  readonly seconds: number
  readonly mode: 'return' | 'notify'
  /** Every relay on the way tells that it was there. */
  readonly trace: boolean
}

/** HOLDFOR's value; undefined when it is none. */
export function parseHoldFor(value: string | undefined): HoldWish | undefined {
  if (value === undefined || !/^[0-9]{1,9}$/.test(value)) return undefined
  return { kind: 'for', seconds: Number(value) }
}

/** HOLDUNTIL's value, a time as in RFC 3339 §5.6; parts of a second are dropped. */
export function parseHoldUntil(value: string | undefined): HoldWish | undefined {
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/
  const text = upperCase(value ?? '')
  if (!shape.test(text)) return undefined
  const at = Date.parse(text)
  if (!Number.isFinite(at) || at < 0) return undefined
  // Days that a month does not have would become days of the next one.
  const day = new Date(Date.parse(`${text.slice(0, 19)}Z`)).toISOString().slice(0, 10)
  return day === text.slice(0, 10) ? { kind: 'until', at: Math.floor(at / 1000) * 1000 } : undefined
}

/** BY's value, such as `120;R`; undefined when it is none. */
export function parseBy(value: string | undefined): ByWish | undefined {
  const [, time, mode, trace] = /^([+-]?[0-9]{1,9});([NR])(T?)$/i.exec(value ?? '') ?? []
  if (time === undefined || mode === undefined) return undefined
  const seconds = Number(time) + 0 // no negative zero
  const returns = upperCase(mode) === 'R'
  if (returns && seconds <= 0) return undefined
  return { seconds, mode: returns ? 'return' : 'notify', trace: trace !== '' }
}

/** MT-PRIORITY's value, from -9 to 9; undefined when it is none. */
export function parsePriority(value: string | undefined): number | undefined {
  return /^(?:-[1-9]|[0-9])$/.test(value ?? '') ? Number(value) : undefined
}

/** ` HOLDFOR=60` or ` HOLDUNTIL=…`, with its leading space. */
export function formatHold(wish: HoldWish): string {
  return wish.kind === 'for' ? ` HOLDFOR=${wish.seconds}` : ` HOLDUNTIL=${formatTime(wish.at)}`
}

/** ` BY=60;RT`, with its leading space; more than nine digits cannot be said. */
export function formatBy({ seconds, mode, trace }: ByWish): string {
  const said = Math.max(-999_999_999, Math.min(seconds, 999_999_999))
  return ` BY=${said};${mode === 'return' ? 'R' : 'N'}${trace ? 'T' : ''}`
}

/** `2026-11-22T01:05:00Z` (RFC 3339 §5.6). */
export function formatTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')
}
