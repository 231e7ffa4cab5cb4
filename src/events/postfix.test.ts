import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Domain } from '../mail/domain.ts'
import type { QueueEntry } from '../mail/entry.ts'
import type { Attempt, Outcome } from '../mail/failure.ts'
import type { Message, MessageId } from '../mail/message.ts'
import { reply } from '../mail/reply.ts'
import { status } from '../mail/status.ts'
import type { Log, LogFields } from '../std/log.ts'
import type { EntryResult, Event, Result } from './event.ts'
import { postfixTeller } from './postfix.ts'

const NOW = 100_000
const domain = 'example.net' as Domain
const message: Message = {
  id: 77 as MessageId,
  reversePath: { localPart: 'ann', domain },
  body: '7bit',
  smtputf8: false,
  requireTls: false,
  fromDomain: domain,
  world: 'live',
  sender: { kind: 'network', address: '192.0.2.9' },
  prefix: '',
  size: 1234,
  acceptedAt: NOW - 1_930,
}
const entry = (localPart: string, index = 0): QueueEntry => ({
  message: message.id,
  index,
  recipient: { mailbox: { localPart, domain } },
  site: 'example.net',
  state: { kind: 'ready', at: 0 },
  attempts: 0,
  acceptedAt: message.acceptedAt,
  delayNoticed: false,
})
const outcomes: Readonly<Partial<Record<Result, Outcome>>> = {
  delivered: { kind: 'delivered', reply: reply(250, '2.6.0', 'Ok') },
  bounced: failed('permanent', '5.1.1'),
  deferred: failed('transient', '4.2.2'),
}

function failed(permanence: 'transient' | 'permanent', code: '5.1.1' | '4.2.2'): Outcome {
  const cause = { kind: 'local', text: 'why' } as const
  return {
    kind: 'failed',
    failure: { permanence, scope: 'recipient', status: status(code), cause },
  }
}

const result = (kind: Result, index = 0): EntryResult => ({
  entry: entry(`p${index}`, index),
  result: kind,
  text: 'said',
})

function attempted(results: readonly EntryResult[]): Event {
  const attempt: Attempt = {
    startedAt: NOW - 1_300,
    durationMs: 1_300,
    host: 'mx.example.net',
    address: '192.0.2.25',
    port: 25,
    peerReports: false,
    outcomes: new Map(results.map((one) => [one.entry.index, outcomes[one.result]!])),
  }
  return { kind: 'attempted', message, site: 'example.net', attempt, results }
}
const settled = (results: readonly EntryResult[]): Event => ({
  kind: 'settled',
  message,
  site: 'example.net',
  results,
})
const accepted = (recipients: number): Event => ({
  kind: 'accepted',
  message,
  recipients: Array.from({ length: recipients }, (_, i) => entry(`p${i}`, i).recipient),
  door: 'submission',
  durationMs: 1,
  client: { address: '192.0.2.9', session: 4 },
})

/** Lines as `daemon: text`, those for debugging in brackets. */
function told(...events: readonly Event[]): string[] {
  const lines: string[] = []
  const write = (mark: string) => (fields: LogFields, text: string) => {
    const daemon = String(fields['daemon']).replace('postfix/', '')
    lines.push(`${mark}${daemon}: ${text.replaceAll('0000000002D', 'ID')}`)
  }
  const log: Log = {
    debug: write('?'),
    info: write(''),
    warn: write(''),
    error: write(''),
    child: () => log,
  }
  const tell = postfixTeller()
  for (const event of events) tell(event, log, NOW)
  return lines
}

const CLIENT = 'submission/smtpd: ID: client=unknown[192.0.2.9]'
const listed = (n: number) =>
  `qmgr: ID: from=<ann@example.net>, size=1234, nrcpt=${n} (queue active)`
const WHERE = 'relay=mx.example.net[192.0.2.25]:25, delay=1.9, delays=0.63/0/0/1.3'
const NOWHERE = 'relay=none, delay=1.9, delays=1.9/0/0/0'

test('what became of a message, to its end', () => {
  const rows: readonly (readonly [Event[], string[]])[] = [
    [
      [accepted(2), attempted([result('delivered'), result('deferred', 1)])],
      [
        CLIENT,
        listed(2),
        `smtp: ID: to=<p0@example.net>, ${WHERE}, dsn=2.6.0, status=sent (said)`,
        `smtp: ID: to=<p1@example.net>, ${WHERE}, dsn=4.2.2, status=deferred (said)`,
      ],
    ],
    [
      [accepted(1), attempted([result('bounced')])],
      [
        CLIENT,
        listed(1),
        `smtp: ID: to=<p0@example.net>, ${WHERE}, dsn=5.1.1, status=bounced (said)`,
        'qmgr: ID: removed',
      ],
    ],
    // After a restart the queue manager's line comes again, and the end of the message is not known.
    [
      [attempted([result('delivered')])],
      [listed(1), `smtp: ID: to=<p0@example.net>, ${WHERE}, dsn=2.6.0, status=sent (said)`],
    ],
    [
      [accepted(2), settled([result('deferred')]), settled([result('expired')])],
      [
        CLIENT,
        listed(2),
        `?error: ID: to=<p0@example.net>, ${NOWHERE}, dsn=4.0.0, status=deferred (said)`,
        'qmgr: ID: from=<ann@example.net>, status=expired, returned to sender',
      ],
    ],
    [
      [accepted(1), settled([result('cancelled')])],
      [CLIENT, listed(1), 'postsuper: ID: cancelled', 'qmgr: ID: removed'],
    ],
  ]
  for (const [events, expected] of rows) assert.deepEqual(told(...events), expected)
})

test('nothing that a stranger says ends its place in a line', () => {
  const client = '192.0.2.9'
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (evil) => {
      const [login] = told({
        kind: 'login',
        door: 'smtp',
        client,
        mechanism: 'LOGIN',
        username: evil,
        result: 'wrong',
      })
      assert.match(
        login!,
        /^smtpd: warning: unknown\[192\.0\.2\.9\]: SASL LOGIN authentication failed: authentication failure, sasl_username=[^\s[\]()<>,;:=]*$/u,
      )
      const [refused] = told({
        kind: 'refused',
        door: 'smtp',
        client,
        stage: 'rcpt',
        reply: reply(550, '5.7.1', 'no'),
        to: evil,
        helloName: evil,
        protocol: 'ESMTP',
      })
      assert.match(
        refused!,
        /^smtpd: NOQUEUE: reject: RCPT from unknown\[192\.0\.2\.9\]: 550 5\.7\.1 no; to=<[^<>\s]*> proto=ESMTP( helo=<[^<>\s]*>)?$/u,
      )
      const named = `x${evil.replace(/\p{Cc}/gu, '')}`
      const [, , sent] = told(
        accepted(2),
        attempted([{ ...result('delivered'), text: evil, entry: entry(named) }]),
      )
      assert.match(sent!, /^smtp: ID: to=<[^<>\s]*>, relay=mx\.example\.net\[192\.0\.2\.25\]:25, /u)
      assert.doesNotMatch(sent!, /[\r\n]/)
    }),
  )
})
