import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openListener, PASSWORD, type TestListener } from '../../test/support/listener.ts'
import { converse } from '../../test/support/transcript.ts'
import { type Clock, systemClock } from '../std/clock.ts'

const NOON = Date.UTC(2026, 10, 22, 12)
const HOUR = 3_600_000
const clock: Clock = { ...systemClock, now: () => NOON }

let open: TestListener
before(async () => {
  open = await openListener({
    clock,
    offers: { holdMs: 24 * HOUR, deliverBySeconds: 60, priority: true },
    service: { highestPriority: ({ credential }) => (credential === undefined ? 0 : 4) },
  })
})
after(() => open.listener.drain(0))

const HELLO = 'S: 220 *\nC: EHLO client.test\nS: ...\n'

test('they are announced where they are kept, and nowhere else', async () => {
  const heard = await converse(
    open.port,
    `${HELLO}S: 250-DELIVERBY 60\nS: 250-MT-PRIORITY\nS: ...\nS: 250 FUTURERELEASE 86400 2026-11-23T12:00:00Z`,
  )
  assert.ok(heard.includes('DSN'))
  const other = await openListener()
  try {
    const said = await converse(
      other.port,
      `${HELLO}S: 250 *
      C: MAIL FROM:<a@example.com> HOLDFOR=60
      S: 555 5.5.4 *FUTURERELEASE*
      C: MAIL FROM:<a@example.com> BY=60;R
      S: 555 5.5.4 *DELIVERBY*
      C: MAIL FROM:<a@example.com> MT-PRIORITY=1
      S: 555 5.5.4 *MT-PRIORITY*
      C: MAIL FROM:<a@example.com>
      S: 250 *`,
    )
    assert.doesNotMatch(said.split('\r\nC')[0]!, /250.(FUTURE|DELIVERBY|MT-)/)
  } finally {
    await other.listener.drain(0)
  }
})

/** What MAIL says to parameters, and what the service then sees of them. */
const TABLE: readonly (readonly [string, string, object?])[] = [
  ['HOLDFOR=3600', '250 2.1.0 Ok', { holdUntil: NOON + HOUR }],
  ['HOLDFOR=0', '250 2.1.0 Ok', {}],
  ['HOLDUNTIL=2026-11-22T13:00:00Z', '250 2.1.0 Ok', { holdUntil: NOON + HOUR }],
  ['HOLDUNTIL=2020-01-01T00:00:00Z', '250 2.1.0 Ok', {}],
  ['HOLDFOR=86401', '501 5.5.4 *at most 86400 seconds, until 2026-11-23T12:00:00Z'],
  ['HOLDUNTIL=2026-11-23T12:00:01Z', '501 5.5.4 *at most*'],
  ['HOLDFOR=5 HOLDUNTIL=2026-11-22T13:00:00Z', '501 5.5.4 *exclude each other'],
  ['HOLDFOR=soon', '501 5.5.4 *'],
  ['BY=60;R', '250 2.1.0 Ok', { deliverBy: { at: NOON + 60_000, mode: 'return', trace: false } }],
  ['BY=-60;NT', '250 2.1.0 Ok', { deliverBy: { at: NOON - 60_000, mode: 'notify', trace: true } }],
  ['BY=59;R', '552 5.4.7 *60 seconds'],
  ['BY=0;R', '501 5.5.4 *'],
  ['HOLDFOR=120 BY=60;R', '501 5.5.4 *too late*'],
  ['MT-PRIORITY=0', '250 2.1.0 Ok', {}],
  ['MT-PRIORITY=-3', '250 2.1.0 Ok', { priority: -3 }],
  ['MT-PRIORITY=5', '250-2.3.6 Ok', {}],
  ['MT-PRIORITY=10', '501 5.5.4 *'],
]

test('each is taken, or refused with the session as good as before', async () => {
  for (const [parameters, said, seen] of TABLE) {
    const before = open.received.length
    const more = said.startsWith('250-') ? 'S: 250 2.3.6 0 is the new priority *\n' : ''
    const rest = seen
      ? 'C: RCPT TO:<b@example.org>\nC: DATA\nS: 250 *\nS: 354 *\nC: x\nC: .\nS: 250 *'
      : 'C: MAIL FROM:<a@example.com>\nS: 250 *'
    await converse(
      open.port,
      `${HELLO}S: 250 *\nC: MAIL FROM:<a@example.com> ${parameters}\nS: ${said}\n${more}${rest}`,
    )
    if (!seen) continue
    assert.equal(open.received.length, before + 1, parameters)
    const { reversePath, recipients, body, smtputf8, requireTls, ...wishes } =
      open.received.at(-1)!.envelope
    assert.deepEqual(wishes, seen, parameters)
  }
})

test('who may be urgent is, as far as it may', async () => {
  const login = Buffer.from(`\0app\0${PASSWORD}`).toString('base64')
  await converse(
    open.port,
    `${HELLO}S: 250 *
    C: AUTH PLAIN ${login}
    S: 235 *
    C: MAIL FROM:<a@example.com> MT-PRIORITY=4
    S: 250 2.1.0 Ok
    C: RSET
    S: 250 *
    C: MAIL FROM:<a@example.com> MT-PRIORITY=9
    S: 250-2.3.6 Ok
    S: 250 2.3.6 4 is the new priority *`,
  )
})
