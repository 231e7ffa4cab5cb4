import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testCertificate } from '../../../test/support/certificate.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { selfSignedCertificate } from '../../std/certificate.ts'
import { checkCertificate } from './certificate.ts'

const DAY_MS = 86_400_000
const hostname = 'mail.example.com'
const signal = new AbortController().signal
const made = new ManualClock()
const { cert } = selfSignedCertificate([hostname], made, { days: 30 })

async function look(
  options: { pem?: string | undefined; days?: number; name?: string; open?: string[] } = {},
) {
  const check = checkCertificate({
    hostname: options.name ?? hostname,
    clock: new ManualClock(made.now() + (options.days ?? 0) * DAY_MS),
    read: async () => ('pem' in options ? options.pem : cert),
    openListeners: options.open ?? [],
  })
  return (await check.run(signal)).map(({ code }) => code)
}
const SELF = 'CERTIFICATE_SELF_SIGNED'

test('signed by an authority, for our name, and valid', async () => {
  const pem = testCertificate
  assert.deepEqual(await look({ pem, name: 'mx.example.com', days: 400 }), ['CERTIFICATE_OK'])
})

test('time: good, soon over, over, not begun', async () => {
  assert.deepEqual(await look(), [SELF])
  assert.deepEqual(await look({ days: 15 }), [SELF])
  assert.deepEqual(await look({ days: 17 }), ['CERTIFICATE_EXPIRES', SELF])
  assert.deepEqual(await look({ days: 31 }), ['CERTIFICATE_EXPIRED', SELF])
  assert.deepEqual(await look({ days: -3 }), ['CERTIFICATE_NOT_YET', SELF])
})

test('the name that we go by', async () => {
  assert.deepEqual(await look({ name: 'other.example.com' }), ['CERTIFICATE_NAME', SELF])
})

test('no certificate matters only where other machines can come', async () => {
  assert.deepEqual(await look({ pem: undefined }), [])
  assert.deepEqual(await look({ pem: undefined, open: ['0.0.0.0:587'] }), ['CERTIFICATE_NONE'])
})

test('a file that is no certificate', async () => {
  assert.deepEqual(await look({ pem: 'hello' }), ['CERTIFICATE_BROKEN'])
})
