// A real ACME server (Pebble, by the makers of Let's Encrypt) issues and renews, and looks at our
// proofs itself: over HTTP on our port, and in a DNS that is its companion's.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Certificates, type CertificatesOptions } from '../../src/certificates/certificates.ts'
import { HttpChallenges } from '../../src/certificates/challenge.ts'
import type { Proof } from '../../src/certificates/order.ts'
import { issueCertificate, makeAuthority } from '../../src/std/certificate.ts'
import { type Clock, systemClock } from '../../src/std/clock.ts'
import { silentLog } from '../../src/std/log.ts'
import { startHere } from '../support/posthorn.ts'
import { getPeer } from '../support/tls-peer.ts'
import { freePort, missing, opened, temporaryFolder, until } from '../support/tools.ts'

const skip = missing('pebble', 'pebble-challtestsrv')
const HOST = 'mail.example.com'

type Pebble = { readonly directory: string; readonly root: string; readonly httpPort: number }
let pebble: Pebble
let manage: string
const children: ChildProcess[] = []
const folder = temporaryFolder()

function run(program: string, args: readonly string[]): void {
  const environment = {
    PATH: process.env.PATH,
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_WFE_NONCEREJECT: '20',
  }
  children.push(spawn(program, args, { env: environment, stdio: 'ignore' }))
}

before(async () => {
  if (skip) return
  const ports = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const [dns = 0, management = 0, directory = 0, pebbleManagement = 0, httpPort = 0] = ports
  const at = (name: string) => join(folder.path, name)
  const authority = makeAuthority('Pebble', systemClock, { days: 10 })
  const own = issueCertificate(authority, ['127.0.0.1', 'localhost'], {
    clock: systemClock,
    days: 5,
  })
  writeFileSync(at('root.pem'), authority.cert)
  writeFileSync(at('cert.pem'), own.cert)
  writeFileSync(at('key.pem'), own.key)
  const settings = {
    listenAddress: `127.0.0.1:${directory}`,
    managementListenAddress: `127.0.0.1:${pebbleManagement}`,
    certificate: at('cert.pem'),
    privateKey: at('key.pem'),
    httpPort,
    tlsPort: 5001,
    ocspResponderURL: '',
    certificateValidityPeriod: 90 * 86_400,
  }
  writeFileSync(at('pebble.json'), JSON.stringify({ pebble: settings }))
  const none = ['-http01', '', '-https01', '', '-tlsalpn01', '']
  run('pebble-challtestsrv', [
    ...['-dns01', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${management}`],
    ...['-defaultIPv4', '127.0.0.1', '-defaultIPv6', '', ...none],
  ])
  run('pebble', ['-config', at('pebble.json'), '-dnsserver', `127.0.0.1:${dns}`])
  await opened(directory)
  await opened(management)
  manage = `http://127.0.0.1:${management}`
  pebble = { directory: `https://127.0.0.1:${directory}/dir`, root: at('root.pem'), httpPort }
})

after(() => {
  for (const child of children) child.kill('SIGKILL')
  folder[Symbol.dispose]()
})

const post = (path: string, body: object) =>
  fetch(`${manage}/${path}`, { method: 'POST', body: JSON.stringify(body) })

function openWith(
  path: string,
  proof: Proof,
  more: { readonly clock?: Clock; readonly names?: readonly string[] } = {},
) {
  const { clock = systemClock, names = [HOST] } = more
  const options: CertificatesOptions = {
    folder: path,
    hostname: HOST,
    places: [],
    acme: {
      account: { directory: pebble.directory, email: 'postmaster@example.com' },
      trustFile: pebble.root,
      names,
      proof,
      random: () => 0.5,
    },
    authority: { needed: true, names: [HOST] },
    clock,
    log: silentLog,
  }
  return Certificates.open(options)
}

const overHttp = (): Proof => ({
  kind: 'http-01',
  challenges: new HttpChallenges(),
  listen: { address: '127.0.0.1', port: pebble.httpPort },
})

test('http-01: issued at the start, kept over a restart, renewed with a third of its life left', {
  skip,
}, async () => {
  using own = temporaryFolder()
  let later = 0
  const clock = { ...systemClock, now: () => systemClock.now() + later }
  await using first = await openWith(own.path, overHttp(), { clock })
  assert.equal((await first.states())[0]?.inUse, false)
  first.start()
  const issued = await until(
    async () => (await first.states())[0]?.certificate ?? undefined,
    'it is issued',
  )
  assert.deepEqual(issued.names, [HOST])
  assert.match(issued.issuer, /Pebble Intermediate/)
  for (const name of ['acme.pem', 'acme-account.pem', 'acme.json'])
    assert.equal(statSync(join(own.path, name)).mode & 0o777, 0o600, name)
  const account = readFileSync(join(own.path, 'acme-account.pem'), 'utf8')
  await first[Symbol.asyncDispose]()

  await using second = await openWith(own.path, overHttp(), { clock })
  second.start()
  const [kept] = await second.states()
  assert.equal(kept?.certificate?.serial, issued.serial)
  const { beginsAt, expiresAt } = issued
  const nextAt = kept?.renewal?.nextAt ?? 0
  const share = (expiresAt - nextAt) / (expiresAt - beginsAt)
  assert.ok(share > 1 / 3 - 0.001 && share < 1 / 3 + 1 / 30 + 0.001, `${share}`)
  await second[Symbol.asyncDispose]()

  later = nextAt + 1_000 - systemClock.now()
  await using third = await openWith(own.path, overHttp(), { clock })
  third.start()
  await until(
    async () => ((await third.states())[0]?.certificate?.serial ?? issued.serial) !== issued.serial,
    'it is renewed',
  )
  assert.equal(readFileSync(join(own.path, 'acme-account.pem'), 'utf8'), account)
})

test('dns-01: two names and a wildcard, and every record taken away again', { skip }, async () => {
  using own = temporaryFolder()
  const records = new Map<string, string[]>()
  const publish = async (name: string, values: string[]) => {
    records.set(name, values)
    await post('clear-txt', { host: `${name}.` })
    for (const value of values) await post('set-txt', { host: `${name}.`, value })
  }
  const publisher = {
    setTxt: (name: string, value: string) => publish(name, [...(records.get(name) ?? []), value]),
    removeTxt: (name: string, value: string) =>
      publish(
        name,
        (records.get(name) ?? []).filter((one) => one !== value),
      ),
  }
  const names = [HOST, '*.example.com', 'example.com']
  await using certificates = await openWith(own.path, { kind: 'dns-01', publisher }, { names })
  const [state] = await certificates.renew()
  assert.equal(state?.renewal?.lastFailure, null)
  assert.deepEqual([...(state?.certificate?.names ?? [])].sort(), [...names].sort())
  assert.ok(records.size >= 2)
  assert.deepEqual([...records.values()].flat(), [])
})

test('a failure says why, waits, and waits over a restart', { skip }, async () => {
  using own = temporaryFolder()
  const silent: Proof = { kind: 'http-01', challenges: new HttpChallenges() }
  await using first = await openWith(own.path, silent)
  const [failed] = await first.renew()
  assert.match(
    failed?.renewal?.lastFailure ?? '',
    /mail\.example\.com: .*(refused|Fetching|connect)/i,
  )
  assert.equal(failed?.renewal?.failures, 1)
  assert.ok((failed?.renewal?.nextAt ?? 0) > systemClock.now() + 10 * 60_000)
  await first[Symbol.asyncDispose]()
  await using second = await openWith(own.path, overHttp())
  second.start()
  const [still] = await second.states()
  assert.deepEqual(still?.renewal, failed?.renewal)
  // A person who asks is not told to wait.
  const [issued] = await second.renew()
  assert.equal(issued?.inUse, true)
  assert.equal(issued?.renewal?.failures, 0)
})

test('a directory that is not there, or not to be trusted, is named', { skip }, async () => {
  using own = temporaryFolder()
  const known = pebble
  try {
    pebble = { ...known, directory: 'https://127.0.0.1:9/dir' }
    await using nobody = await openWith(own.path, overHttp())
    const [absent] = await nobody.renew()
    assert.match(absent?.renewal?.lastFailure ?? '', /^127\.0\.0\.1:9: ECONNREFUSED$/)
    writeFileSync(join(own.path, 'other.pem'), makeAuthority('x', systemClock, { days: 1 }).cert)
    pebble = { ...known, root: join(own.path, 'other.pem') }
    await using stranger = await openWith(own.path, overHttp())
    const [untrusted] = await stranger.renew()
    assert.match(
      untrusted?.renewal?.lastFailure ?? '',
      /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED/,
    )
  } finally {
    pebble = known
  }
})

test('the whole server: its listeners get the certificate while they serve', { skip }, async () => {
  await using server = await startHere({
    hostname: HOST,
    listeners: { submissions: { port: 0, tls: 'implicit' } },
    tls: {
      acme: {
        domains: [HOST],
        terms_agreed: true,
        directory: pebble.directory,
        authority: pebble.root,
        http_address: '127.0.0.1',
        http_port: pebble.httpPort,
      },
    },
  })
  const states = () =>
    server.ask<{ certificates: { in_use: boolean; file: string }[] }>('/api/v1/certificates')
  const file = await until(async () => {
    const [one] = (await states()).certificates
    return one?.in_use && one.file
  }, 'a certificate is in use')
  const leaf = new X509Certificate(readFileSync(file))
  assert.equal(leaf.checkHost(HOST), HOST)
  const peer = await getPeer(server.ports.submissions!, HOST)
  assert.equal(peer.serialNumber, leaf.serialNumber)
  const metrics = await (await fetch(`${server.http}/metrics`)).text()
  assert.match(
    metrics,
    /posthorn_certificate_expires_seconds\{name="mail.example.com",source="acme"\} \d+/,
  )
})
