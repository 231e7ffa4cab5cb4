// Rotation with made-up DNS and clock over a real store: from the wish for a new key to the end of
// the old one, with a restart at every stage; and a property: whatever happens in whatever order,
// nothing is signed with a key that the world could not see when it took another's place.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ManualClock } from '../../test/support/clock.ts'
import { temporaryFolder } from '../../test/support/tools.ts'
import { loadConfig } from '../config/load.ts'
import type { Domain } from '../mail/domain.ts'
import { silentLog } from '../std/log.ts'
import { openStore } from '../store/sqlite/open.ts'
import { Domains } from './domains.ts'
import { keyVerbs } from './key-verbs.ts'
import type { LookForKey } from './publication.ts'
import { Rotations } from './rotation.ts'

const HOUR = 3_600_000
const KEEP_MS = 4 * 24 * HOUR
const DOMAIN = 'example.com' as Domain

/** The zone's servers: each holds some records, by selector. */
class Zone {
  readonly servers: Set<string>[] = [new Set(), new Set()]
  asked = 0
  broken = false

  readonly look: LookForKey = async ({ selector }) => {
    this.asked++
    if (this.broken)
      return { kind: 'cannot-tell', shown: 0, servers: 0, without: [], why: 'SERVFAIL' }
    const shown = this.servers.filter((server) => server.has(selector)).length
    const kind = shown === this.servers.length ? 'published' : 'missing'
    return { kind, shown, servers: this.servers.length, without: [], why: '' }
  }

  publish(selector: string, ...servers: number[]): void {
    for (const n of servers.length > 0 ? servers : [0, 1]) this.servers[n]!.add(selector)
  }

  shows(selector: string): boolean {
    return this.servers.every((server) => server.has(selector))
  }
}

/** A server's keys, over a folder that outlives it. */
async function open(path: string, zone: Zone, clock: ManualClock, disk = { fails: false }) {
  await using parts = new AsyncDisposableStack()
  const { config } = loadConfig({
    environment: { POSTHORN_DATA: path },
    workingDirectory: path,
    machineName: 'mail.example.com',
  })
  const log = silentLog
  const real = parts.use(await openStore({ folder: path, clock, log, reserveBytes: 0 }))
  const saveDomain: typeof real.saveDomain = (record) =>
    disk.fails ? Promise.reject(new Error('the disk failed')) : real.saveDomain(record)
  const store = {
    domains: () => real.domains(),
    saveDomain,
    removeDomain: (domain: Domain) => real.removeDomain(domain),
  }
  const domains = await Domains.open({ store, config: config!, clock, log })
  const { look } = zone
  const random = () => 0.5
  const rotations = new Rotations({ domains, look, clock, random, log, keepMs: KEEP_MS })
  const verbs = keyVerbs({ domains, rotations, clock })
  const states = async () =>
    Object.fromEntries((await verbs.keys(DOMAIN))!.map((key) => [key.selector, key.state]))
  const signs = () => domains.keyring.keysFor(DOMAIN)!.keys.map((key) => key.selector)
  const all = parts.move()
  return {
    domains,
    rotations,
    verbs,
    states,
    signs,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

test('a new key signs when both servers show it, the old one stays until its mail has ended', async () => {
  using folder = temporaryFolder()
  const zone = new Zone()
  const clock = new ManualClock()
  const begin = () => open(folder.path, zone, clock)
  {
    await using server = await begin()
    await server.domains.add({ domain: DOMAIN, world: 'live' })
    assert.deepEqual(await server.states(), { p2601: 'active' })
    zone.publish('p2601')
    await server.verbs.rotateKeys(DOMAIN, {})
    assert.deepEqual(await server.states(), { p2601: 'active', 'p2601-2': 'coming' })
    assert.deepEqual(server.signs(), ['p2601'])
  }
  {
    await using server = await begin()
    zone.publish('p2601-2', 0)
    await clock.advance(HOUR)
    await server.rotations.round()
    const [, coming] = (await server.verbs.keys(DOMAIN))!
    assert.equal(coming!.state, 'coming')
    assert.equal(coming!.sight!.shown, 1)
    assert.deepEqual(server.signs(), ['p2601'])
  }
  {
    await using server = await begin()
    zone.publish('p2601-2', 1)
    await clock.advance(HOUR)
    await server.rotations.round()
    assert.deepEqual(await server.states(), { p2601: 'retiring', 'p2601-2': 'active' })
    assert.deepEqual(server.signs(), ['p2601-2'])
  }
  {
    await using server = await begin()
    await clock.advance(KEEP_MS - HOUR)
    await server.rotations.round()
    assert.deepEqual(await server.states(), { p2601: 'retiring', 'p2601-2': 'active' })
    const states = server.domains.published(DOMAIN)!.map(({ state }) => state)
    assert.deepEqual(states, ['retiring', 'active'])
    await clock.advance(2 * HOUR)
    await server.rotations.round()
    assert.deepEqual(await server.states(), { p2601: 'retired', 'p2601-2': 'active' })
  }
  await using server = await begin()
  assert.deepEqual(await server.states(), { p2601: 'retired', 'p2601-2': 'active' })
  assert.deepEqual(server.signs(), ['p2601-2'])
  assert.deepEqual(
    server.domains.published(DOMAIN)!.map(({ selector }) => selector),
    ['p2601-2'],
  )
})

test('a rotation that is given up leaves the old key, and its name is not used again', async () => {
  using folder = temporaryFolder()
  const zone = new Zone()
  const clock = new ManualClock()
  await using server = await open(folder.path, zone, clock)
  await server.domains.add({ domain: DOMAIN, world: 'live', ed25519: true })
  assert.deepEqual(await server.states(), { p2601: 'active', p2601e: 'active' })
  await server.verbs.rotateKeys(DOMAIN, {})
  await server.verbs.rotateKeys(DOMAIN, {})
  assert.deepEqual(Object.keys(await server.states()), ['p2601', 'p2601e', 'p2601-2', 'p2601-2e'])
  await server.verbs.abortRotation(DOMAIN)
  zone.publish('p2601-2')
  await clock.advance(HOUR)
  await server.rotations.round()
  assert.deepEqual(server.signs(), ['p2601', 'p2601e'])
  await server.verbs.rotateKeys(DOMAIN, {})
  const coming = Object.entries(await server.states()).filter(([, state]) => state === 'coming')
  assert.deepEqual(coming, [
    ['p2601-3', 'coming'],
    ['p2601-3e', 'coming'],
  ])
})

test('what stays unseen is looked for less and less often, and zones that fail cost nothing else', async () => {
  using folder = temporaryFolder()
  const zone = new Zone()
  const clock = new ManualClock()
  await using server = await open(folder.path, zone, clock)
  await server.domains.add({ domain: DOMAIN, world: 'live' })
  zone.broken = true
  await server.verbs.rotateKeys(DOMAIN, {})
  server.rotations.start()
  using _ = server.rotations
  await clock.advance(24 * HOUR)
  assert.ok(zone.asked > 24 && zone.asked < 200, `${zone.asked} looks in a day`)
  assert.deepEqual(server.signs(), ['p2601'])
})

test('the last RSA key stays', async () => {
  using folder = temporaryFolder()
  await using server = await open(folder.path, new Zone(), new ManualClock())
  await server.domains.add({ domain: DOMAIN, world: 'live', ed25519: true })
  const atOnce = false
  const last = server.verbs.retireKey(DOMAIN, 'p2601', { atOnce })
  await assert.rejects(async () => last, { code: 'LAST_KEY' })
  const key = await server.verbs.retireKey(DOMAIN, 'p2601e', { atOnce })
  assert.equal(key!.state, 'retiring')
  assert.equal(key!.retiresAt, key!.retiringAt! + KEEP_MS)
  assert.equal((await server.verbs.retireKey(DOMAIN, 'p2601e', { atOnce: true }))!.state, 'retired')
})

test('a domain that comes back finds the key that it had', async () => {
  using folder = temporaryFolder()
  await using server = await open(folder.path, new Zone(), new ManualClock())
  const add = () => server.domains.add({ domain: DOMAIN, world: 'live', selector: 'mail' })
  const txt = () => server.domains.published(DOMAIN)![0]!.txt
  await add()
  const before = txt()
  await server.domains.remove(DOMAIN)
  await add()
  assert.equal(txt(), before)
})

test('in the sandbox a rotation is over at once: its own DNS shows every key', async () => {
  using folder = temporaryFolder()
  const zone = new Zone()
  await using server = await open(folder.path, zone, new ManualClock())
  await server.domains.add({ domain: DOMAIN, world: 'sandbox' })
  await server.verbs.rotateKeys(DOMAIN, {})
  assert.deepEqual(await server.states(), { p2601: 'retiring', 'p2601-2': 'active' })
  assert.equal(zone.asked, 0)
  const signer = server.domains.keyring.keysFor(DOMAIN)!
  assert.deepEqual(
    signer.published!.map(({ selector }) => selector),
    ['p2601'],
  )
})

const act = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'rotate' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'abort' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'add' as const }) },
  { weight: 5, arbitrary: fc.nat(1).map((server) => ({ kind: 'publish' as const, server })) },
  { weight: 1, arbitrary: fc.boolean().map((broken) => ({ kind: 'dns' as const, broken })) },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 130 }).map((h) => ({ kind: 'wait' as const, h })),
  },
  { weight: 1, arbitrary: fc.nat(5).map((n) => ({ kind: 'retire' as const, n })) },
)

test('whatever happens, a key signs only if it was the first or was seen, and stays published after', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 25 }), async (acts) => {
      using folder = temporaryFolder()
      const zone = new Zone()
      const clock = new ManualClock()
      let server = await open(folder.path, zone, clock)
      try {
        await server.domains.add({ domain: DOMAIN, world: 'live' })
        /** When each selector signed last. */
        const signedAt = new Map<string, number>()
        const check = () => {
          const signers = server.signs()
          assert.ok(signers.length > 0, 'nobody signs')
          for (const selector of signers) {
            assert.ok(selector === 'p2601' || zone.shows(selector), `${selector} is not published`)
            signedAt.set(selector, clock.now())
          }
          const published = server.domains.published(DOMAIN)!.map(({ selector }) => selector)
          for (const [selector, at] of signedAt)
            if (clock.now() - at < KEEP_MS)
              assert.ok(published.includes(selector), `${selector} is asked for no more`)
        }
        for (const one of acts) {
          if (one.kind === 'rotate') await server.verbs.rotateKeys(DOMAIN, { bits: 1024 })
          if (one.kind === 'abort') await server.verbs.abortRotation(DOMAIN)
          if (one.kind === 'add') await server.verbs.addKey(DOMAIN, { algorithm: 'ed25519-sha256' })
          if (one.kind === 'publish')
            for (const key of (await server.verbs.keys(DOMAIN))!)
              zone.publish(key.selector, one.server)
          if (one.kind === 'dns') zone.broken = one.broken
          if (one.kind === 'wait') {
            check()
            await clock.advance(one.h * HOUR)
            await server.rotations.round()
          }
          if (one.kind === 'retire') {
            const keys = (await server.verbs.keys(DOMAIN))!
            const { selector } = keys[one.n % keys.length]!
            await server.verbs.retireKey(DOMAIN, selector, { atOnce: false }).catch(() => undefined)
          }
          if (one.kind === 'restart') {
            await server[Symbol.asyncDispose]()
            server = await open(folder.path, zone, clock)
          }
          check()
        }
      } finally {
        await server[Symbol.asyncDispose]()
      }
    }),
    { numRuns: 8 },
  )
})

test('a disk that fails at any write leaves what was there, here and after a restart', async () => {
  for (const step of ['rotate', 'activate', 'retire'] as const) {
    using folder = temporaryFolder()
    const zone = new Zone()
    const clock = new ManualClock()
    const disk = { fails: false }
    {
      await using server = await open(folder.path, zone, clock, disk)
      await server.domains.add({ domain: DOMAIN, world: 'live' })
      if (step !== 'rotate') await server.verbs.rotateKeys(DOMAIN, {})
      if (step === 'retire') {
        zone.publish('p2601-2')
        await clock.advance(HOUR)
        await server.rotations.round()
        await clock.advance(2 * KEEP_MS)
      }
      const before = await server.states()
      disk.fails = true
      zone.publish('p2601-2')
      await clock.advance(HOUR)
      const failing =
        step === 'rotate' ? server.verbs.rotateKeys(DOMAIN, {}) : server.rotations.round()
      await assert.rejects(async () => failing, { message: 'the disk failed' })
      assert.deepEqual(await server.states(), before)
    }
    disk.fails = false
    await using server = await open(folder.path, zone, clock, disk)
    await (step === 'rotate' ? server.verbs.rotateKeys(DOMAIN, {}) : server.rotations.round())
    const expected = {
      // The file that was left over keeps its name.
      rotate: { p2601: 'active', 'p2601-3': 'coming' },
      activate: { p2601: 'retiring', 'p2601-2': 'active' },
      retire: { p2601: 'retired', 'p2601-2': 'active' },
    }
    assert.deepEqual(await server.states(), expected[step])
  }
})
