import type { Config } from '../config/schema.ts'
import { createMilters, type Milters } from '../milter/milters.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { Metrics } from '../std/metrics.ts'

/** The filters of the configuration, in its order; undefined when there are none. */
export function openMilters(
  { milters, hostname, limits }: Config,
  { clock, log, metrics }: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics },
): Milters | undefined {
  const options = Object.entries(milters).map(([name, milter]) => ({
    name,
    address: milter.address,
    connectMs: milter.connectTimeoutMs,
    commandMs: milter.commandTimeoutMs,
    messageMs: milter.messageTimeoutMs,
    onFailure: milter.onFailure,
    onQuarantine: milter.onQuarantine,
  }))
  if (options.length === 0) return undefined
  const failures = metrics.counter('posthorn_milter_failures_total', {
    help: 'Messages for which a filter was away, hung or erred, by what became of them.',
    labels: ['milter', 'result'],
  })
  return createMilters(options, {
    clock,
    hostname,
    version: 'Posthorn',
    mostOctets: limits.messageSizeBytes,
    onFailure(name, why) {
      const result = milters[name]?.onFailure ?? 'tempfail'
      failures.inc({ milter: name, result })
      log.error({ milter: name, why, result }, 'a filter failed')
    },
  })
}
