// What a server says of itself: about, checks of readiness, gauges for the metrics.

import { readFileSync } from 'node:fs'
import type { About, Check, Dependencies } from '../api/control.ts'
import type { Config } from '../config/schema.ts'
import { watchQueue } from '../events/figures.ts'
import type { Reach } from '../events/reach.ts'
import type { Scheduler } from '../queue/scheduler.ts'
import { speakingAddresses } from '../sandbox/behaviours.ts'
import { type Metrics, watchEventLoop } from '../std/metrics.ts'
import type { Store } from '../store/store.ts'
import type { Doors } from './listeners.ts'
import { deliveryCheck } from './reach.ts'

export type Observed = {
  readonly config: Config
  readonly store: Store
  readonly scheduler: Scheduler
  readonly metrics: Metrics
  readonly reach: Reach
}

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string }

export function aboutOf({ mode, hostname }: Config, doors: Doors | undefined): About {
  const listeners = doors?.views ?? []
  return { version, mode, hostname, listeners, speakingAddresses: speakingAddresses() }
}

/** Ready: the ports are open, the store answers, and the disk has room for mail. */
export async function checksOf(
  { config, store, scheduler, reach }: Observed,
  doors: Doors | undefined,
): Promise<readonly Check[]> {
  const { inFlight, active, resting } = scheduler.stats()
  const listeners = doors?.views.map(({ address, port }) => `${address}:${port}`) ?? []
  const answers = await store.look().then(
    () => true,
    () => false,
  )
  const { freeBytes, isFull } = store.stats()
  const reserve = config.storage.reserveBytes
  const { count, folder } = await store.damage()
  const inVain = reach.silence().attempts > 0
  const waiting = inVain ? await store.queueCounts().catch(() => undefined) : undefined
  return [
    {
      name: 'listeners',
      ok: listeners.length > 0,
      text: listeners.length > 0 ? `open: ${listeners.join(', ')}` : 'none is open',
    },
    {
      name: 'store',
      ok: answers,
      text: `${answers ? 'answers' : 'does not answer'}; ${count} damaged records set aside${count > 0 ? ` in ${folder}` : ''}`,
    },
    {
      name: 'disk',
      ok: !isFull,
      text: `${Math.round(freeBytes / 2 ** 20)} MiB free, ${Math.round(reserve / 2 ** 20)} MiB in reserve`,
    },
    {
      name: 'queue',
      ok: true,
      text: `${active} in memory, ${inFlight} in flight, ${resting} sites resting`,
    },
    deliveryCheck(reach, { waiting: waiting?.ready ?? 0, relayed: config.relayhost !== null }),
  ]
}

/** Registers the gauges; they are read at each scrape. */
export function watchServer(
  { store, scheduler, metrics }: Observed,
  { clock }: Dependencies,
): Disposable {
  watchQueue(metrics, {
    counts: () => store.queueCounts(),
    now: () => clock.now(),
    queue: () => scheduler.stats(),
    damage: () => store.damage(),
  })
  metrics.gauge('posthorn_disk_free_bytes', {
    help: 'Free space where the data folder lies.',
    read: async (gauge) => {
      await store.look().catch(() => undefined)
      gauge.set(store.stats().freeBytes)
    },
  })
  metrics.gauge('posthorn_store_commits', {
    help: 'Transactions that became durable since the start.',
    read: (gauge) => gauge.set(store.stats().commits),
  })
  metrics.gauge('posthorn_store_operations', {
    help: 'Changes that these transactions carried.',
    read: (gauge) => gauge.set(store.stats().operations),
  })
  return watchEventLoop(metrics)
}
