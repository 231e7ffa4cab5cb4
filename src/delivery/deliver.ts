// How mail gets out: one attempt for one message at one site, from top to bottom. Route, hosts,
// session, transaction, verdict; the result has an outcome for every entry of the batch, whatever
// the world did. Nothing here touches the queue.
//
// route.ts says where to, by configuration; connect.ts walks the hosts; sessions.ts keeps sessions
// for the next message; fit.ts knows what a peer cannot take; classify.ts decides what it all means.
// What can go wrong: everything that peers, networks and DNS can do, which is classify.ts's table;
// content that cannot be read, which defers the message; and ourselves, which defers it and shouts.

import type { Batch, Deliver } from '../mail/batch.ts'
import { UnsafeContent } from '../mail/dot.ts'
import type { QueueEntry, SiteName } from '../mail/entry.ts'
import type { Attempt, Failure, Outcome } from '../mail/failure.ts'
import type { Mailbox } from '../mail/mailbox.ts'
import type { Message, World } from '../mail/message.ts'
import { status } from '../mail/status.ts'
import type { ByWish } from '../mail/wishes.ts'
import { type ClientSession, type ClientTimeouts, clientTimeouts } from '../smtp/client.ts'
import { TlsMemory } from '../smtp/tls-memory.ts'
import { type Letter, type Transaction, transact } from '../smtp/transact.ts'
import type { Clock } from '../std/clock.ts'
import { judge, localFailure } from './classify.ts'
import { Walk, type WalkDeps } from './connect.ts'
import { unfitness } from './fit.ts'
import { createRouter, type Route, type RouteConfig, type Router } from './route.ts'
import { demandsKey, demandsOf } from './security.ts'
import { type KeepLimits, Sessions } from './sessions.ts'

export type DeliveryDeps = Omit<WalkDeps, 'timeouts' | 'tlsMemory'> & {
  readonly routes: RouteConfig
  /** Authorities to trust beside the usual ones, PEM. */
  readonly trust?: readonly string[]
  readonly timeouts?: Partial<ClientTimeouts>
  readonly direct?: Partial<KeepLimits>
  readonly relay?: Partial<KeepLimits>
}

export type Delivery = {
  readonly deliver: Deliver
  /** The site that the queue files an entry under. */
  siteOf(mailbox: Mailbox, world: World): SiteName
  /** Where a recipient's mail would go, by configuration alone. */
  routeOf(mailbox: Mailbox, world: World): Route
  /** How many sessions a relay's site may have; undefined for other sites. */
  connectionsAt(site: SiteName): number | undefined
  /** Sessions that carry mail now, and such as wait for some. */
  sessions(): { readonly busy: number; readonly idle: number }
  /** Quits all idle sessions; those in use leave after their transaction. */
  close(): Promise<void>
}

const KEEP_DIRECT: KeepLimits = { idleMs: 30_000, messages: 100, ageMs: 300_000 }
const KEEP_RELAY: KeepLimits = { idleMs: 300_000, messages: 1_000, ageMs: 3_600_000 }

/** Builds the room: what lives over many attempts is kept here. */
export function createDelivery(deps: DeliveryDeps): Delivery {
  const router = createRouter(deps.routes)
  const sessions = new Sessions(deps.clock, deps.log)
  const tools: Tools = {
    router,
    sessions,
    walk: {
      ...deps,
      timeouts: { ...clientTimeouts, ...deps.timeouts },
      tlsMemory: new TlsMemory(deps.clock, deps.trust),
    },
    keep: {
      direct: { ...KEEP_DIRECT, ...deps.direct },
      relay: { ...KEEP_RELAY, ...deps.relay },
    },
  }
  return {
    deliver: (batch, signal) => deliver(batch, signal, tools),
    siteOf: router.siteOf,
    routeOf: router.routeOf,
    connectionsAt: router.connectionsAt,
    sessions: () => sessions.counts,
    close: () => sessions.close(),
  }
}

type Tools = {
  readonly router: Router
  readonly sessions: Sessions
  readonly walk: WalkDeps
  readonly keep: Readonly<Record<Route['kind'], KeepLimits>>
}

/** An attempt while it runs. */
type Progress = {
  pending: readonly QueueEntry[]
  readonly outcomes: Map<number, Outcome>
  /** The last one that was talked to. */
  session: ClientSession | undefined
}

async function deliver(batch: Batch, signal: AbortSignal, tools: Tools): Promise<Attempt> {
  const { clock, log } = tools.walk
  const startedAt = clock.now()
  const start = clock.elapsed()
  const progress: Progress = { pending: batch.entries, outcomes: new Map(), session: undefined }
  try {
    await attempt(batch, progress, { ...tools, signal })
  } catch (error) {
    log.error({ err: error, site: batch.site, message: batch.message.id }, 'delivery failed inside')
    failPending(progress, ownFailure(error))
  }
  const { session, outcomes } = progress
  return {
    startedAt,
    durationMs: clock.elapsed() - start,
    ...(session && { host: session.host, address: session.address, port: session.port }),
    ...(session?.tls && { tls: session.tls }),
    peerReports: session?.capabilities.dsn ?? false,
    ...(session?.capabilities.deliverBy !== undefined && { peerDeliversBy: true }),
    outcomes,
  }
}

/** The flow: sessions, kept or new, until every recipient has an outcome or no host is left. */
async function attempt(
  batch: Batch,
  progress: Progress,
  tools: Tools & { readonly signal: AbortSignal },
): Promise<void> {
  const { message, entries } = batch
  const { signal, sessions } = tools
  const route = tools.router.routeOf(entries[0]!.recipient.mailbox, message.world)
  const demands = demandsOf(route, message)
  const key = `${batch.site} ${demandsKey(demands)}`
  const limits = tools.keep[route.kind]
  let walk = new Walk(route, demands, tools.walk)
  let letter: Letter | undefined
  let mayReuse = true
  while (progress.pending.length > 0) {
    const kept = mayReuse && !signal.aborted ? sessions.take(key, signal) : undefined
    const session = kept ?? (await walk.next(signal))
    if (!session) return failPending(progress, walk.failure)
    if (!kept) sessions.use(session, signal)
    progress.session = session
    try {
      letter ??= {
        message,
        content: await batch.content(),
        by: timeLeft(message, tools.walk.clock),
      }
      const end = await converse(session, letter, { progress, sessions, limits, kept: !!kept })
      if (end.kind === 'elsewhere') {
        walk.note(end.failure)
        if (kept) walk.pass(session.address)
      }
      // A full session is followed by another one with the same host, a stale one by a fresh one.
      else if (!kept && end.kind === 'full') walk = new Walk(route, demands, tools.walk)
      mayReuse = end.kind === 'full'
    } finally {
      sessions.release(key, session, limits)
    }
  }
}

/** What is left of the sender's time, for the next server. */
function timeLeft({ deliverBy }: Message, clock: Clock): ByWish | undefined {
  if (!deliverBy) return undefined
  const { at, ...how } = deliverBy
  return { ...how, seconds: Math.floor((at - clock.now()) / 1000) }
}

type End =
  | { readonly kind: 'done' | 'full' | 'stale' }
  | { readonly kind: 'elsewhere'; readonly failure: Failure }

type Conversation = {
  readonly progress: Progress
  readonly sessions: Sessions
  readonly limits: KeepLimits
  readonly kept: boolean
}

/** Transactions over one session, until nothing is pending or the session is used up. */
async function converse(
  session: ClientSession,
  letter: Letter,
  options: Conversation,
): Promise<End> {
  const { progress } = options
  let isFirst = options.kept
  for (;;) {
    const most = session.capabilities.limits.rcptMax ?? progress.pending.length
    const group =
      most < progress.pending.length ? progress.pending.slice(0, most) : progress.pending
    const recipients = group.map((entry) => entry.recipient)
    const unfit = await unfitness(session, letter, recipients)
    if (unfit) {
      failPending(progress, unfit)
      return { kind: 'done' }
    }
    const seen = await transact(session, letter, recipients)
    if (isFirst && isStale(seen)) return { kind: 'stale' }
    isFirst = false
    const elsewhere = settle(progress, group, judge(seen, session.host))
    if (elsewhere) {
      session.leaving = true
      return { kind: 'elsewhere', failure: elsewhere }
    }
    if (progress.pending.length === 0) return { kind: 'done' }
    if (!options.sessions.hasRoom(session, options.limits)) return { kind: 'full' }
  }
}

/** A kept session whose peer had left meanwhile, with or without a 421: nothing has happened yet. */
function isStale(seen: Transaction): boolean {
  if (seen.mail) return seen.mail.code === 421
  const { fault } = seen
  return (
    fault?.seen.kind === 'network' && fault.seen.code !== 'timeout' && fault.seen.code !== 'aborted'
  )
}

/** Enters the verdicts; returns why the session is of no more use, if so. */
function settle(
  progress: Progress,
  group: readonly QueueEntry[],
  verdicts: ReturnType<typeof judge>,
): Failure | undefined {
  let elsewhere: Failure | undefined
  let aboutMessage: Failure | undefined
  for (const [i, verdict] of verdicts.entries()) {
    switch (verdict.kind) {
      case 'again':
        break
      case 'elsewhere':
        elsewhere ??= verdict.failure
        break
      case 'failed':
        if (verdict.failure.scope === 'message') aboutMessage = verdict.failure
        progress.outcomes.set(group[i]!.index, verdict)
        break
      case 'delivered':
        progress.outcomes.set(group[i]!.index, verdict)
        break
    }
  }
  progress.pending = progress.pending.filter(({ index }) => !progress.outcomes.has(index))
  if (aboutMessage) failPending(progress, aboutMessage)
  return progress.pending.length > 0 ? elsewhere : undefined
}

function failPending(progress: Progress, failure: Failure): void {
  const outcome: Outcome = { kind: 'failed', failure }
  for (const { index } of progress.pending) progress.outcomes.set(index, outcome)
  progress.pending = []
}

/** What is thrown at us is our own: the content's rows, or a bug. */
function ownFailure(error: unknown): Failure {
  const text = error instanceof Error ? error.message : String(error)
  if (!(error instanceof UnsafeContent)) return localFailure(text)
  // It will be the same tomorrow: such content must never leave (RFC 5321 §2.3.8).
  const cause = { kind: 'local', text } as const
  return { permanence: 'permanent', scope: 'message', status: status('5.6.0'), cause }
}
