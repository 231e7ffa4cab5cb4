// How long mail may live: as long as we keep any, counted from when it might leave (RFC 4865), and no
// longer than its sender has use for it (RFC 2852).

import type { Recipient } from '../mail/envelope.ts'
import type { Message } from '../mail/message.ts'
import type { Schedule } from './schedule.ts'

export type Lifetime = {
  /** Since it might leave first; negative while it is held for its sender. */
  readonly ageMs: number
  /** Until it is given up. */
  readonly leftMs: number
  /** Until the sender's time is over; infinite when none was named. */
  readonly byLeftMs: number
  /** It is the sender's time that ends it. */
  readonly byEnds: boolean
}

/** @param age since acceptance, in milliseconds */
export function lifetimeOf(message: Message, age: number, schedule: Schedule): Lifetime {
  const { holdUntil = 0, acceptedAt, deliverBy } = message
  const ageMs = age - Math.max(0, holdUntil - acceptedAt)
  const kept = schedule.expireAfterMs - ageMs
  if (!deliverBy) return { ageMs, leftMs: kept, byLeftMs: Number.POSITIVE_INFINITY, byEnds: false }
  const byLeftMs = deliverBy.at - acceptedAt - age
  const byEnds = deliverBy.mode === 'return' && byLeftMs < kept
  return { ageMs, leftMs: byEnds ? byLeftMs : kept, byLeftMs, byEnds }
}

/**
 * Is a message passed on that its sender wants to be followed, or that is out of our reach now
 * although its time counts? Then the sender hears of it (RFC 2852), unless he hears nothing.
 */
export function tellsRelay(
  { deliverBy }: Message,
  recipient: Recipient,
  { peerDelivers }: { readonly peerDelivers: boolean },
): boolean {
  if (!deliverBy || recipient.notify === 'never') return false
  return deliverBy.trace || (deliverBy.mode === 'return' && !peerDelivers)
}
