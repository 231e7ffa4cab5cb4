// Counters, gauges and histograms as Prometheus text, in a registry of our own: nothing is global, so
// two servers in one process (as in tests) count apart.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export type { Counter, Gauge, Histogram }

export type MetricOptions<Label extends string> = {
  readonly help: string
  readonly labels?: readonly Label[]
}

export class Metrics {
  readonly #registry = new Registry()

  /** Goes up only; its name ends in `_total`. */
  counter<Label extends string = never>(
    name: string,
    { help, labels = [] }: MetricOptions<Label>,
  ): Counter<Label> {
    return new Counter({ name, help, labelNames: labels, registers: [this.#registry] })
  }

  /** A counter that somebody else keeps: `read` is asked at each scrape and gives where it stands. */
  total(
    name: string,
    { help, read }: { readonly help: string; readonly read: () => number },
  ): void {
    new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }

  /** What is so now. `read` is asked at each scrape and sets the gauge; it must not reject. */
  gauge<Label extends string = never>(
    name: string,
    options: MetricOptions<Label> & {
      readonly read: (gauge: Gauge<Label>) => void | Promise<void>
    },
  ): void {
    const { help, labels = [], read } = options
    new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect() {
        return read(this as Gauge<Label>)
      },
    })
  }

  /** @param options.buckets upper bounds, growing, in the unit that the name ends in */
  histogram<Label extends string = never>(
    name: string,
    options: MetricOptions<Label> & { readonly buckets: readonly number[] },
  ): Histogram<Label> {
    const { help, labels = [], buckets } = options
    return new Histogram({
      name,
      help,
      labelNames: labels,
      buckets: [...buckets],
      registers: [this.#registry],
    })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** All of it, as a scrape wants it. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }
}

/**
 * Keeps a label's values few: the first `limit` stand for themselves, all later ones are `other`.
 * What strangers choose (domains, hosts) must never be a label without this.
 */
export function boundedLabel(limit: number): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (known.size >= limit) return 'other'
    known.add(value)
    return value
  }
}

/**
 * Watches how late the event loop runs: `posthorn_event_loop_lag_seconds` by percentile, since the last
 * scrape. Ends with the returned disposable.
 */
export function watchEventLoop(metrics: Metrics): Disposable {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  const lag = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3)
  metrics.gauge('posthorn_event_loop_lag_seconds', {
    help: 'How late the event loop ran since the last scrape.',
    labels: ['percentile'],
    read: (gauge) => {
      gauge.set({ percentile: '50' }, lag(delays.percentile(50)))
      gauge.set({ percentile: '99' }, lag(delays.percentile(99)))
      gauge.set({ percentile: '100' }, lag(delays.count > 0 ? delays.max : 0))
      delays.reset()
    },
  })
  return { [Symbol.dispose]: () => void delays.disable() }
}

const RESOLUTION_MS = 20

/** What the process costs, by the names that every Prometheus client gives it. */
export function watchProcess(metrics: Metrics): void {
  metrics.total('process_cpu_seconds_total', {
    help: 'Processor time, of all threads.',
    read: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    },
  })
  metrics.gauge('process_resident_memory_bytes', {
    help: 'Memory that the process holds.',
    read: (gauge) => gauge.set(process.memoryUsage.rss()),
  })
  const startedAt = Math.round(performance.timeOrigin / 1000)
  metrics.gauge('process_start_time_seconds', {
    help: 'When the process was started, in seconds since 1970.',
    read: (gauge) => gauge.set(startedAt),
  })
}
