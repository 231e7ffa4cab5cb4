import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../std/clock.ts'
import { describeFinding } from './catalogue.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from './check.ts'
import { examine } from './doctor.ts'
import { reverseDnsTexts } from './texts/reverse-dns.ts'

const found = findingsOf(reverseDnsTexts)
const good = found('PTR_OK', '192.0.2.1', { address: '192.0.2.1', name: 'mail.example.com' })

const check = (name: string, run: Check['run'], group: Check['group'] = 'network'): Check => ({
  name,
  group,
  run,
})

const examined = (checks: readonly Check[]) =>
  examine(checks, { clock: systemClock, patienceMs: 20 })

/** The process must outlive the doctor's patience, as a server does. */
async function whileAlive<T>(work: Promise<T>): Promise<T> {
  const alive = new AbortController()
  const sleep = systemClock.sleep(60_000, alive.signal).catch(() => {})
  try {
    return await work
  } finally {
    alive.abort()
    await sleep
  }
}

test('a check that throws, rejects or hangs could not be made; the others stand', async () => {
  const broken = new Error('ECONNREFUSED 192.0.2.1')
  let told = false
  const hangs = check('hangs', (signal) => {
    signal.addEventListener('abort', () => (told = true))
    return new Promise<readonly Finding[]>(() => {})
  })
  const report = await whileAlive(
    examined([
      check('good', async () => [good]),
      check('rejects', () => Promise.reject(broken)),
      check('throws', () => {
        throw broken
      }),
      hangs,
    ]),
  )
  const codes = report.results.map((one) => [one.check, one.findings.map(({ code }) => code)])
  assert.deepEqual(codes, [
    ['good', ['PTR_OK']],
    ['rejects', ['COULD_NOT_CHECK']],
    ['throws', ['COULD_NOT_CHECK']],
    ['hangs', ['COULD_NOT_CHECK']],
  ])
  assert.deepEqual(report.counts, { ok: 1, note: 0, warning: 0, error: 0, unknown: 3 })
  assert.ok(told, 'the check that hangs is told to stop')
})

test('checks run at the same time, and are read in the order of their groups', async () => {
  const both = Promise.withResolvers<readonly Finding[]>()
  const report = await examined([
    check('waits for the other', () => both.promise, 'server'),
    check(
      'comes second',
      async () => {
        both.resolve([])
        return []
      },
      'network',
    ),
  ])
  assert.deepEqual(
    report.results.map(({ group }) => group),
    ['network', 'server'],
  )
})

test('a finding is said in both languages, with its facts', () => {
  const finding = found('PTR_MISSING', '192.0.2.1', {
    address: '192.0.2.1',
    hostname: 'mail.example.com',
  })
  assert.equal(describeFinding(finding, 'en').saw, '192.0.2.1 has no name (no PTR record).')
  assert.equal(describeFinding(finding, 'en').paste, '192.0.2.1 -> mail.example.com')
  assert.match(describeFinding(finding, 'ru').fix ?? '', /192\.0\.2\.1 именем mail\.example\.com/)
  assert.deepEqual(Object.keys(describeFinding(good, 'en')), ['saw'])
})

test('a fact may be a sentence in both languages', () => {
  const finding = couldNotCheck('example.com', 'SERVFAIL')
  const both = { ...finding, facts: { ...finding.facts, reason: { en: 'silence', ru: 'тишина' } } }
  assert.match(describeFinding(both, 'ru').saw, /тишина/)
  assert.match(describeFinding(both, 'en').saw, /silence/)
})
