import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { clientCertificateOf } from './peer.ts'

test('a name inside another name of a client certificate is nobody', () => {
  // As Node writes a URI that holds commas (its own quotes are all that tells it apart).
  const subjectAltName =
    'DNS:own.example, URI:"http://x/, DNS:admin, y", email:me@own.example, IP Address:192.0.2.1'
  const shown = { subject: 'CN=x', subjectAltName, fingerprint256: 'AB:CD' }
  const socket = {
    getPeerX509Certificate: () => shown,
    ssl: { verifyError: () => null },
  } as unknown as TLSSocket
  const { names } = clientCertificateOf(socket)!
  assert.deepEqual(names, ['own.example', 'me@own.example', 'sha256:abcd'])
})
