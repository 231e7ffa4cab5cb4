import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../std/clock.ts'
import { AuthThrottle, addressKey, SessionLimits } from './limits.ts'

test('an IPv6 network of 64 bits is one client', () => {
  assert.equal(addressKey('2001:db8::1'), addressKey('2001:db8:0:0:ffff::2'))
  assert.notEqual(addressKey('2001:db8::1'), addressKey('2001:db8:0:1::1'))
  assert.equal(addressKey('192.0.2.1'), '192.0.2.1')
})

test('slots are counted per address and in all, and given back', () => {
  const slots = new SessionLimits({ perAddress: 2, total: 3 })
  const enter = (address: string) => slots.enter(address)
  assert.equal(enter('2001:db8::1'), 'entered')
  assert.equal(enter('2001:db8::2'), 'entered')
  assert.equal(slots.stressed, false)
  assert.equal(enter('2001:db8::3'), 'address is full')
  assert.equal(enter('192.0.2.1'), 'entered')
  assert.equal(slots.stressed, true)
  assert.equal(enter('192.0.2.2'), 'server is full')
  slots.leave('2001:db8::2')
  assert.equal(enter('2001:db8::3'), 'entered')
  assert.equal(slots.total, 3)
})

test('failures count for a window; a success takes only itself back', () => {
  let elapsed = 0
  const throttle = new AuthThrottle(
    { ...systemClock, elapsed: () => elapsed },
    { failures: 3, windowMs: 1_000 },
  )
  const attempts = (count: number) =>
    Array.from({ length: count }, () => throttle.attempt('192.0.2.1'))
  assert.deepEqual(attempts(2), [true, true])
  throttle.succeeded('192.0.2.1')
  elapsed = 500
  assert.deepEqual(attempts(3), [true, true, false])
  assert.equal(throttle.attempt('192.0.2.2'), true)
  elapsed = 1_001 // the first failure is forgotten
  assert.deepEqual(attempts(2), [true, false])
})
