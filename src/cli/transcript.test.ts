import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptView } from '../api/control.ts'
import { makeContext } from './context.ts'
import { stepsOf } from './transcript.ts'
import type { World } from './world.ts'

const world = { stdout: { isTTY: false, columns: 100 }, environment: {} } as unknown as World
const context = (language: string) => makeContext(world, { options: { language } })
const attempt: AttemptView = {
  at: Date.UTC(2026, 10, 21, 12, 0, 1),
  durationMs: 1_900,
  host: 'mx.example.net',
  address: '192.0.2.25',
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384 verified',
  results: [{ recipient: 'you@example.net', result: 'delivered', text: '250 2.0.0 OK gsmtp' }],
}
const tell = (of: Partial<AttemptView>, language = 'en', nextAt: number | null = null) =>
  stepsOf({ ...attempt, ...of }, { context: context(language), to: 'you@example.net', nextAt }).map(
    ({ word, text }) => `${word}: ${text}`,
  )

test('a delivery, step by step', () => {
  assert.deepEqual(tell({}), [
    'dns: example.net: mx.example.net [192.0.2.25], IPv4',
    'connected: TLS 1.3, certificate OK',
    'delivered: 250 2.0.0 OK gsmtp   1.9 s',
  ])
  const inClear = tell({ tls: null, address: '2001:db8::25' })
  assert.match(inClear[0]!, /IPv6$/)
  assert.equal(inClear[1], 'connected: without TLS: the receiver offers none')
  assert.match(tell({ tls: 'TLSv1.2 X not verified' })[1]!, /TLS 1\.2, certificate not checked/)
})

test('a deferral says what it means, what helps and when it is tried again', () => {
  const text = '450 4.7.1 Greylisted, come back later'
  const results = [{ recipient: 'you@example.net', result: 'deferred' as const, text }]
  const next = new Date(2026, 10, 21, 12, 1, 5).getTime()
  assert.deepEqual(tell({ results }, 'en', next).slice(2), [
    'deferred: 450 4.7.1 Greylisted, come back later   1.9 s',
    'means: Greylisting: the receiver puts off whom it does not know yet, to see whether he comes again.',
    'helps: Nothing; the next attempts get through.',
    'next try: at 12:01:05, by itself; Ctrl-C stops only the watching',
  ])
  assert.match(tell({ results }, 'ru', next)[3]!, /^это значит: Серый список/)
})

test('a refusal, and nobody reached', () => {
  const refused = [{ recipient: 'a', result: 'bounced' as const, text: '550 5.1.1 no such user' }]
  assert.equal(tell({ results: refused }).at(-1), 'next try: It is not tried again.')
  const dns = [{ recipient: 'a', result: 'bounced' as const, text: 'x.example: no such domain' }]
  const steps = tell({ host: null, address: null, tls: null, results: dns })
  assert.match(steps[0]!, /^bounced: x\.example: no such domain/)
  assert.match(steps[1]!, /does not exist or takes no mail/)
})
