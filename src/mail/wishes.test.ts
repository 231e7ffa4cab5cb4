import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatBy,
  formatHold,
  parseBy,
  parseHoldFor,
  parseHoldUntil,
  parsePriority,
} from './wishes.ts'

const EIGHT = Date.UTC(2026, 10, 22, 8)

test('HOLDFOR and HOLDUNTIL', () => {
  assert.deepEqual(parseHoldFor('86400'), { kind: 'for', seconds: 86_400 })
  assert.deepEqual(parseHoldFor('0'), { kind: 'for', seconds: 0 })
  for (const bad of [undefined, '', '-1', '1.5', '1234567890', '10s'])
    assert.equal(parseHoldFor(bad), undefined, bad)
  for (const good of [
    '2026-11-22T08:00:00Z',
    '2026-11-22t08:00:00z',
    '2026-11-22T08:00:00.999Z',
    '2026-11-22T10:00:00+02:00',
  ])
    assert.deepEqual(parseHoldUntil(good), { kind: 'until', at: EIGHT }, good)
  for (const bad of [
    undefined,
    '',
    '2026-11-22',
    '2026-11-22T08:00:00',
    '2026-11-31T08:00:00Z',
    '2026-13-01T08:00:00Z',
    '2026-11-22T25:00:00Z',
    '2026-11-22 08:00:00Z',
    '1900-01-01T00:00:00Z',
    'Sun, 22 Nov 2026 08:00:00 +0000',
  ])
    assert.equal(parseHoldUntil(bad), undefined, bad)
})

test('BY', () => {
  const by = (seconds: number, mode: string, trace: boolean) => ({ seconds, mode, trace })
  assert.deepEqual(parseBy('120;R'), by(120, 'return', false))
  assert.deepEqual(parseBy('+120;rt'), by(120, 'return', true))
  assert.deepEqual(parseBy('-30;N'), by(-30, 'notify', false))
  assert.deepEqual(parseBy('0;NT'), by(0, 'notify', true))
  for (const bad of [
    undefined,
    '',
    '120',
    ';R',
    '120;X',
    '120;',
    '0;R',
    '-1;R',
    '1234567890;R',
    '1;RTT',
  ])
    assert.equal(parseBy(bad), undefined, bad)
})

test('MT-PRIORITY', () => {
  for (const [text, value] of [
    ['9', 9],
    ['0', 0],
    ['-9', -9],
  ] as const)
    assert.equal(parsePriority(text), value)
  for (const bad of [undefined, '', '10', '-10', '+3', '-0', '3.5', 'high'])
    assert.equal(parsePriority(bad), undefined, bad)
})

test('written, they read the same', () => {
  assert.equal(formatHold({ kind: 'for', seconds: 60 }), ' HOLDFOR=60')
  assert.equal(formatHold({ kind: 'until', at: EIGHT }), ' HOLDUNTIL=2026-11-22T08:00:00Z')
  assert.equal(formatBy({ seconds: -5, mode: 'notify', trace: true }), ' BY=-5;NT')
  assert.equal(formatBy({ seconds: -2e9, mode: 'notify', trace: false }), ' BY=-999999999;N')
})
