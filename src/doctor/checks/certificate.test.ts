import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CertificateFault, fault } from '../../certificates/fault.ts'
import type { CertificateState } from '../../certificates/state.ts'
import { checkCertificate } from './certificate.ts'

const file = '/etc/tls/fullchain.pem'
const signal = new AbortController().signal
const certificate = {
  names: ['mail.example.com'],
  issuer: 'CN=R11',
  serial: '01',
  keyType: 'EC P-256',
  fingerprint: 'AA',
  beginsAt: Date.UTC(2026, 0, 1),
  expiresAt: Date.UTC(2026, 3, 1),
  untrusted: false,
}
const good: CertificateState = {
  name: 'mail.example.com',
  source: 'files',
  file,
  inUse: true,
  certificate,
  faults: [],
  renewal: null,
}

async function codes(states: readonly CertificateState[], openListeners: readonly string[] = []) {
  const check = checkCertificate({ states: async () => states, openListeners })
  return (await check.run(signal)).map(({ code }) => code)
}
const withFault = (one: CertificateFault) => [{ ...good, faults: [one] }]

test('a certificate that all accept', async () => {
  assert.deepEqual(await codes([good]), ['CERTIFICATE_OK'])
})

test('none matters only where other machines can come', async () => {
  assert.deepEqual(await codes([]), [])
  assert.deepEqual(await codes([], ['0.0.0.0:587']), ['CERTIFICATE_NONE'])
  assert.deepEqual(await codes([good], ['0.0.0.0:25']), ['CERTIFICATE_OK'])
})

test('each fault that the certificates’ room finds', async () => {
  const at = certificate.expiresAt
  const faults: readonly [CertificateFault, string][] = [
    [fault('EXPIRED', file, { at }), 'CERTIFICATE_EXPIRED'],
    [fault('EXPIRES_SOON', file, { at, days: 5 }), 'CERTIFICATE_EXPIRES'],
    [fault('NOT_FOR_HOST', file, { host: 'a.example', names: [] }), 'CERTIFICATE_NAME'],
    [fault('CHAIN_INCOMPLETE', file, { issuer: 'R11' }), 'CERTIFICATE_FLAWED'],
    [fault('FILE_MISSING', file, {}), 'CERTIFICATE_UNUSABLE'],
    [fault('KEY_MISMATCH', file, { key: 'k', subject: 's' }), 'CERTIFICATE_UNUSABLE'],
  ]
  for (const [one, code] of faults) assert.deepEqual(await codes(withFault(one)), [code], one.code)
})

test('a renewal that fails, and a certificate that nobody knows', async () => {
  const renewal = { nextAt: 0, failures: 2, lastFailure: 'connection refused' }
  assert.deepEqual(await codes([{ ...good, source: 'acme', renewal }]), ['CERTIFICATE_NOT_RENEWED'])
  const untrusted = { ...good, certificate: { ...certificate, untrusted: true } }
  assert.deepEqual(await codes([untrusted]), ['CERTIFICATE_SELF_SIGNED'])
  assert.deepEqual(await codes([{ ...untrusted, source: 'authority' }]), ['CERTIFICATE_OK'])
})
