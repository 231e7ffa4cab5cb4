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

test('failures count for a window, and what is under way counts until it has ended', async () => {
  let elapsed = 0
  const throttle = new AuthThrottle(
    { ...systemClock, elapsed: () => elapsed },
    { failures: 3, windowMs: 1_000 },
  )
  const fail = async () => {
    const may = await throttle.attempt('192.0.2.1')
    if (may) throttle.ended('192.0.2.1', { failed: true })
    return may
  }
  assert.equal(await fail(), true)
  elapsed = 500
  assert.deepEqual(
    [await throttle.attempt('192.0.2.1'), await throttle.attempt('192.0.2.1')],
    [true, true],
  )
  const third = throttle.attempt('192.0.2.1')
  assert.equal(await Promise.race([third, Promise.resolve('waits')]), 'waits')
  throttle.ended('192.0.2.1', { failed: false })
  assert.equal(await third, true)
  const late = throttle.attempt('192.0.2.1')
  throttle.ended('192.0.2.1', { failed: true })
  throttle.ended('192.0.2.1', { failed: true })
  assert.equal(await late, false)
  assert.equal(await throttle.attempt('192.0.2.2'), true)
  elapsed = 1_001 // the first failure is forgotten
  assert.deepEqual([await fail(), await fail()], [true, false])
})

test('an IPv6 network of 64 bits is one client', async () => {
  const throttle = new AuthThrottle(systemClock, { failures: 1, windowMs: 1_000 })
  assert.equal(await throttle.attempt('2001:db8::1'), true)
  throttle.ended('2001:db8::1', { failed: true })
  assert.equal(await throttle.attempt('2001:db8::ffff:2'), false)
  assert.equal(await throttle.attempt('2001:db8:0:1::1'), true)
})
