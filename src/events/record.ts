// The one place that turns events into log lines and numbers. A line per message accepted and per
// attempt (one more for each further answer, when recipients of one attempt were answered
// differently), so that a search for a queue id or an address tells the whole story.

import type { Recipient, ReversePath } from '../mail/envelope.ts'
import { describeCause } from '../mail/failure.ts'
import { formatMailbox } from '../mail/mailbox.ts'
import { formatMessageId, type Sender } from '../mail/message.ts'
import { describeReply } from '../mail/reply.ts'
import { unreachable } from '../std/assert.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { Attempted, EntryResult, Event, LoggedIn, Record, Result, Settled } from './event.ts'
import type { Figures } from './figures.ts'

/** More recipients, or different answers, than these are counted instead of named. */
const MOST_NAMED = 20
const MOST_LINES = 20
const LONGEST_TEXT = 1_000

/** Writes an event to the log; `now` is the wall clock. */
export type Teller = (event: Event, log: Log, now: number) => void

/** @param options.tell in other words than ours, for who reads them */
export function createRecord(options: {
  readonly log: Log
  readonly figures: Figures
  readonly clock: Clock
  readonly tell?: Teller | undefined
}): Record {
  const { log, figures, clock, tell: write = tell } = options
  return (event) => {
    const now = clock.now()
    figures.count(event, now)
    write(event, log, now)
  }
}

function tell(event: Event, log: Log, now: number): void {
  switch (event.kind) {
    case 'accepted':
      log.info(
        {
          id: formatMessageId(event.message.id),
          from: path(event.message.reversePath),
          to: named(event.recipients),
          size: event.message.size,
          by: senderName(event.message.sender),
          stream: streamOf(event.message.sender),
          door: event.door,
          world: event.message.world,
          ms: rounded(event.durationMs),
        },
        'accepted',
      )
      break
    case 'refused':
      log.info(
        {
          door: event.door,
          client: event.client,
          stage: event.stage,
          from: event.from === undefined ? undefined : path(event.from),
          to: event.to,
          reply: cut(describeReply(event.reply)),
        },
        'refused',
      )
      break
    case 'login':
      tellLogin(event, log)
      break
    case 'session':
      log.info(
        {
          door: event.door,
          client: event.client,
          hello: cut(event.helloName),
          tls: event.tls,
          credential: event.credential,
          accepted: event.accepted,
          refused: event.refused,
          end: event.end,
          ms: rounded(event.durationMs),
        },
        'session',
      )
      break
    case 'attempted':
      tellAttempt(event, log, now)
      break
    case 'settled':
      tellSettled(event, log, now)
      break
    default:
      tellRare(event, log)
      break
  }
}

const LONGEST_NAME = 100

/** What a stranger gave as his name stands in quotes, escaped and cut; a secret never does. */
function tellLogin(event: LoggedIn, log: Log): void {
  const { door, client, mechanism, result } = event
  const username = JSON.stringify(event.username.slice(0, LONGEST_NAME)).slice(1, -1)
  const fields = { door, client, mechanism, username }
  if (result === 'ok') log.info(fields, 'login')
  else log.warn({ ...fields, why: result }, 'login refused')
}

function tellAttempt(event: Attempted, log: Log, now: number): void {
  const { message, attempt } = event
  for (const { result, text, entries, nextAt } of byAnswer(event.results)) {
    const fields = {
      id: formatMessageId(message.id),
      from: path(message.reversePath),
      to: named(entries.map((one) => one.entry.recipient)),
      site: event.site,
      host: attempt.host,
      address: attempt.address,
      tls:
        attempt.tls && `${attempt.tls.version} ${attempt.tls.verified ? 'verified' : 'unverified'}`,
      ms: rounded(attempt.durationMs),
      delay: seconds(now - message.acceptedAt),
      tries: entries[0]!.entry.attempts + 1,
      next: nextAt === undefined ? undefined : new Date(nextAt).toISOString(),
      reply: cut(text),
    }
    if (result === 'delivered') log.info(fields, result)
    else log.warn(fields, result)
  }
}

/** Deferred with its site is told by the site's own line; ends are told each. */
function tellSettled(event: Settled, log: Log, now: number): void {
  const { message } = event
  for (const { result, text, entries, nextAt } of byAnswer(event.results)) {
    const fields = {
      id: formatMessageId(message.id),
      from: path(message.reversePath),
      to: named(entries.map((one) => one.entry.recipient)),
      site: event.site,
      delay: seconds(now - message.acceptedAt),
      next: nextAt === undefined ? undefined : new Date(nextAt).toISOString(),
      reply: cut(text),
    }
    if (result === 'deferred') log.debug(fields, 'deferred with its site')
    else log.warn(fields, result)
  }
}

type Rare = Exclude<
  Event,
  Attempted | Settled | { kind: 'accepted' | 'refused' | 'login' | 'session' }
>

function tellRare(event: Rare, log: Log): void {
  switch (event.kind) {
    case 'notice':
      log.info(
        {
          id: formatMessageId(event.notice),
          about: formatMessageId(event.about),
          to: path(event.to),
          actions: [...new Set(event.actions)].join(' '),
        },
        'notice',
      )
      break
    case 'notice-dropped':
      log.warn({ about: formatMessageId(event.about), why: cut(event.why) }, 'notice dropped')
      break
    case 'damaged':
      log.error({ id: formatMessageId(event.message), why: cut(event.why) }, 'damaged')
      break
    case 'site-rested':
      log.warn(
        {
          site: event.site,
          seconds: seconds(event.restMs),
          entries: event.entries,
          why: cut(describeCause(event.failure.cause)),
        },
        'site rests',
      )
      break
    case 'site-woke':
      log.debug({ site: event.site }, 'site is tried again')
      break
    case 'connected':
      log.debug({ door: event.door, client: event.client }, 'connected')
      break
    case 'turned-away':
      log.warn({ door: event.door, client: event.client }, 'turned away: too many connections')
      break
    case 'clock-stepped':
      log.warn(
        { longestWait: seconds(event.longestWaitMs) },
        'the clock was set back; the queue follows it',
      )
      break
    default:
      unreachable(event)
  }
}

type Group = {
  readonly result: Result
  readonly text: string
  readonly nextAt: number | undefined
  readonly entries: EntryResult[]
}

/** Entries that met the same answer share a line; as a rule there is one line. */
function byAnswer(results: readonly EntryResult[]): Iterable<Group> {
  const first = results[0]
  if (!first) return []
  if (results.length === 1) return [{ ...first, nextAt: first.nextAt, entries: [first] }]
  const groups = new Map<string, Group>()
  for (const one of results) {
    const key = `${one.result} ${one.text}`
    const known = groups.get(key) ?? (groups.size < MOST_LINES ? undefined : groups.get(one.result))
    if (known) known.entries.push(one)
    else {
      const group = { ...one, nextAt: one.nextAt, entries: [one] }
      groups.set(groups.size < MOST_LINES ? key : one.result, group)
    }
  }
  return groups.values()
}

/** `a@b`, or `a@b c@d …` as one text, so that a search finds each. */
function named(recipients: readonly Recipient[]): string {
  const [only] = recipients
  if (only && recipients.length === 1) return formatMailbox(only.mailbox)
  const names = recipients.slice(0, MOST_NAMED).map((recipient) => formatMailbox(recipient.mailbox))
  const more = recipients.length - names.length
  return more > 0 ? `${names.join(' ')} and ${more} more` : names.join(' ')
}

function path(reversePath: ReversePath): string {
  return reversePath === null ? '<>' : formatMailbox(reversePath)
}

function senderName(sender: Sender): string {
  switch (sender.kind) {
    case 'credential':
      return sender.name
    case 'network':
      return sender.address
    case 'posthorn':
      return 'posthorn'
    default:
      return unreachable(sender)
  }
}

function streamOf(sender: Sender): string | undefined {
  return sender.kind === 'credential' ? sender.stream : undefined
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}

function seconds(ms: number): number {
  return Math.round(Math.max(0, ms)) / 1000
}
