// A key is being replaced when the server dies, at one stage after the other.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PosthornProcess, writeSettings } from '../support/posthorn.ts'
import { temporaryFolder } from '../support/tools.ts'
import { TestWorld } from '../support/world.ts'

type Page = { keys: { selector: string; state: string; sight: { kind: string } | null }[] }

test('kill -9 between the stages of a rotation: the new start goes on where it stood', async () => {
  await using world = await TestWorld.open({ 'example.com NS': 'server-failure' })
  using folder = temporaryFolder()
  writeSettings(folder.path, {
    hostname: 'mail.example.com',
    log: { format: 'json' },
    dns: { servers: [world.server] },
  })
  const lives = async (during: (server: PosthornProcess) => Promise<void>) => {
    await using server = await PosthornProcess.start({ folder: folder.path })
    await during(server)
    await server.end('SIGKILL')
  }
  const states = async (server: PosthornProcess, domain: string) => {
    const { keys } = await server.ask<Page>(`/api/v1/domains/${domain}/keys`)
    return keys.map(({ state }) => state)
  }
  await lives(async (server) => {
    const wanted = { domain: 'example.com', world: 'live' }
    await server.ask('/api/v1/domains', 'POST', wanted)
    await server.ask('/api/v1/domains', 'POST', { domain: 'inside.test', world: 'sandbox' })
    assert.deepEqual(await states(server, 'example.com'), ['active'])
    const path = '/api/v1/domains/example.com/rotation'
    // Nobody waits for the answer: the machine dies while the name servers are asked.
    void server.ask<Page>(path, 'POST', {}).catch(() => undefined)
    const keys = join(server.data, 'keys')
    for (let tries = 200; tries > 0; tries--) {
      if (readdirSync(keys).filter((name) => name.startsWith('example.com')).length > 1) break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
  await lives(async (server) => {
    const found = await states(server, 'example.com')
    assert.ok(['active', 'active,coming'].includes(String(found)), String(found))
    const path = '/api/v1/domains/example.com/rotation'
    const { keys } = await server.ask<Page>(path, 'POST', {})
    assert.deepEqual(
      keys.map(({ state }) => state),
      ['active', 'coming'],
    )
    assert.equal(keys[1]!.sight!.kind, 'cannot-tell')
    await server.ask('/api/v1/domains/inside.test/rotation', 'POST', {})
  })
  await lives(async (server) => {
    assert.deepEqual(await states(server, 'example.com'), ['active', 'coming'])
    assert.deepEqual(await states(server, 'inside.test'), ['retiring', 'active'])
    const { out } = await server.command(['dkim', 'rotate', 'example.com', '--abort'])
    assert.match(out, /^Given up: p\d{4}-\d\. Its record may be removed\.$/m)
  })
  await lives(async (server) => {
    assert.deepEqual(await states(server, 'example.com'), ['active', 'retired'])
    const { out } = await server.command(['dkim', 'list'])
    assert.match(out, /inside\.test +p\d{4} +RSA 2048 +retiring +[\d-]+ +keep its record until 2/)
    const gone = await server.command(['dkim', 'retire', 'example.com', 'nothere'])
    assert.equal(gone.code, 1)
    assert.match(
      gone.err,
      /^example\.com has no key nothere\. See them: .*dkim list example\.com$/m,
    )
  })
})
