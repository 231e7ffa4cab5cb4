// A domain's world, changed at run time: durable, not against the configuration, and never over keys
// that others have replaced meanwhile.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/support/tools.ts'
import { loadConfig } from '../config/load.ts'
import type { Domain } from '../mail/domain.ts'
import { systemClock } from '../std/clock.ts'
import { silentLog } from '../std/log.ts'
import { openStore } from '../store/sqlite/open.ts'
import { Domains } from './domains.ts'
import { warnOfUnseenKeys } from './go-live.ts'
import type { Sight } from './publication.ts'

const DOMAIN = 'example.com' as Domain

async function open(path: string, settings: Readonly<Record<string, string>> = {}) {
  await using parts = new AsyncDisposableStack()
  const { config } = loadConfig({
    environment: { POSTHORN_DATA: path, POSTHORN_HOSTNAME: 'mail.example.com', ...settings },
    workingDirectory: path,
    machineName: 'mail.example.com',
  })
  const log = silentLog
  const clock = systemClock
  const store = parts.use(await openStore({ folder: path, clock, log, reserveBytes: 0 }))
  const domains = await Domains.open({ store, config: config!, clock, log })
  const all = parts.move()
  return { domains, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

test('a domain that was added changes its world, and is still there after a restart', async () => {
  using folder = temporaryFolder()
  {
    await using server = await open(folder.path)
    await server.domains.add({ domain: DOMAIN, world: 'sandbox' })
    assert.equal(await server.domains.setWorld(DOMAIN, 'live'), true)
    assert.equal(server.domains.worldOf(DOMAIN), 'live')
    assert.equal(await server.domains.setWorld('example.org' as Domain, 'live'), false)
  }
  await using server = await open(folder.path)
  assert.equal(server.domains.worldOf(DOMAIN), 'live')
  assert.equal(server.domains.keyring.keysFor(DOMAIN)?.keys.length, 1, 'it signs as before')
})

test('a configured domain follows the top-level mode until somebody chooses', async () => {
  using folder = temporaryFolder()
  const listed = { POSTHORN_DOMAINS: DOMAIN }
  {
    await using server = await open(folder.path, listed)
    assert.equal(server.domains.worldOf(DOMAIN), 'sandbox')
  }
  {
    await using server = await open(folder.path, { ...listed, POSTHORN_MODE: 'live' })
    assert.equal(server.domains.worldOf(DOMAIN), 'live', 'nobody chose')
    await server.domains.setWorld(DOMAIN, 'sandbox')
  }
  await using server = await open(folder.path, { ...listed, POSTHORN_MODE: 'live' })
  assert.equal(server.domains.worldOf(DOMAIN), 'sandbox')
  assert.equal(server.domains.list()[0]?.source, 'config')
})

test('what the configuration says of a domain stays, and who wants otherwise is told where', async () => {
  using folder = temporaryFolder()
  const yaml = `{"${DOMAIN}": {"mode": "sandbox"}}`
  writeFileSync(`${folder.path}/posthorn.yaml`, `domains: ${yaml}`)
  await using server = await open(folder.path)
  await assert.rejects(
    server.domains.setWorld(DOMAIN, 'live'),
    (fault: Error & { code: string }) => {
      assert.equal(fault.code, 'MODE_IN_CONFIG')
      assert.match(fault.message, /domains\.example\.com\.mode/)
      return true
    },
  )
  assert.equal(await server.domains.setWorld(DOMAIN, 'sandbox'), true, 'nothing to change')
})

test('keys that were replaced since they were looked at stop the change', async () => {
  using folder = temporaryFolder()
  await using server = await open(folder.path)
  await server.domains.add({ domain: DOMAIN, world: 'sandbox', selector: 'new' })
  const change = server.domains.setWorld(DOMAIN, 'live', { keys: ['old'] })
  await assert.rejects(change, { code: 'KEYS_CHANGED' })
  assert.equal(server.domains.worldOf(DOMAIN), 'sandbox')
  await server.domains.setWorld(DOMAIN, 'live', { keys: ['new'] })
})

test('the log says which live domains sign with a key that nobody can see', async () => {
  using folder = temporaryFolder()
  await using server = await open(folder.path)
  for (const [domain, world] of [
    ['a.example', 'live'],
    ['b.example', 'live'],
    ['c.example', 'sandbox'],
  ] as const)
    await server.domains.add({ domain, world, selector: 's' })
  const lines: [object, string][] = []
  const log = {
    ...silentLog,
    warn: (fields: object, text: string) => void lines.push([fields, text]),
  }
  const look = async ({ domain }: { domain: string }): Promise<Sight> => ({
    kind: domain === 'a.example' ? 'published' : 'missing',
    shown: 0,
    servers: 2,
    without: [],
    why: '',
  })
  await warnOfUnseenKeys({ domains: server.domains, look, log })()
  assert.equal(lines.length, 1)
  assert.deepEqual(lines[0]![0], {
    domain: 'b.example',
    record: 's._domainkey.b.example',
    seen: 'missing',
    fix: 'posthorn dns b.example, then posthorn doctor b.example',
  })
})
