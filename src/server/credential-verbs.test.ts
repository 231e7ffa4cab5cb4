import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Allowances } from '../intake/allowance.ts'
import { Credentials } from '../intake/credentials.ts'
import { systemClock } from '../std/clock.ts'
import { silentLog } from '../std/log.ts'
import { openStore } from '../store/sqlite/open.ts'
import { credentialVerbs } from './credential-verbs.ts'

/** What may be under way while a credential is revoked. */
const UNDER_WAY = {
  'a change': (verbs: Verbs) => verbs.changeCredential('app', { addresses: [] }),
  'a rotation': (verbs: Verbs) => verbs.rotateCredential('app'),
  'an import': (verbs: Verbs) =>
    verbs.importCredentials({
      text: 'app:{PLAIN}other words',
      format: 'passwd',
      replace: true,
      terms: {},
    }),
} satisfies Record<string, (verbs: Verbs) => Promise<unknown>>

type Verbs = ReturnType<typeof credentialVerbs>

for (const [what, begin] of Object.entries(UNDER_WAY))
  test(`${what} does not bring back a credential that is revoked meanwhile`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'posthorn-credentials-'))
    try {
      const options = { folder, clock: systemClock, log: silentLog, reserveBytes: 0 }
      await using store = await openStore(options)
      const house = {
        credentials: new Credentials([]),
        allowances: new Allowances(systemClock),
        secret: randomBytes(32),
        start() {},
        async [Symbol.asyncDispose]() {},
      }
      const verbs = credentialVerbs({ store, house, clock: systemClock })
      await verbs.addCredential({ name: 'app' } as Parameters<Verbs['addCredential']>[0])
      const underWay = begin(verbs)
      assert.equal(await verbs.revokeCredential('app'), true)
      await underWay
      assert.equal(house.credentials.get('app'), undefined)
      assert.deepEqual(await store.credentials(), [])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
