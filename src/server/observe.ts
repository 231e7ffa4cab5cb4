// What a server says of itself: about, checks of readiness, gauges for the metrics.

import { readFileSync } from 'node:fs'
import type { About, Check, Dependencies, World } from '../api/control.ts'
import type { Config } from '../config/schema.ts'
import type { Delivery } from '../delivery/deliver.ts'
import { watchQueue } from '../events/figures.ts'
import type { Reach } from '../events/reach.ts'
import type { Domain } from '../mail/domain.ts'
import type { Scheduler } from '../queue/scheduler.ts'
import { speakingAddresses } from '../sandbox/behaviours.ts'
import { type Metrics, watchEventLoop, watchProcess } from '../std/metrics.ts'
import type { Store } from '../store/store.ts'
import type { Domains } from './domains.ts'
import { unsignedOf } from './given.ts'
import type { Doors } from './listeners.ts'
import { deliveryCheck } from './reach.ts'

export type Observed = {
  readonly config: Config
  readonly store: Store
  readonly scheduler: Scheduler
  readonly metrics: Metrics
  readonly reach: Reach
  readonly domains: Domains
  readonly delivery: Delivery
}

const DOMAINS_SHOWN = 100

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
  { config, store, scheduler, metrics, domains, delivery }: Observed,
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
  metrics.gauge('posthorn_disk_reserve_bytes', {
    help: 'Free space below which new mail is answered 452.',
    read: (gauge) => gauge.set(config.storage.reserveBytes),
  })
  metrics.total('posthorn_store_commits_total', {
    help: 'Transactions that became durable.',
    read: () => store.stats().commits,
  })
  metrics.total('posthorn_store_commit_seconds_total', {
    help: 'Time spent in them, sync included.',
    read: () => store.stats().commitSeconds,
  })
  metrics.total('posthorn_store_operations_total', {
    help: 'Changes that these transactions carried.',
    read: () => store.stats().operations,
  })
  metrics.gauge('posthorn_build_info', {
    help: 'Always 1; which version runs, and what happens to mail that does not say.',
    labels: ['version', 'mode'],
    read: (gauge) => gauge.set({ version, mode: config.mode }, 1),
  })
  const signs = (domain: Domain, world: World) =>
    !unsignedOf(config, domain) &&
    (world === 'sandbox' || domains.keyring.keysFor(domain) !== undefined)
  metrics.gauge('posthorn_domain_signed', {
    help: '1 when mail from a domain is signed with DKIM, 0 when it leaves unsigned.',
    labels: ['domain', 'world'],
    read(gauge) {
      gauge.reset()
      for (const { domain, world } of domains.list().slice(0, DOMAINS_SHOWN))
        gauge.set({ domain, world }, signs(domain as Domain, world) ? 1 : 0)
    },
  })
  watchSessions({ metrics, delivery })
  watchProcess(metrics)
  return watchEventLoop(metrics)
}

function watchSessions({ metrics, delivery }: Pick<Observed, 'metrics' | 'delivery'>): void {
  metrics.gauge('posthorn_outgoing_sessions', {
    help: 'Connections to other servers, by whether they carry mail now.',
    labels: ['state'],
    read(gauge) {
      const { busy, idle } = delivery.sessions()
      gauge.set({ state: 'busy' }, busy)
      gauge.set({ state: 'idle' }, idle)
    },
  })
}

/** Registers what is asked of the open listeners at each scrape. */
export function watchDoors(metrics: Metrics, { listeners }: Doors): void {
  metrics.gauge('posthorn_incoming_sessions', {
    help: 'Connections of clients that are open.',
    labels: ['listener'],
    read(gauge) {
      for (const { name, sessions } of listeners) gauge.set({ listener: name }, sessions)
    },
  })
  metrics.gauge('posthorn_waiting_connections', {
    help: 'Connections of clients that wait for their session; more than a few are an overload.',
    labels: ['listener'],
    read(gauge) {
      for (const { name, waiting } of listeners) gauge.set({ listener: name }, waiting)
    },
  })
}
