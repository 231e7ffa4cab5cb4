import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { selfSignedCertificate } from './certificate.ts'
import { type Clock, systemClock } from './clock.ts'

const at = (text: string): Clock => ({ ...systemClock, now: () => Date.parse(text) })
const names = ['mx.example.com', '*.example.net', '127.0.0.1', '2001:db8::1', '::1']

test('the certificate names its hosts and signs itself', () => {
  const { key, cert } = selfSignedCertificate(names, at('2026-11-21T12:00:00Z'), { days: 30 })
  const read = new X509Certificate(cert)
  assert.equal(read.subject, 'CN=mx.example.com')
  assert.equal(read.issuer, 'CN=mx.example.com')
  assert.equal(
    read.subjectAltName,
    'DNS:mx.example.com, DNS:*.example.net, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1, IP Address:0:0:0:0:0:0:0:1',
  )
  assert.equal(read.validFrom, 'Nov 20 12:00:00 2026 GMT')
  assert.equal(read.validTo, 'Dec 21 12:00:00 2026 GMT')
  assert.equal(read.ca, false)
  assert.equal(read.verify(read.publicKey), true)
  assert.equal(read.checkPrivateKey(createPrivateKey(key)), true)
  assert.equal(read.checkHost('a.example.net'), '*.example.net')
})

test('dates from 2050 on are written in four digits', () => {
  const { cert } = selfSignedCertificate(['localhost'], at('2049-12-31T12:00:00Z'), { days: 1 })
  const read = new X509Certificate(cert)
  assert.equal(read.validFrom, 'Dec 30 12:00:00 2049 GMT')
  assert.equal(read.validTo, 'Jan  1 12:00:00 2050 GMT')
})

test('a name too long for the subject is still an alternative name', () => {
  const long = `${'x'.repeat(60)}.example.com`
  const read = new X509Certificate(selfSignedCertificate([long], systemClock).cert)
  assert.equal(read.checkHost(long), long)
})

test('every serial number is well formed and its own', () => {
  const serials = Array.from({ length: 20 }, () => {
    const { cert } = selfSignedCertificate(['localhost'], systemClock)
    return new X509Certificate(cert).serialNumber
  })
  assert.equal(new Set(serials).size, 20)
})

test('a client that trusts it speaks TLS with it', async () => {
  const certificate = selfSignedCertificate(['mx.example.com'], systemClock)
  const server = createServer(certificate, (socket) => socket.end('hello'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as { port: number }
  const client = connect({
    port,
    host: '127.0.0.1',
    servername: 'mx.example.com',
    ca: certificate.cert,
  })
  const [hello] = await once(client, 'data')
  assert.equal(String(hello), 'hello')
  assert.equal(client.authorized, true)
  client.destroy()
  server.close()
})

const skip = spawnSync('openssl', ['version']).status !== 0 && 'openssl is not installed'
test('OpenSSL reads it without complaint', { skip }, () => {
  const { cert } = selfSignedCertificate(names, systemClock)
  const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: cert }).toString()
  assert.match(text, /Version: 3 \(0x2\)/)
  assert.match(text, /Digital Signature/)
  assert.match(text, /TLS Web Server Authentication/)
})
