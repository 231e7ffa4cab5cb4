import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openListener } from '../../test/support/listener.ts'
import { getPeer } from '../../test/support/tls-peer.ts'
import { missing, run, temporaryFolder, until } from '../../test/support/tools.ts'
import { issueCertificate, makeAuthority, selfSignedCertificate } from '../std/certificate.ts'
import { type Clock, systemClock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import { Certificates, type CertificatesOptions } from './certificates.ts'

const HOST = 'mail.example.com'
const root = makeAuthority('Root', systemClock, { days: 3650 })
const issued = (names: readonly string[] = [HOST], days = 90) =>
  issueCertificate(root, names, { clock: systemClock, days })

function listLog(lines: string[]): Log {
  const add = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${(fields as { fault?: string }).fault ?? ''}`.trim())
  const log: Log = {
    debug: () => {},
    info: add('info'),
    warn: add('warn'),
    error: add('error'),
    child: () => log,
  }
  return log
}

function house(folder: string, more: Partial<CertificatesOptions> = {}) {
  const lines: string[] = []
  const options: CertificatesOptions = {
    folder: join(folder, 'own'),
    hostname: HOST,
    places: [],
    authority: { needed: true, names: [HOST, 'localhost', '127.0.0.1', '::1'] },
    clock: systemClock,
    log: listLog(lines),
    ...more,
  }
  return { lines, open: () => Certificates.open(options) }
}

async function openDoor() {
  const { listener, port } = await openListener({ tls: 'implicit' })
  return { listener, port, [Symbol.asyncDispose]: () => listener.drain(0) }
}

/** As certbot does: archive/ holds numbered files, live/ links to the newest. */
function certbot(folder: string, number: number, pair: { key: string; cert: string }): void {
  mkdirSync(join(folder, 'archive'), { recursive: true })
  mkdirSync(join(folder, 'live'), { recursive: true })
  for (const [name, text] of [
    ['privkey', pair.key],
    ['fullchain', pair.cert + root.cert],
  ] as const) {
    writeFileSync(join(folder, 'archive', `${name}${number}.pem`), text, { mode: 0o600 })
    symlinkSync(`../archive/${name}${number}.pem`, join(folder, 'live', 'new'))
    renameSync(join(folder, 'live', 'new'), join(folder, 'live', `${name}.pem`))
  }
}

const live = (folder: string) => ({
  certificate: join(folder, 'live', 'fullchain.pem'),
  key: join(folder, 'live', 'privkey.pem'),
})

test('links that certbot moves are followed at once, without a word about the moment between', async () => {
  using folder = temporaryFolder()
  certbot(folder.path, 1, issued())
  const { lines, open } = house(folder.path, { places: [live(folder.path)] })
  await using certificates = await open()
  certificates.start()
  const serial = async () => (await certificates.states())[0]?.certificate?.serial
  const first = await serial()
  await until(async () => lines.length === 1, 'it is in use')
  certbot(folder.path, 2, issued())
  await until(async () => (await serial()) !== first, 'the new one is in use', 10)
  assert.deepEqual(lines, ['info certificate in use', 'info certificate renewed'])
})

test('a faulty new file leaves the last good one in use, and is told once', async () => {
  using folder = temporaryFolder()
  certbot(folder.path, 1, issued())
  const { lines, open } = house(folder.path, { places: [live(folder.path)] })
  await using certificates = await open()
  certificates.start()
  const first = (await certificates.states())[0]?.certificate?.serial
  writeFileSync(live(folder.path).certificate, issued().cert)
  await until(() => lines.some((line) => line.startsWith('error')), 'the fault is told', 10)
  await certificates.renew()
  const [state] = await certificates.states()
  assert.deepEqual([state?.inUse, state?.certificate?.serial], [true, first])
  assert.equal(state?.faults[0]?.code, 'KEY_MISMATCH')
  assert.equal(lines.filter((line) => line.startsWith('error')).length, 1)
  assert.match(
    lines.at(-1) ?? '',
    /is not for the key in .*The last good one stays in use\. KEY_MISMATCH$/,
  )
  rmSync(live(folder.path).certificate)
  await certificates.renew()
  assert.match(lines.at(-1) ?? '', /there is no such file.*FILE_MISSING$/)
  assert.equal((await certificates.states())[0]?.inUse, true)
})

const skip = process.getuid?.() !== 0 && 'needs root, to be another user for a moment'
test('who may not read the file is said, and which folder stands in the way', {
  skip,
}, async () => {
  using folder = temporaryFolder()
  certbot(folder.path, 1, issued())
  chmodSync(folder.path, 0o755)
  chmodSync(join(folder.path, 'archive'), 0o700)
  const { lines, open } = house(folder.path, { places: [live(folder.path)] })
  process.seteuid!(65_534)
  try {
    await using certificates = await open()
    assert.equal((await certificates.states())[0]?.inUse, false)
  } finally {
    process.seteuid!(0)
  }
  assert.match(
    lines[0] ?? '',
    /not readable by user 65534: \S+\/archive belongs to user 0, mode 0700\. Let that user read it: setfacl/,
  )
})

test('a folder of certificates: each client gets the one that it asks for', async () => {
  using folder = temporaryFolder()
  const write = (name: string, text: string) => writeFileSync(join(folder.path, name), text)
  for (const [name, names] of [
    ['a', ['shop.example']],
    ['b', [HOST]],
    ['c', ['*.example.net']],
  ] as const) {
    const { cert, key } = issued(names)
    write(`${name}.crt`, cert)
    write(`${name}.key`, key)
  }
  const { open } = house(folder.path, { places: [{ certificate: folder.path }] })
  await using certificates = await open()
  await using door = await openDoor()
  const { listener, port } = door
  certificates.follow((make) => listener.useCertificate(make?.('test')))
  const subjectFor = async (name: string) => (await getPeer(port, name)).subject
  assert.equal(await subjectFor('shop.example'), 'CN=shop.example')
  assert.equal(await subjectFor('SHOP.example'), 'CN=shop.example')
  assert.equal(await subjectFor('mx.example.net'), 'CN=*.example.net')
  assert.equal(await subjectFor('unknown.example'), `CN=${HOST}`)
  assert.equal(await subjectFor(''), `CN=${HOST}`)
})

test('the seed’s cert.pem, chain.pem and key make one chain', async () => {
  using folder = temporaryFolder()
  const { cert, key } = issued()
  const place = { certificate: join(folder.path, 'cert.pem'), key: join(folder.path, 'key.pem') }
  writeFileSync(place.certificate, cert)
  writeFileSync(place.key, key, { mode: 0o600 })
  const chain = join(folder.path, 'chain.pem')
  writeFileSync(chain, root.cert)
  for (const places of [[{ ...place, chain }], [{ certificate: folder.path }]]) {
    const { lines, open } = house(folder.path, { places })
    await using certificates = await open()
    assert.deepEqual(lines, ['info certificate in use'])
    await using door = await openDoor()
    const { listener, port } = door
    certificates.follow((make) => listener.useCertificate(make?.('test')))
    const peer = await getPeer(port, HOST, { ca: root.cert, rejectUnauthorized: true })
    assert.equal(peer.checkHost(HOST), HOST)
  }
})

test('without any, our own authority: a root for ten years, a leaf that is renewed below it', async () => {
  using folder = temporaryFolder()
  let later = 0
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + later }
  const { open } = house(folder.path, { clock })
  await using first = await open()
  const pem = await first.root()
  const [state] = await first.states()
  assert.equal(state?.certificate?.untrusted, true)
  assert.deepEqual(state?.certificate?.names.slice(0, 3), [HOST, 'localhost', '127.0.0.1'])
  later = (state?.renewal?.nextAt ?? 0) - systemClock.now() + 1_000
  await using second = await open()
  assert.equal(await second.root(), pem)
  const [renewed] = await second.states()
  assert.notEqual(renewed?.certificate?.serial, state?.certificate?.serial)
  await using door = await openDoor()
  const { listener, port } = door
  first.follow((make) => listener.useCertificate(make?.('test')))
  await getPeer(port, HOST, { ca: pem!, rejectUnauthorized: true })
})

test('nobody needs a certificate: none is made', async () => {
  using folder = temporaryFolder()
  const { lines, open } = house(folder.path, { authority: { needed: false, names: [HOST] } })
  await using certificates = await open()
  assert.deepEqual(
    [await certificates.states(), await certificates.root(), lines],
    [[], undefined, []],
  )
  assert.equal(
    await certificates.makeRoot(),
    readFileSync(join(folder.path, 'own/authority.pem'), 'utf8').replace(
      /^[\s\S]*PRIVATE KEY-----\n/,
      '',
    ),
  )
})

test('a self-signed one is used, and known for what it is', async () => {
  using folder = temporaryFolder()
  const place = { certificate: join(folder.path, 'both.pem') }
  const { cert, key } = selfSignedCertificate([HOST], systemClock)
  writeFileSync(place.certificate, key + cert, { mode: 0o600 })
  await using certificates = await house(folder.path, { places: [place] }).open()
  assert.equal((await certificates.states())[0]?.certificate?.untrusted, true)
})

const noOpenssl = missing('openssl')
test('an RSA and an ECDSA key side by side: each client gets what it knows', {
  skip: noOpenssl,
}, async () => {
  using folder = temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  const { cert, key } = issued()
  writeFileSync(at('a.crt'), cert)
  writeFileSync(at('a.key'), key, { mode: 0o600 })
  const subject = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`]
  const files = ['-keyout', at('b.key'), '-out', at('b.crt')]
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject])
  await using certificates = await house(folder.path, {
    places: [{ certificate: folder.path }],
  }).open()
  await using door = await openDoor()
  certificates.follow((make) => door.listener.useCertificate(make?.('test')))
  const typeFor = async (ciphers: string) => {
    const peer = await getPeer(door.port, HOST, { ciphers, maxVersion: 'TLSv1.2' })
    return peer.publicKey.asymmetricKeyType
  }
  assert.equal(await typeFor('ECDHE-ECDSA-AES128-GCM-SHA256'), 'ec')
  assert.equal(await typeFor('ECDHE-RSA-AES128-GCM-SHA256'), 'rsa')
})
