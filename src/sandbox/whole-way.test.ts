// The delivery room in the sandbox: resolver, hosts, TLS and transaction are those of the real world.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { domain, ends, mailbox, makeRoom, send } from '../../test/support/delivery.ts'
import { signText } from '../../test/support/sign.ts'
import type { Delivery } from '../delivery/deliver.ts'
import { KeyRing, makeSandboxKey } from '../dkim/keyring.ts'
import { createResolver, type StubResolver } from '../dns/stub.ts'
import { systemClock } from '../std/clock.ts'
import { silentLog } from '../std/log.ts'
import { openStore } from '../store/sqlite/open.ts'
import type { Store } from '../store/store.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

const identity = { hostname: domain('mail.sender.example') }
const sandboxKey = await makeSandboxKey()
const TEXT =
  'From: app@shop.example\r\nTo: you@gmail.example\r\nSubject: hi\r\n\r\n.dot\r\nHello\r\n'

let folder = ''
let store: Store
let sandbox: Sandbox
let resolver: StubResolver
let room: Delivery

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-way-'))
  const common = { clock: systemClock, log: silentLog }
  store = await openStore({ folder, ...common, reserveBytes: 0 })
  sandbox = await startSandbox({ store, keyring: new KeyRing(), sandboxKey, identity, ...common })
  resolver = createResolver({
    servers: [sandbox.dnsServer],
    clock: systemClock,
    timeoutMs: 2000,
    attempts: 2,
    cacheEntries: 100,
    trustAd: false,
  })
  room = makeRoom({
    identity,
    resolvers: { live: resolver, sandbox: resolver },
    routes: {
      allowPrivate: false,
      sandbox: { port: sandbox.smtpPort, destinationOf: sandbox.destinationOf },
    },
  })
})
after(async () => {
  await room.close()
  resolver.close()
  await sandbox[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function deliver(...to: string[]) {
  const text = await signText(TEXT, 'shop.example', sandboxKey)
  const message = {
    world: 'sandbox',
    reversePath: mailbox('app@shop.example'),
    prefix: '',
    size: text.length,
  } as const
  return await send(room, { to, text, message })
}

test('a message goes the whole way, over TLS, and passes', async () => {
  const attempt = await deliver('you@gmail.example')
  assert.deepEqual(ends(attempt), ['delivered'])
  assert.equal(attempt.host, 'mx.gmail.example')
  assert.equal(attempt.tls?.version, 'TLSv1.3')
  const [captured] = await store.captured({ limit: 1 })
  assert.deepEqual(captured?.authentication, { dkim: 'pass', spf: 'pass', dmarc: 'pass' })
  const raw = Buffer.from((await store.capturedRaw(captured!.id))!).toString()
  assert.ok(raw.endsWith('\r\n\r\n.dot\r\nHello\r\n'))
})

const TABLE: readonly [string, string][] = [
  ['no-such-user@gmail.example', 'permanent recipient 5.1.1'],
  ['mailbox-full@gmail.example', 'transient recipient 4.2.2'],
  ['greylisted@gmail.example', 'transient recipient 4.7.1'],
  ['spam@gmail.example', 'permanent message 5.7.1'],
  ['you@null-mx.test', 'permanent site 5.1.10'],
  ['you@no-address.test', 'permanent site 5.1.2'],
  ['you@nowhere.invalid', 'permanent site 5.1.2'],
]
for (const [to, expected] of TABLE)
  test(`${to}: ${expected}`, async () => assert.deepEqual(ends(await deliver(to)), [expected]))

for (const to of ['rate-limited', 'drops-connection', 'greylisted'])
  test(`${to}: delivered at the second attempt`, async () => {
    const [first] = ends(await deliver(`${to}@second.example`))
    assert.match(first!, /^transient/)
    assert.deepEqual(ends(await deliver(`${to}@second.example`)), ['delivered'])
  })

for (const name of ['dns-failure.test', 'unreachable.test'])
  test(`${name}: waits`, async () => {
    const [end] = ends(await deliver(`you@${name}`))
    assert.match(end!, /^transient/)
  })
