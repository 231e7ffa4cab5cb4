import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DoctorReport } from '../api/control.ts'
import { couldNotCheck, type Finding, findingsOf } from '../doctor/check.ts'
import { reverseDnsTexts } from '../doctor/texts/reverse-dns.ts'
import type { Log } from '../std/log.ts'
import { Metrics } from '../std/metrics.ts'
import { show, type Trouble, tell, troublesOf } from './troubles.ts'

const found = findingsOf(reverseDnsTexts)
const hostname = 'mail.example.com'
const missing = (address: string) => found('PTR_MISSING', address, { address, hostname })
const one = missing('203.0.113.1')
const two = missing('203.0.113.2')

function reportOf(findings: readonly Finding[]): DoctorReport {
  return {
    at: 0,
    durationMs: 0,
    hostname,
    counts: { ok: 0, note: 0, warning: 0, error: 0, unknown: 0 },
    healthy: true,
    host: [{ check: 'reverse-dns', group: 'identity', findings }],
    domains: [],
    leftOut: 0,
  }
}

/** What a log hears over several rounds. */
function heard(rounds: readonly (readonly Finding[])[]): string[][] {
  let known: ReadonlyMap<string, Trouble> = new Map()
  return rounds.map((findings) => {
    const lines: string[] = []
    const add = (level: string) => (fields: object, message: string) =>
      void lines.push(`${level} ${(fields as { subject: string }).subject} ${message}`)
    const log: Log = {
      debug: add('debug'),
      info: add('info'),
      warn: add('warn'),
      error: add('error'),
      child: () => log,
    }
    const now = troublesOf(reportOf(findings), known)
    tell(log, known, now)
    known = now
    return lines
  })
}

test('a problem is told once, and once more when it is mended', () => {
  assert.deepEqual(heard([[one], [one], [one, two], [two], [two]]), [
    ['error 203.0.113.1 PTR_MISSING: 203.0.113.1 has no name (no PTR record).'],
    [],
    ['error 203.0.113.2 PTR_MISSING: 203.0.113.2 has no name (no PTR record).'],
    ['info 203.0.113.1 PTR_MISSING: mended'],
    [],
  ])
})

test('what is well, a remark, and what could not be checked are not told', () => {
  const fine = found('PTR_OK', '203.0.113.1', { address: '203.0.113.1', name: hostname })
  const note = found('IPV6_NO_PTR', '2001:db8::1', { address: '2001:db8::1', hostname })
  assert.deepEqual(heard([[fine, note, couldNotCheck('x', 'SERVFAIL')]]), [[]])
})

test('a round that could not look neither mends nor forgets', () => {
  const rounds = heard([[one], [couldNotCheck('203.0.113.1', 'SERVFAIL')], [one], []])
  assert.deepEqual(rounds.slice(1), [[], [], ['info 203.0.113.1 PTR_MISSING: mended']])
})

test('what is wrong is counted by its code, for the metrics', async () => {
  const metrics = new Metrics()
  let known = troublesOf(reportOf([one, two]), new Map())
  metrics.gauge('findings', {
    help: 'What is wrong.',
    labels: ['code', 'severity'],
    read: (gauge) => show(gauge, known),
  })
  assert.match(await metrics.text(), /^findings\{code="PTR_MISSING",severity="error"\} 2$/m)
  known = new Map()
  assert.doesNotMatch(await metrics.text(), /PTR_MISSING/)
})
