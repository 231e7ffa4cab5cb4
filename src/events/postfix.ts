// Events in the words of Postfix, for the programs that read its log: fail2ban, pflogsumm and what
// people have written themselves. A line names its daemon; the Log puts time, host and process before
// it (std/syslog.ts). What strangers chose stands where a reader expects text, without the signs that
// end it, so that it can forge neither a line nor the address in one.
//
// Postfix has a process for each session; here the session's number stands in its place, so that
// lines of one session can be told from those of another.

import type { Envelope } from '../mail/envelope.ts'
import type { Outcome } from '../mail/failure.ts'
import { fieldValue } from '../mail/header.ts'
import { formatMailbox, type Mailbox } from '../mail/mailbox.ts'
import { formatMessageId, type Message, type MessageId } from '../mail/message.ts'
import { describeReply, type Reply } from '../mail/reply.ts'
import { unreachable } from '../std/assert.ts'
import type { Log } from '../std/log.ts'
import type {
  Accepted,
  Attempted,
  EntryResult,
  LoggedIn,
  Refused,
  SessionEnded,
  Settled,
} from './event.ts'
import type { Teller } from './record.ts'

/** Messages whose recipients are counted, so that the last one's end can be told; the oldest are forgotten. */
const MOST_COUNTED = 100_000
const LONGEST_TEXT = 500

type Level = 'debug' | 'info' | 'warn'

/** Recipients that are left; `listed`: the queue manager's line was written. */
type Counted = { left: number; listed: boolean }

export function postfixTeller(): Teller {
  const queue = new Map<MessageId, Counted>()
  return (event, log, now) => {
    switch (event.kind) {
      case 'connected':
        return write(log, smtpd(event), `connect from ${peer(event.client)}`)
      case 'turned-away':
        return write(
          log,
          { ...smtpd(event), level: 'warn' },
          `warning: Connection concurrency limit exceeded: from ${peer(event.client)} for service ${event.door}`,
        )
      case 'session':
        return tellEnd(event, log)
      case 'login':
        return tellLogin(event, log)
      case 'refused':
        return tellRefused(event, log)
      case 'accepted':
        return tellAccepted(event, log, queue)
      case 'attempted':
      case 'settled':
        return tellResults(event, { log, queue, now })
      case 'notice':
        remember(queue, event.notice, { left: 1, listed: false })
        return write(
          log,
          { daemon: 'postfix/bounce' },
          `${formatMessageId(event.about)}: sender ${noticeName(event.actions)} notification: ${formatMessageId(event.notice)}`,
        )
      case 'notice-dropped':
        return write(
          log,
          { daemon: 'postfix/bounce', level: 'warn' },
          `${formatMessageId(event.about)}: no notification: ${text(event.why)}`,
        )
      case 'damaged':
        return write(
          log,
          { daemon: 'postfix/qmgr', level: 'warn' },
          `warning: ${formatMessageId(event.message)}: damaged: ${text(event.why)}`,
        )
      case 'site-rested':
      case 'site-woke':
      case 'clock-stepped':
        return
      default:
        unreachable(event)
    }
  }
}

type Columns = { readonly daemon: string; readonly number?: number; readonly level?: Level }

function write(log: Log, { level = 'info', ...columns }: Columns, line: string): void {
  log[level](columns, line)
}

/** The names that Postfix gives to what listens on the ports of submission. */
const SERVICES: ReadonlyMap<string, string> = new Map([
  ['submission', 'postfix/submission/smtpd'],
  ['submissions', 'postfix/smtps/smtpd'],
])

function smtpd({ door, session }: { door: string; session?: number | undefined }): Columns {
  const daemon = SERVICES.get(door) ?? 'postfix/smtpd'
  return { daemon, ...(session !== undefined && { number: session }) }
}

/** No name is looked up for clients. */
function peer(address: string): string {
  const name = address === '::1' || address.startsWith('127.') ? 'localhost' : 'unknown'
  return `${name}[${address}]`
}

function tellEnd(event: SessionEnded, log: Log): void {
  const to = smtpd(event)
  const client = peer(event.client)
  if (/too many errors/.test(event.end)) write(log, to, `too many errors after END from ${client}`)
  else if (event.end === 'timeout') write(log, to, `timeout after END from ${client}`)
  else if (/^connection |during a transaction$/.test(event.end))
    write(
      log,
      to,
      `lost connection after ${/trans/.test(event.end) ? 'MAIL' : 'END'} from ${client}`,
    )
  write(log, to, `disconnect from ${client}`)
}

const WHY_NOT: Readonly<Record<Exclude<LoggedIn['result'], 'ok'>, string>> = {
  wrong: 'authentication failure',
  network: 'not from this network',
  throttled: 'too many failures from this address',
}

/** A login that succeeds is told with the mail. */
function tellLogin(event: LoggedIn, log: Log): void {
  if (event.result === 'ok') return
  const { mechanism, username, client } = event
  const why = `SASL ${mechanism} authentication failed: ${WHY_NOT[event.result]}`
  write(
    log,
    { ...smtpd(event), level: 'warn' },
    `warning: ${peer(client)}: ${why}, sasl_username=${name(username)}`,
  )
}

const STAGES: ReadonlyMap<string, string> = new Map([
  ['mail', 'MAIL'],
  ['rcpt', 'RCPT'],
  ['data', 'END-OF-MESSAGE'],
  ['bdat', 'END-OF-MESSAGE'],
])

/** Mail that was refused; mistakes in the protocol are not told, as Postfix does not. */
function tellRefused(event: Refused, log: Log): void {
  const { reply } = event
  const stage = STAGES.get(event.stage)
  if (stage === undefined || reply.code === 503) return
  const parts = [
    ...(event.from === undefined ? [] : [`from=<${path(event.from)}>`]),
    ...(event.to === undefined ? [] : [`to=<${address(event.to)}>`]),
    ...(event.protocol === undefined ? [] : [`proto=${event.protocol}`]),
    ...(event.helloName ? [`helo=<${address(event.helloName)}>`] : []),
  ]
  const says = `${saidOf(reply)}; ${parts.join(' ')}`
  write(
    log,
    { ...smtpd(event), level: 'warn' },
    `NOQUEUE: reject: ${stage} from ${peer(event.client)}: ${says}`,
  )
}

/** Who may not relay is found by these words. */
function saidOf(reply: Reply): string {
  const says = text(describeReply(reply)).replaceAll(';', ',')
  return reply.code === 530 ? `554 5.7.1 Relay access denied: ${says}` : says
}

function tellAccepted(event: Accepted, log: Log, queue: Map<MessageId, Counted>): void {
  const { message, client, held } = event
  const id = formatMessageId(message.id)
  if (client?.session !== undefined) {
    const login =
      message.sender.kind === 'credential'
        ? `, sasl_method=${client.mechanism ?? 'unknown'}, sasl_username=${name(message.sender.name)}`
        : ''
    const door = smtpd({ door: event.door, session: client.session })
    write(log, door, `${id}: client=${peer(client.address)}${login}`)
  } else
    write(log, { daemon: 'postfix/pickup' }, `${id}: uid=0 from=<${path(message.reversePath)}>`)
  if (event.messageId) {
    const value = text(fieldValue(event.messageId)).replace(/^<?/, '<').replace(/>?$/, '>')
    write(log, { daemon: 'postfix/cleanup' }, `${id}: message-id=${value}`)
  }
  const left = event.recipients.length
  remember(queue, message.id, { left, listed: held !== true })
  if (held)
    write(
      log,
      { daemon: 'postfix/cleanup' },
      `${id}: hold: header; from=<${path(message.reversePath)}>`,
    )
  else list(message, left, log)
}

function list(message: Message, recipients: number, log: Log): void {
  write(
    log,
    { daemon: 'postfix/qmgr' },
    `${formatMessageId(message.id)}: from=<${path(message.reversePath)}>, size=${message.size}, nrcpt=${recipients} (queue active)`,
  )
}

type Telling = { readonly log: Log; readonly queue: Map<MessageId, Counted>; readonly now: number }

function tellResults(event: Attempted | Settled, { log, queue, now }: Telling): void {
  const { message, results } = event
  const counted = queue.get(message.id)
  if (!counted?.listed && event.kind === 'attempted') {
    list(message, counted?.left ?? results.length, log)
    if (counted) counted.listed = true
    // What came before a restart: how many are left is not known.
    else remember(queue, message.id, { left: Number.POSITIVE_INFINITY, listed: true })
  }
  for (const one of results) tellResult(event, one, { log, now })
  const known = queue.get(message.id)
  if (!known) return
  known.left -= results.filter(({ result }) => result !== 'deferred').length
  if (known.left > 0) return
  queue.delete(message.id)
  write(log, { daemon: 'postfix/qmgr' }, `${formatMessageId(message.id)}: removed`)
}

function tellResult(
  event: Attempted | Settled,
  one: EntryResult,
  { log, now }: { log: Log; now: number },
): void {
  const { message } = event
  const id = formatMessageId(message.id)
  const expired = `${id}: from=<${path(message.reversePath)}>, status=expired, returned to sender`
  const to = `to=<${path(one.entry.recipient.mailbox)}>${original(one)}`
  const line = (status: string, fallback: string) =>
    `${id}: ${to}, ${route(event, now)}, dsn=${dsn(event, one, fallback)}, status=${status} (${text(one.text)})`
  const smtp = { daemon: event.kind === 'attempted' ? 'postfix/smtp' : 'postfix/error' }
  switch (one.result) {
    case 'delivered':
      write(log, smtp, line('sent', '2.0.0'))
      break
    case 'bounced':
      write(log, { ...smtp, level: 'warn' }, line('bounced', '5.0.0'))
      break
    case 'deferred': {
      // With its site: the site's rest is no news for each of thousands.
      const level = event.kind === 'attempted' ? 'warn' : 'debug'
      write(log, { ...smtp, level }, line('deferred', '4.0.0'))
      break
    }
    case 'expired':
      if (event.kind === 'attempted')
        write(log, { ...smtp, level: 'warn' }, line('deferred', '4.4.7'))
      write(log, { daemon: 'postfix/qmgr', level: 'warn' }, expired)
      break
    case 'cancelled':
      write(log, { daemon: 'postfix/postsuper', level: 'warn' }, `${id}: cancelled`)
      break
    default:
      unreachable(one.result)
  }
}

/** Before an alias, who was asked for. */
function original({ entry: { recipient } }: EntryResult): string {
  const [, was] = /^rfc822;(.+)$/i.exec(recipient.originalRecipient ?? '') ?? []
  if (was === undefined || was === formatMailbox(recipient.mailbox)) return ''
  return `, orig_to=<${address(was)}>`
}

/** Where, and how long: in all, and before the attempt, waiting for a session, connecting, sending. */
function route(event: Attempted | Settled, now: number): string {
  const { acceptedAt } = event.message
  const delay = duration(now - acceptedAt)
  if (event.kind === 'settled') return `relay=none, delay=${delay}, delays=${delay}/0/0/0`
  const { host, address: at, port = 25, startedAt, durationMs } = event.attempt
  const relay = host === undefined ? 'none' : `${address(host)}[${at}]:${port}`
  return `relay=${relay}, delay=${delay}, delays=${duration(startedAt - acceptedAt)}/0/0/${duration(durationMs)}`
}

function dsn(event: Attempted | Settled, { entry }: EntryResult, fallback: string): string {
  const outcome: Outcome | undefined =
    event.kind === 'attempted' ? event.attempt.outcomes.get(entry.index) : undefined
  const status =
    outcome?.kind === 'failed'
      ? outcome.failure.status
      : (outcome?.reply.status ?? entry.lastFailure?.status)
  if (status === undefined || (!outcome && event.kind === 'attempted')) return fallback
  return `${status.class}.${status.subject}.${status.detail}`
}

/** Seconds as Postfix shows them: two digits that count, below a hundred. */
function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  return seconds >= 100 ? String(Math.round(seconds)) : String(Number(seconds.toPrecision(2)))
}

function noticeName(actions: readonly string[]): string {
  if (actions.includes('failed')) return 'non-delivery'
  return actions.includes('delayed') ? 'delay' : 'delivery status'
}

function remember(queue: Map<MessageId, Counted>, id: MessageId, counted: Counted): void {
  queue.set(id, counted)
  if (queue.size <= MOST_COUNTED) return
  const [oldest] = queue.keys()
  if (oldest !== undefined) queue.delete(oldest)
}

function path(mailbox: Mailbox | Envelope['reversePath']): string {
  return mailbox === null ? '' : address(formatMailbox(mailbox))
}

/** Between `<` and `>`: nothing that ends it. */
function address(foreign: string): string {
  return foreign.slice(0, LONGEST_TEXT).replace(/[<>\s\p{Cc}]/gu, '?')
}

/** A word of its own. */
function name(foreign: string): string {
  return foreign.slice(0, 100).replace(/[<>[\](),;:=\s\p{Cc}]/gu, '?')
}

/** Any text, on one line. */
function text(foreign: string): string {
  const short = foreign.length > LONGEST_TEXT ? `${foreign.slice(0, LONGEST_TEXT)}...` : foreign
  return short.replace(/\p{Cc}+/gu, ' ')
}
