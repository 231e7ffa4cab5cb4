// What a tester of TLS looks for, asked with OpenSSL's own client: old versions, weak suites,
// compression, renegotiation, the order of ciphers, the chain.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { type PosthornHere, startHere } from '../support/posthorn.ts'
import { missing, type Ran, run } from '../support/tools.ts'

const skip = missing('openssl')
let server: PosthornHere
let root: string

before(async () => {
  server = await startHere({
    hostname: 'mail.example.com',
    tls: { announce: 'always' },
    listeners: {
      submission: { port: 0, tls: 'starttls' },
      submissions: { port: 0, tls: 'implicit' },
    },
  })
  root = await (await fetch(`${server.http}/ca.pem`)).text()
})
after(() => server[Symbol.asyncDispose]())

type Door = 'submission' | 'submissions'
const DOORS: readonly Door[] = ['submission', 'submissions']

function shake(door: Door, args: readonly string[], input = 'QUIT\r\n'): Promise<Ran> {
  const upgrade = door === 'submission' ? ['-starttls', 'smtp'] : []
  const place = ['-connect', `127.0.0.1:${server.ports[door]}`, '-servername', 'mail.example.com']
  return run('openssl', ['s_client', ...place, ...upgrade, ...args], { input, seconds: 20 })
}

const agreed = ({ out }: Ran) => /Cipher is (?!\(NONE\))(\S+)/.exec(out)?.[1]
/** The lowest level, or the client itself would refuse to offer such things. */
const WEAK = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0'

test('TLS 1.2 and 1.3 are spoken, on both doors, with forward secrecy and AEAD', {
  skip,
}, async () => {
  for (const door of DOORS) {
    assert.equal(agreed(await shake(door, ['-tls1_3'])), 'TLS_AES_128_GCM_SHA256')
    assert.equal(agreed(await shake(door, ['-tls1_2'])), 'ECDHE-ECDSA-AES128-GCM-SHA256')
  }
})

test('nothing older is spoken', { skip }, async () => {
  for (const door of DOORS)
    for (const version of ['-tls1', '-tls1_1'])
      assert.equal(agreed(await shake(door, [version, '-cipher', WEAK])), undefined, version)
})

test('no weak suite of any kind is taken', { skip }, async () => {
  const kinds = ['NULL', 'aNULL', 'EXPORT', 'RC4', '3DES', 'kRSA', 'DHE', 'PSK', 'CAMELLIA', 'ARIA']
  const cbc = ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'AES128-SHA', 'SEED-SHA']
  for (const kind of [...kinds, ...cbc]) {
    const tried = await shake('submissions', ['-tls1_2', '-cipher', `${kind}:@SECLEVEL=0`])
    assert.equal(agreed(tried), undefined, kind)
  }
})

test('we choose; but who puts ChaCha20 first gets it', { skip }, async () => {
  const reversed = 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256'
  const ours = await shake('submissions', ['-tls1_2', '-cipher', reversed])
  assert.equal(agreed(ours), 'ECDHE-ECDSA-AES128-GCM-SHA256')
  const phone = `ECDHE-ECDSA-CHACHA20-POLY1305:${reversed}`
  const chacha = await shake('submissions', ['-tls1_2', '-cipher', phone])
  assert.equal(agreed(chacha), 'ECDHE-ECDSA-CHACHA20-POLY1305')
})

test('no compression, no renegotiation by the client', { skip }, async () => {
  const plain = await shake('submissions', ['-tls1_2', '-comp'])
  assert.match(plain.out, /Compression: NONE/)
  assert.match(plain.out, /Secure Renegotiation IS supported/)
  const again = await shake('submissions', ['-tls1_2'], 'R\n')
  assert.match(
    again.out + again.err,
    /no renegotiation|renegotiation.*(fail|error)|handshake failure/i,
  )
})

test('the chain is whole, and verifies strictly with the root alone', { skip }, async () => {
  const file = `${server.folder}/ca.pem`
  writeFileSync(file, root)
  for (const door of DOORS) {
    const strict = ['-CAfile', file, '-x509_strict', '-verify_return_error']
    const { out } = await shake(door, [...strict, '-verify_hostname', 'mail.example.com'])
    assert.match(out, /Verify return code: 0 \(ok\)/)
  }
})
