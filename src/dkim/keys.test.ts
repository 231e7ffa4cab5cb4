import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Domain } from '../mail/domain.ts'
import { KeyRing, makeSandboxKey } from './keyring.ts'
import {
  fingerprint,
  fingerprintOf,
  keyFileName,
  loadKey,
  makeKey,
  publicText,
  readKey,
  saveKey,
  txtStrings,
} from './keys.ts'
import { selectorFor } from './selector.ts'
import type { SigningKey } from './sign.ts'

const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).privateKey

describe('readKey', () => {
  const pem = (type: 'pkcs1' | 'pkcs8', bits: number) =>
    String(rsa(bits).export({ type, format: 'pem' }))
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const locked = { cipher: 'aes-256-cbc', passphrase: 'x', type: 'pkcs8', format: 'pem' } as const
  const good: [string, string, string, RegExp | undefined][] = [
    ['PKCS#1', pem('pkcs1', 2048), 'rsa-sha256', undefined],
    ['PKCS#8', pem('pkcs8', 2048), 'rsa-sha256', undefined],
    ['with text around it', `some text\n${pem('pkcs8', 2048)}\n`, 'rsa-sha256', undefined],
    ['1024 bits', pem('pkcs1', 1024), 'rsa-sha256', /1024 bits is weak; use 2048/],
  ]
  for (const [name, text, algorithm, warning] of good) {
    it(`takes RSA in ${name}`, () => {
      const reading = readKey(text)
      assert.ok(reading.kind === 'key')
      assert.equal(reading.algorithm, algorithm)
      if (warning) assert.match(reading.warning!, warning)
      else assert.equal(reading.warning, undefined)
    })
  }

  it('takes Ed25519', async () => {
    const key = await makeKey('ed25519-sha256')
    const reading = readKey(String(key.export({ type: 'pkcs8', format: 'pem' })))
    assert.ok(reading.kind === 'key' && reading.algorithm === 'ed25519-sha256')
  })

  const bad: [string, string, RegExp][] = [
    ['nothing', '', /not a private key/],
    ['512 bits', pem('pkcs1', 512), /512 bits; receivers refuse/],
    ['an elliptic curve', String(ec.export({ type: 'pkcs8', format: 'pem' })), /a ec key/],
    ['a password', String(rsa(1024).export(locked)), /protected by a password/],
    [
      'the public half',
      String(createPublicKey(rsa(1024)).export({ type: 'spki', format: 'pem' })),
      /public key; the private one/,
    ],
    ['a cut file', pem('pkcs8', 1024).slice(0, 200), /not a private key/],
  ]
  for (const [name, text, fault] of bad) {
    it(`refuses ${name}`, () => {
      const reading = readKey(text)
      assert.ok(reading.kind === 'fault')
      assert.match(reading.fault, fault)
    })
  }
})

describe('key files', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'posthorn-keys-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('come back as they were saved, readable by us alone', async () => {
    const keys = join(folder, 'keys')
    const key = await makeKey('rsa-sha256')
    const file = keyFileName('example.com', 'p2611')
    await saveKey(keys, file, key)
    assert.deepEqual(await readdir(keys), ['example.com.p2611.pem'])
    assert.equal((await stat(join(keys, file))).mode & 0o777, 0o600)
    const reading = await loadKey(keys, file)
    assert.ok(reading.kind === 'key')
    assert.equal(fingerprint(reading.privateKey), fingerprint(key))
  })

  it('are closed to others when somebody opened them', async () => {
    await saveKey(folder, 'a.pem', await makeKey('ed25519-sha256'))
    await chmod(join(folder, 'a.pem'), 0o644)
    await loadKey(folder, 'a.pem')
    assert.equal((await stat(join(folder, 'a.pem'))).mode & 0o777, 0o600)
  })
})

describe('the TXT record', () => {
  it('of RSA holds the SubjectPublicKeyInfo and needs two strings', async () => {
    const key = await makeKey('rsa-sha256')
    const text = publicText(key)
    const [, p] = /^v=DKIM1; k=rsa; p=([A-Za-z0-9+/]+=*)$/.exec(text)!
    const read = createPublicKey({ key: Buffer.from(p!, 'base64'), format: 'der', type: 'spki' })
    assert.ok(read.equals(createPublicKey(key)))
    const strings = txtStrings(text)
    assert.deepEqual(
      strings.map((string) => string.length),
      [255, text.length - 255],
    )
    assert.equal(strings.join(''), text)
  })

  it('of Ed25519 holds the 32 octets (RFC 8463 §4.2)', async () => {
    const text = publicText(await makeKey('ed25519-sha256'))
    const [, p] = /^v=DKIM1; k=ed25519; p=(.+)$/.exec(text)!
    assert.equal(Buffer.from(p!, 'base64').length, 32)
  })

  it('has the fingerprint of its key, however it is written', async () => {
    const key = await makeKey('rsa-sha256')
    const text = publicText(key)
    assert.match(fingerprint(key), /^[0-9a-f]{16}$/)
    assert.equal(fingerprintOf(text), fingerprint(key))
    assert.equal(fingerprintOf(`p = ${text.slice(18, 100)} ${text.slice(100)}`), fingerprint(key))
    assert.equal(fingerprintOf('v=DKIM1; p='), undefined)
    assert.equal(fingerprintOf('v=spf1 -all'), undefined)
  })
})

it('selectors name the month', () => {
  assert.equal(selectorFor(Date.UTC(2026, 10, 21)), 'p2611')
  assert.equal(selectorFor(Date.UTC(2027, 0, 1)), 'p2701')
})

describe('KeyRing', () => {
  const domain = (name: string) => name as Domain
  const key = (
    selector: string,
    algorithm: SigningKey['algorithm'] = 'rsa-sha256',
  ): SigningKey => ({
    selector,
    algorithm,
    privateKey: rsa(512),
  })
  const ring = new KeyRing()
  ring.add(domain('example.com'), [key('e', 'ed25519-sha256'), key('a')])
  ring.add(domain('news.example.com'), [key('b')])
  ring.add(domain('empty.example.com'), [])

  const table: [string, string | undefined, string][] = [
    ['example.com', 'example.com', 'a'],
    ['news.example.com', 'news.example.com', 'b'],
    ['x.news.example.com', 'news.example.com', 'b'],
    ['deep.shop.example.com', 'example.com', 'a'],
    ['empty.example.com', 'example.com', 'a'],
    ['notexample.com', undefined, ''],
    ['com', undefined, ''],
  ]
  for (const [from, expected, selector] of table) {
    it(`${from}: ${expected ?? 'nobody'}`, () => {
      const signer = ring.keysFor(domain(from))
      assert.equal(signer?.domain, expected)
      if (expected) assert.equal(signer?.keys[0]?.selector, selector)
    })
  }

  it('puts RSA before Ed25519, and forgets', () => {
    const algorithms = ring.keysFor(domain('example.com'))?.keys.map((one) => one.algorithm)
    assert.deepEqual(algorithms, ['rsa-sha256', 'ed25519-sha256'])
    assert.equal(ring.remove(domain('news.example.com')), true)
    assert.equal(ring.remove(domain('news.example.com')), false)
    assert.equal(ring.keysFor(domain('news.example.com'))?.domain, 'example.com')
  })

  it('has a key for the sandbox', async () => {
    assert.equal((await makeSandboxKey()).selector, 'sandbox')
  })
})
