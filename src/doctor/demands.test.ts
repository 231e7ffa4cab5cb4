import assert from 'node:assert/strict'
import { test } from 'node:test'
import { couldNotCheck, type Finding } from './check.ts'
import { addressDemand, demandsOf } from './demands.ts'

const finding = (severity: Finding['severity'], code = severity.toUpperCase()): Finding => ({
  code,
  severity,
  subject: 'example.com',
  facts: {},
})
const states = (check: string, ...findings: Finding[]) =>
  demandsOf([{ check, group: 'server', findings }]).map(({ state }) => state)

test('what a check found, read as a demand', () => {
  const table: [string, Finding[], string[]][] = [
    ['spf', [finding('ok')], ['met']],
    ['spf', [finding('ok'), finding('warning'), finding('note')], ['met']],
    ['spf', [finding('error')], ['missing']],
    ['spf', [finding('ok'), finding('error')], ['missing']],
    // Silence is no yes.
    ['dkim', [couldNotCheck('example.com', 'SERVFAIL')], ['unknown']],
    ['dkim', [finding('ok'), couldNotCheck('ns2.example.com', 'timeout')], ['unknown']],
    ['reverse-dns', [finding('note', 'IPV6_NO_PTR')], ['unknown']],
    ['outbound-port', [finding('ok'), finding('warning', 'ADDRESS_NOT_SET')], ['missing']],
    ['outbound-port', [finding('ok'), finding('warning', 'ADDRESS_UNKNOWN')], ['missing']],
    // Of the others only a "no" counts.
    ['blocklists', [couldNotCheck('zen.spamhaus.org', 'refused')], []],
    ['blocklists', [finding('error', 'DNSBL_LISTED')], ['missing']],
    ['clock', [couldNotCheck('clock', 'no answer')], []],
    ['certificate', [finding('warning')], []],
    // Nothing to look at: no relay is set, no domain to dial.
    ['relay', [], []],
    ['outbound-port', [], []],
  ]
  for (const [check, findings, expected] of table)
    assert.deepEqual(
      states(check, ...findings),
      expected,
      `${check} ${findings.map((f) => f.code)}`,
    )
})

test('an unknown address of our own is a demand', () => {
  const { state, findings } = addressDemand('mail.example.com')
  assert.equal(state, 'missing')
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['ADDRESS_UNKNOWN'],
  )
})
