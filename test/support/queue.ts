// A queue for tests: the real store in a temporary folder, a clock that the test drives, and a
// delivery that does what the test says.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event } from '../../src/events/event.ts'
import type { Batch, Deliver } from '../../src/mail/batch.ts'
import type { Domain } from '../../src/mail/domain.ts'
import type { QueueEntry, SiteName } from '../../src/mail/entry.ts'
import type { Envelope, Recipient } from '../../src/mail/envelope.ts'
import type { Attempt, Failure, Outcome, Scope } from '../../src/mail/failure.ts'
import { parseMailbox } from '../../src/mail/mailbox.ts'
import type { Message, World } from '../../src/mail/message.ts'
import { reply } from '../../src/mail/reply.ts'
import { status } from '../../src/mail/status.ts'
import { createOperations, type Operations } from '../../src/queue/operate.ts'
import { QUEUE_LIMITS, type QueueLimits } from '../../src/queue/options.ts'
import { doublingSchedule, SANDBOX_SCHEDULE, type Schedules } from '../../src/queue/schedule.ts'
import { Scheduler } from '../../src/queue/scheduler.ts'
import { createSettler } from '../../src/queue/settle.ts'
import type { SiteLimits } from '../../src/queue/site.ts'
import { SteadyTime } from '../../src/queue/steady.ts'
import { systemClock } from '../../src/std/clock.ts'
import { type Log, silentLog } from '../../src/std/log.ts'
import { openStore } from '../../src/store/sqlite/open.ts'
import type { NewMessage, Store } from '../../src/store/store.ts'
import { ManualClock, turns } from './clock.ts'

export type Answer = (batch: Batch, entry: QueueEntry) => Outcome

export type QueueUnderTest = AsyncDisposable & {
  readonly clock: ManualClock
  readonly store: Store
  readonly scheduler: Scheduler
  readonly operations: Operations
  readonly events: Event[]
  /** Every batch that was tried, in order. */
  readonly batches: Batch[]
  /** What peers answer; change it at any time. */
  answer: Answer
  /** Replaces the whole delivery. */
  deliver: Deliver | undefined
  /** The peer announces DSN. */
  peerReports: boolean
  /** Accepts as intake does: commits, then hands over. */
  send(mail: Mail): Promise<Message>
  /** Commits, and does not tell the scheduler. */
  keep(mail: Mail): Promise<NewMessage>
  /** A new scheduler over the same store, as after a restart. */
  restart(): Promise<void>
  /** Recipients that were delivered, in order. */
  delivered(): string[]
  notices(): Promise<{ message: Message; recipients: readonly Recipient[]; content: Buffer }[]>
}

export type Mail = {
  readonly to: readonly string[] | string
  readonly from?: string | null
  readonly content?: string
  readonly world?: World
  readonly recipient?: Omit<Recipient, 'mailbox'>
  readonly message?: Partial<Message>
  readonly at?: number
}

type Options = {
  /** For the pauses; always in the middle by default. */
  readonly random?: () => number
  readonly limits?: Partial<QueueLimits>
  readonly siteLimits?: (site: SiteName) => Partial<SiteLimits>
  readonly schedules?: Schedules
  readonly log?: Log
  readonly languages?: readonly ('en' | 'ru')[]
  /** The store that the queue sees, around the real one. */
  readonly wrap?: (store: Store) => Store
}

export const OK: Outcome = { kind: 'delivered', reply: reply(250, '2.0.0', 'Ok: taken') }

export function says(
  code: number,
  enhanced: string,
  text: string,
  scope: Scope = 'recipient',
): Outcome {
  const failure: Failure = {
    permanence: code >= 500 ? 'permanent' : 'transient',
    scope,
    status: status(enhanced),
    cause: {
      kind: 'reply',
      stage: 'rcpt',
      host: 'mx.example.net',
      reply: reply(code, enhanced, text),
    },
  }
  return { kind: 'failed', failure }
}

/** Nobody answers at the whole site. */
export const DEAD: Outcome = {
  kind: 'failed',
  failure: {
    permanence: 'transient',
    scope: 'site',
    status: status('4.4.1'),
    cause: { kind: 'network', stage: 'connect', code: 'ETIMEDOUT', text: 'no answer' },
  },
}

const HOST = 'mail.sender.example' as Domain
const HOUR = 3_600_000
const USUAL_SCHEDULES: Schedules = {
  live: doublingSchedule({
    firstMs: 60_000,
    longestMs: HOUR,
    expireAfterMs: 72 * HOUR,
    noticeAfterMs: 4 * HOUR,
  }),
  sandbox: SANDBOX_SCHEDULE,
}

export async function openQueue(options: Options = {}): Promise<QueueUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-queue-'))
  const clock = new ManualClock()
  const real = await openStore({ folder, clock: systemClock, log: silentLog, reserveBytes: 0 })
  const store = options.wrap ? options.wrap(real) : real
  const events: Event[] = []
  const batches: Batch[] = []

  const makeMessage = (mail: Mail): NewMessage => {
    const content = Buffer.from(mail.content ?? 'Subject: hello\r\n\r\nHi.\r\n')
    const addresses = typeof mail.to === 'string' ? [mail.to] : mail.to
    const acceptedAt = mail.at ?? clock.now()
    const message: Message = {
      id: real.nextMessageId(),
      reversePath: mail.from === null ? null : mailbox(mail.from ?? 'ann@sender.example'),
      body: '7bit',
      smtputf8: false,
      requireTls: false,
      fromDomain: 'sender.example' as Domain,
      world: mail.world ?? 'live',
      sender: { kind: 'credential', name: 'app' },
      prefix: 'Message-ID: <1@sender.example>\r\n',
      size: content.length + 32,
      acceptedAt,
      ...mail.message,
    }
    return {
      message,
      entries: addresses.map((address, index) => ({
        message: message.id,
        index,
        recipient: { mailbox: mailbox(address), ...mail.recipient },
        site: mailbox(address).domain,
        state: message.holdUntil
          ? { kind: 'ready', at: message.holdUntil, chosen: true }
          : { kind: 'ready', at: acceptedAt },
        attempts: 0,
        acceptedAt,
        delayNoticed: false,
      })),
      rows: [content],
      firstRow: 0,
    }
  }

  const compose = async (
    envelope: Envelope,
    content: Uint8Array,
    { about }: { about: Pick<Message, 'fromDomain' | 'world'> },
  ) =>
    makeMessage({
      from: null,
      to: envelope.recipients.map((one) => `${one.mailbox.localPart}@${one.mailbox.domain}`),
      content: Buffer.from(content).toString('latin1'),
      message: {
        prefix: '',
        fromDomain: about.fromDomain,
        world: about.world,
        sender: { kind: 'posthorn' },
        body: envelope.body,
      },
    })

  const schedules = options.schedules ?? USUAL_SCHEDULES
  const build = () => {
    const time = new SteadyTime(clock)
    const common = {
      time,
      clock,
      random: options.random ?? (() => 0.5),
      events: (event: Event) => events.push(event),
    }
    const settler = createSettler({
      ...common,
      store,
      compose,
      hostname: HOST,
      languages: options.languages ?? [],
      schedules,
    })
    const scheduler = new Scheduler({
      ...common,
      store,
      settler,
      deliver: (batch, signal) => (queue.deliver ?? answering)(batch, signal),
      siteLimits: (site) => ({
        connections: 20,
        recipientsPerBatch: 100,
        initialWindow: 5,
        ...options.siteLimits?.(site),
      }),
      schedules,
      log: options.log ?? silentLog,
      limits: { ...QUEUE_LIMITS, ...options.limits },
    })
    const operations = createOperations({ store, settler, scheduler, time })
    return { scheduler, operations }
  }

  const answering: Deliver = async (batch) => {
    batches.push(batch)
    const outcomes = new Map(
      batch.entries.map((entry) => [entry.index, queue.answer(batch, entry)]),
    )
    const attempt: Attempt = {
      startedAt: clock.now(),
      durationMs: 12,
      host: 'mx.example.net',
      address: '192.0.2.25',
      peerReports: queue.peerReports,
      outcomes,
    }
    return attempt
  }

  const parts = build()
  const queue = {
    clock,
    store,
    ...parts,
    events,
    batches,
    answer: (() => OK) as Answer,
    deliver: undefined as Deliver | undefined,
    peerReports: false,
    async keep(mail: Mail) {
      const message = makeMessage(mail)
      await real.commit(message)
      return message
    },
    async send(mail: Mail) {
      const message = await queue.keep(mail)
      const { holdUntil } = message.message
      if (holdUntil === undefined) queue.scheduler.add(message)
      else queue.scheduler.expect(holdUntil)
      return message.message
    },
    async restart() {
      await queue.scheduler.drain(1_000)
      Object.assign(queue, build())
      await queue.scheduler.start()
    },
    delivered: () =>
      events.flatMap((event) =>
        event.kind === 'attempted'
          ? event.results.filter(({ result }) => result === 'delivered').map(address)
          : [],
      ),
    async notices() {
      const found: Awaited<ReturnType<QueueUnderTest['notices']>> = []
      for (const batch of batches) {
        if (batch.message.sender.kind !== 'posthorn' || batch.message.reversePath) continue
        const content = Buffer.from((await batch.content()).whole!)
        const recipients = batch.entries.map((entry) => entry.recipient)
        found.push({ message: batch.message, recipients, content })
      }
      return found
    },
    async [Symbol.asyncDispose]() {
      await queue.scheduler.drain(0)
      await real[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
  clock.settle = async () => {
    await turns(2)
    await queue.scheduler.idle()
    await turns(2)
  }
  return queue
}

function address({ entry }: { entry: QueueEntry }): string {
  return `${entry.recipient.mailbox.localPart}@${entry.recipient.mailbox.domain}`
}

function mailbox(text: string) {
  const parsed = parseMailbox(text)
  if (!parsed) throw new TypeError(`not a mailbox: ${text}`)
  return parsed
}
