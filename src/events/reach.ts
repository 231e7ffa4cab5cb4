// Does mail get out at all? One dead destination is its own trouble; when nobody answers any more, the
// trouble is ours: a closed port 25, a dead resolver, a relay that refuses our login.

import { describeCause, type Failure } from '../mail/failure.ts'
import type { Attempted, Record } from './event.ts'

/** Live attempts since the last one that got through. */
export type Silence = {
  readonly attempts: number
  readonly sites: number
  /** When the first of them began; undefined when there was none. */
  readonly since: number | undefined
  /** What was seen last. */
  readonly saw: string
}

export type Reach = {
  /** Passes every event on, and keeps count. */
  readonly record: Record
  silence(): Silence
}

/** Beyond this many names, more tell nothing new. */
const MOST_SITES = 100

/** @param tell what all events are handed to */
export function watchReach(tell: Record): Reach {
  const sites = new Set<string>()
  let attempts = 0
  let since: number | undefined
  let saw = ''
  const note = ({ message, site, attempt }: Attempted) => {
    if (message.world !== 'live') return
    const outcomes = [...attempt.outcomes.values()]
    const failures = outcomes.flatMap((one) => (one.kind === 'failed' ? [one.failure] : []))
    const last = failures.at(-1)
    if (last === undefined || failures.length < outcomes.length || !failures.every(isSilence)) {
      attempts = 0
      since = undefined
      sites.clear()
      return
    }
    attempts++
    since ??= attempt.startedAt
    saw = describeCause(last.cause)
    if (sites.size < MOST_SITES) sites.add(site)
  }
  return {
    record(event) {
      tell(event)
      if (event.kind === 'attempted') note(event)
    },
    silence: () => ({ attempts, sites: sites.size, since, saw }),
  }
}

/** The conversation never came to the mail, and may another time. */
function isSilence({ permanence, scope }: Failure): boolean {
  return permanence === 'transient' && (scope === 'session' || scope === 'site')
}
