import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../test/support/clock.ts'
import type { Domain } from '../mail/domain.ts'
import type { QueueEntry } from '../mail/entry.ts'
import type { Message, MessageId } from '../mail/message.ts'
import type { Log, LogFields } from '../std/log.ts'
import { Metrics } from '../std/metrics.ts'
import type { EntryResult } from './event.ts'
import { createFigures, watchQueue } from './figures.ts'
import { createRecord } from './record.ts'

function setUp() {
  const lines: { level: string; message: string; fields: LogFields }[] = []
  const write = (level: string) => (fields: LogFields, message: string) =>
    void lines.push({ level, message, fields: JSON.parse(JSON.stringify(fields)) })
  const log: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  }
  const clock = new ManualClock()
  const metrics = new Metrics()
  const record = createRecord({ log, figures: createFigures(metrics), clock })
  return { lines, clock, metrics, record }
}

const message = (acceptedAt: number): Message => ({
  id: 77 as MessageId,
  reversePath: { localPart: 'ann', domain: 'sender.example' as Domain },
  body: '7bit',
  smtputf8: false,
  requireTls: false,
  fromDomain: 'sender.example' as Domain,
  world: 'live',
  sender: { kind: 'credential', name: 'app' },
  prefix: '',
  size: 1234,
  acceptedAt,
})
const entry = (name: string, index = 0): QueueEntry => ({
  message: 77 as MessageId,
  index,
  recipient: { mailbox: { localPart: name, domain: 'example.net' as Domain } },
  site: 'example.net',
  state: { kind: 'ready', at: 0 },
  attempts: 1,
  acceptedAt: 0,
  delayNoticed: false,
})
const attempt = {
  startedAt: 0,
  durationMs: 120.04,
  host: 'mx.example.net',
  address: '192.0.2.25',
  tls: { version: 'TLSv1.3', cipher: 'x', verified: true },
  peerReports: false,
  outcomes: new Map(),
}

test('one attempt, one answer: one line with all that a search wants', async () => {
  const { lines, clock, metrics, record } = setUp()
  const accepted = message(clock.now())
  await clock.advance(1_500)
  const results: EntryResult[] = [entry('bob'), entry('eve', 1)].map((one) => ({
    entry: one,
    result: 'delivered',
    text: '250 2.0.0 Ok',
  }))
  record({ kind: 'attempted', message: accepted, site: 'example.net', attempt, results })
  assert.deepEqual(lines, [
    {
      level: 'info',
      message: 'delivered',
      fields: {
        id: '0000000002D',
        from: 'ann@sender.example',
        to: 'bob@example.net eve@example.net',
        site: 'example.net',
        host: 'mx.example.net',
        address: '192.0.2.25',
        tls: 'TLSv1.3 verified',
        ms: 120,
        delay: 1.5,
        tries: 2,
        reply: '250 2.0.0 Ok',
      },
    },
  ])
  const text = await metrics.text()
  assert.match(text, /^posthorn_attempts_total\{result="delivered"\} 2$/m)
  assert.match(text, /^posthorn_delivered_total 2$/m)
  assert.match(text, /^posthorn_delivery_seconds_sum 3$/m)
  assert.match(text, /^posthorn_attempt_seconds_count 1$/m)
})

test('different answers get a line each, however many recipients there are', () => {
  const { lines, record, clock } = setUp()
  const results: EntryResult[] = Array.from({ length: 1_000 }, (_, i) => ({
    entry: entry(`p${i}`, i),
    result: i % 2 ? 'delivered' : 'bounced',
    text: i % 2 ? '250 ok' : `550 no such user p${i}`,
  }))
  record({
    kind: 'attempted',
    message: message(clock.now()),
    site: 'example.net',
    attempt,
    results,
  })
  assert.ok(lines.length <= 22, `${lines.length} lines`)
  assert.match(
    String(lines.find((line) => line.message === 'delivered')?.fields['to']),
    /and 480 more$/,
  )
})

test('labels stay few, whatever clients are called', async () => {
  const { metrics, record } = setUp()
  for (let i = 0; i < 1_000; i++) {
    const sender = { kind: 'credential', name: `app-${i}` } as const
    record({
      kind: 'accepted',
      message: { ...message(0), sender },
      recipients: [entry('bob').recipient],
      door: `door-${i}`,
      durationMs: 1,
    })
  }
  const lines = (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith('posthorn_accepted'))
  assert.ok(lines.length <= 140, `${lines.length} lines`)
})

test('the queue is asked at the scrape, and a store in trouble does not break it', async () => {
  const metrics = new Metrics()
  let broken = false
  watchQueue(metrics, {
    counts: async () => {
      if (broken) throw new Error('disk')
      return { ready: 3, held: 1, oldestAcceptedAt: 1_000 }
    },
    now: () => 61_000,
    queue: () => ({ inFlight: 2, active: 3, resting: 0 }),
    damage: async () => ({ count: 4 }),
  })
  const text = await metrics.text()
  assert.match(text, /^posthorn_queue_messages\{state="ready"\} 3$/m)
  assert.match(text, /^posthorn_queue_messages\{state="in_flight"\} 2$/m)
  assert.match(text, /^posthorn_queue_oldest_seconds 60$/m)
  broken = true
  assert.match(await metrics.text(), /posthorn_damaged_records 4/)
})
