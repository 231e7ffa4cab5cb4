import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { suggest } from './suggest.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from './units.ts'

test('durations', () => {
  for (const [text, ms] of [
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['3d', 259_200_000],
    ['0s', 0],
    ['5', undefined],
    ['', undefined],
    ['-5m', undefined],
    ['5 minutes', undefined],
    ['99999999999999d', undefined],
  ] as const) {
    assert.equal(parseDuration(text), ms, text)
  }
})

test('sizes', () => {
  for (const [text, bytes] of [
    ['25MiB', 26_214_400],
    ['10MB', 10_000_000],
    ['512 kib', 524_288],
    ['1000', 1000],
    ['0', 0],
    ['1.5GiB', 1_610_612_736],
    ['25M', undefined],
    ['-1MiB', undefined],
    ['many', undefined],
  ] as const) {
    assert.equal(parseSize(text), bytes, text)
  }
})

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), (n) => {
      assert.equal(parseDuration(formatDuration(n)), n)
      assert.equal(parseSize(formatSize(n)), n)
    }),
  )
})

test('suggestions are near or absent', () => {
  const words = ['mode', 'hostname', 'http', 'smtp', 'message_size']
  for (const [word, expected] of [
    ['moed', 'mode'],
    ['Host-name', 'hostname'],
    ['htttp', 'http'],
    ['message-size', 'message_size'],
    ['banana', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(suggest(word, words), expected, word)
  }
})
