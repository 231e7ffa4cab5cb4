// The numbers that an operator watches, by their names in Prometheus. Labels come from closed sets,
// or through boundedLabel: what strangers choose never grows them.

import type { Attempt } from '../mail/failure.ts'
import { boundedLabel, type Metrics } from '../std/metrics.ts'
import type { QueueCounts } from '../store/store.ts'
import type { Accepted, Attempted, EntryResult, Event, Settled } from './event.ts'

const DELIVERY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const DELAY_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 900, 3600, 14_400, 86_400, 259_200]
const SMALL_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]
const DOORS = 32
const CREDENTIALS = 100
const SITES = 50

export type Figures = {
  /** Counts an event. `now` is the wall clock. */
  readonly count: (event: Event, now: number) => void
}

export function createFigures(metrics: Metrics): Figures {
  return { count: counters(metrics) }
}

function counters(metrics: Metrics): (event: Event, now: number) => void {
  const accepted = acceptCounters(metrics)
  const refused = metrics.counter('posthorn_refused_total', {
    help: 'Times that a client heard no.',
    labels: ['listener', 'stage', 'class'],
  })
  const logins = metrics.counter('posthorn_logins_total', {
    help: 'Times that a client tried to log in.',
    labels: ['listener', 'mechanism', 'result'],
  })
  const sessions = metrics.counter('posthorn_sessions_total', {
    help: 'Incoming connections that ended.',
    labels: ['listener'],
  })
  const turnedAway = metrics.counter('posthorn_turned_away_total', {
    help: 'Incoming connections that were closed at once because there were too many.',
    labels: ['listener'],
  })
  const notices = metrics.counter('posthorn_notices_total', {
    help: 'Delivery status notifications, sent or dropped.',
    labels: ['result'],
  })
  const damaged = metrics.counter('posthorn_damaged_total', {
    help: 'Stored messages that could not be read whole and were set aside.',
  })
  const rests = metrics.counter('posthorn_site_rests_total', {
    help: 'Times that a site was left alone because it failed as a whole.',
  })
  const door = boundedLabel(DOORS)
  const settled = attemptCounters(metrics)
  return (event, now) => {
    switch (event.kind) {
      case 'accepted':
        accepted(event)
        break
      case 'refused':
        refused.inc({
          listener: door(event.door),
          stage: event.stage,
          class: `${Math.floor(event.reply.code / 100)}xx`,
        })
        break
      case 'login':
        logins.inc({
          listener: door(event.door),
          mechanism: event.mechanism,
          result: event.result,
        })
        break
      case 'session':
        sessions.inc({ listener: door(event.door) })
        break
      case 'attempted':
      case 'settled':
        settled(event, now)
        break
      case 'notice':
        notices.inc({ result: 'sent' })
        break
      case 'notice-dropped':
        notices.inc({ result: 'dropped' })
        break
      case 'damaged':
        damaged.inc()
        break
      case 'site-rested':
        rests.inc()
        break
      case 'turned-away':
        turnedAway.inc({ listener: door(event.door) })
        break
      case 'connected':
      case 'site-woke':
      case 'clock-stepped':
        break
    }
  }
}

function acceptCounters(metrics: Metrics): (event: Accepted) => void {
  const accepted = metrics.counter('posthorn_accepted_total', {
    help: 'Messages that became ours.',
    labels: ['listener', 'credential'],
  })
  const acceptance = metrics.histogram('posthorn_accept_seconds', {
    help: 'Time from the beginning of a message to the promise that it is durable.',
    buckets: SMALL_BUCKETS,
  })
  const door = boundedLabel(DOORS)
  const credential = boundedLabel(CREDENTIALS)
  return ({ message: { sender }, door: listener, durationMs }) => {
    const name = sender.kind === 'credential' ? credential(sender.name) : sender.kind
    accepted.inc({ listener: door(listener), credential: name })
    acceptance.observe(durationMs / 1000)
  }
}

/** Attempts and what they led to; one recipient counts one. */
function attemptCounters(metrics: Metrics): (event: Attempted | Settled, now: number) => void {
  const attempts = metrics.counter('posthorn_attempts_total', {
    help: 'Recipients tried, by result.',
    labels: ['result'],
  })
  const sites = metrics.counter('posthorn_site_attempts_total', {
    help: 'Recipients tried, by site and result; sites beyond the first fifty are `other`.',
    labels: ['site', 'result'],
  })
  const siteLabel = boundedLabel(SITES)
  for (const result of ['delivered', 'deferred', 'bounced', 'expired']) attempts.inc({ result }, 0)
  const delivered = metrics.counter('posthorn_delivered_total', {
    help: 'Recipients that the next server took.',
  })
  const bounced = metrics.counter('posthorn_bounced_total', {
    help: 'Recipients that were given up.',
    labels: ['class'],
  })
  for (const end of ['bounced', 'expired', 'cancelled']) bounced.inc({ class: end }, 0)
  const duration = metrics.histogram('posthorn_attempt_seconds', {
    help: 'How long one attempt took.',
    buckets: DELIVERY_BUCKETS,
  })
  const delay = metrics.histogram('posthorn_delivery_seconds', {
    help: 'Time from acceptance to delivery.',
    buckets: DELAY_BUCKETS,
  })
  const countOne = ({ result }: EntryResult, acceptedAt: number, now: number) => {
    if (result === 'delivered') {
      delivered.inc()
      delay.observe(Math.max(0, now - acceptedAt) / 1000)
    } else if (result !== 'deferred') bounced.inc({ class: result })
  }
  return (event, now) => {
    const tried: Attempt | undefined = event.kind === 'attempted' ? event.attempt : undefined
    if (tried) duration.observe(tried.durationMs / 1000)
    for (const one of event.results) {
      if (tried) {
        attempts.inc({ result: one.result })
        sites.inc({ site: siteLabel(event.site), result: one.result })
      }
      countOne(one, event.message.acceptedAt, now)
    }
  }
}

/** What the queue and the store say of themselves, asked at each scrape. */
export type Gauges = {
  readonly counts: () => Promise<QueueCounts>
  readonly now: () => number
  /** In memory, as the scheduler counts. */
  readonly queue: () => {
    readonly inFlight: number
    readonly active: number
    readonly resting: number
  }
  readonly damage: () => Promise<{ readonly count: number }>
}

export function watchQueue(metrics: Metrics, gauges: Gauges): void {
  let counts: QueueCounts | undefined
  metrics.gauge('posthorn_queue_messages', {
    help: 'Recipients in the queue, by state.',
    labels: ['state'],
    read: async (gauge) => {
      counts = await gauges.counts().catch(() => undefined)
      gauge.reset()
      if (!counts) return
      gauge.set({ state: 'ready' }, counts.ready)
      gauge.set({ state: 'held' }, counts.held)
      gauge.set({ state: 'in_flight' }, gauges.queue().inFlight)
    },
  })
  metrics.gauge('posthorn_queue_oldest_seconds', {
    help: 'Age of the oldest message in the queue; 0 when it is empty.',
    read: async (gauge) => {
      const oldest = (await gauges.counts().catch(() => counts))?.oldestAcceptedAt
      gauge.set(oldest === undefined ? 0 : Math.max(0, gauges.now() - oldest) / 1000)
    },
  })
  metrics.gauge('posthorn_queue_active', {
    help: 'Recipients of the queue that are in memory.',
    read: (gauge) => gauge.set(gauges.queue().active),
  })
  metrics.gauge('posthorn_sites_resting', {
    help: 'Sites that are left alone because they failed as a whole.',
    read: (gauge) => gauge.set(gauges.queue().resting),
  })
  metrics.gauge('posthorn_damaged_records', {
    help: 'Records set aside since the data folder was made.',
    read: async (gauge) => {
      const damage = await gauges.damage().catch(() => undefined)
      if (damage) gauge.set(damage.count)
    },
  })
}
