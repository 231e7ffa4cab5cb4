// Our clock against the Date of well-known web servers (RFC 9110 §6.6.1). One answer may be wrong or
// forged, hence the median; a second more or less is their precision, and all that mail needs.

import type { Clock } from '../../std/clock.ts'
import { type Check, couldNotCheck, findingsOf } from '../check.ts'
import { clockTexts } from '../texts/clock.ts'

const found = findingsOf(clockTexts)

export type ClockOptions = {
  readonly clock: Clock
  readonly hosts: readonly string[]
  /** The time that a host says it is, in milliseconds since 1970; undefined when it says none. */
  readonly askTime: (host: string, signal: AbortSignal) => Promise<number | undefined>
}

/** Signatures and certificates of a minute ago pass; two minutes off is a clock that nobody keeps. */
const TOLERANCE_MS = 120_000

const CLOCK = { en: 'the clock', ru: 'часы' }
const noAnswer = (hosts: readonly string[]) => ({
  en: `no answer from ${hosts.join(', ')}`,
  ru: `нет ответа от ${hosts.join(', ')}`,
})

export function checkClock({ clock, hosts, askTime }: ClockOptions): Check {
  return {
    name: 'clock',
    group: 'network',
    async run(signal) {
      if (hosts.length === 0) return []
      const asked = await Promise.all(
        hosts.map(async (host) => {
          const began = clock.elapsed()
          const said = await askTime(host, signal).catch(() => undefined)
          const halfWay = (clock.elapsed() - began) / 2
          return said === undefined ? undefined : clock.now() - halfWay - said
        }),
      )
      const differences = asked
        .filter((difference) => difference !== undefined)
        .sort((a, b) => a - b)
      const median = differences[(differences.length - 1) >> 1]
      if (median === undefined) return [couldNotCheck(CLOCK, noAnswer(hosts))]
      const seconds = Math.round(Math.abs(median) / 1000)
      if (Math.abs(median) <= TOLERANCE_MS) return [found('CLOCK_OK', 'clock', { seconds })]
      const direction = median > 0 ? { en: 'ahead', ru: 'спешат' } : { en: 'behind', ru: 'отстают' }
      return [found('CLOCK_SKEW', 'clock', { seconds, direction })]
    },
  }
}
