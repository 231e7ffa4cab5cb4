// Which host is tried, what the next one is for, and what DNS alone decides.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { domain, ends, makeRoom, send } from '../../test/support/delivery.ts'
import type { FakeAnswer } from '../../test/support/dns.ts'
import { mapResolver } from '../../test/support/dns.ts'
import {
  close,
  type HostileServer,
  reset,
  type Script,
  say,
  sayAndClose,
  stall,
  startHostileServer,
} from '../../test/support/hostile-server.ts'
import type { Mailbox } from '../mail/mailbox.ts'

const TWO_HOSTS = {
  'example.com MX': ['10 mx1.example.com', '20 mx2.example.com'],
  'mx1.example.com A': ['127.0.0.1'],
  'mx2.example.com A': ['127.0.0.2'],
}

/** Two hosts on one port, as mail wants it. */
async function twoPeers(script: Script): Promise<[HostileServer, HostileServer] & AsyncDisposable> {
  for (;;) {
    const first = await startHostileServer({ script })
    try {
      const second = await startHostileServer({ port: first.port, address: '127.0.0.2' })
      return Object.assign([first, second] as [HostileServer, HostileServer], {
        async [Symbol.asyncDispose]() {
          await first[Symbol.asyncDispose]()
          await second[Symbol.asyncDispose]()
        },
      })
    } catch {
      await first[Symbol.asyncDispose]()
    }
  }
}

test('the second host takes what the first one fails', async (t) => {
  const faults: Record<string, Script> = {
    'a banner of 554': { banner: sayAndClose('554 5.7.1 no') },
    'a banner of 421': { banner: sayAndClose('421 busy') },
    silence: { banner: stall },
    'EHLO lost': { ehlo: reset },
    'EHLO refused': { ehlo: say('450 later') },
    'MAIL lost': { mail: close },
    '421 to RCPT': { rcpt: sayAndClose('421 4.3.2 going down') },
    'RCPT lost': { rcpt: reset },
    'DATA lost': { data: close },
    '421 to the content': { content: sayAndClose('421 4.3.2 going down') },
  }
  for (const [name, script] of Object.entries(faults)) {
    await t.test(name, async () => {
      await using peers = await twoPeers(script)
      const room = makeRoom({ port: peers[0].port, dns: TWO_HOSTS })
      const attempt = await send(room)
      assert.deepEqual(ends(attempt), ['delivered'])
      assert.equal(attempt.host, 'mx2.example.com')
      assert.equal(peers[1].messages.length, 1)
      await room.close()
    })
  }
})

test('the second host is not asked again what the first one has decided', async (t) => {
  const decided: Record<string, Script> = {
    'permanent message 5.7.1': { mail: say('550 5.7.1 never') },
    'permanent recipient 5.1.1': { rcpt: say('550 5.1.1 no such user') },
    'transient recipient 4.7.1': { rcpt: say('451 4.7.1 grey') },
    'permanent message 5.6.0': { content: say('554 5.6.0 bad') },
    'transient message 4.4.2': { content: reset },
  }
  for (const [end, script] of Object.entries(decided)) {
    await t.test(end, async () => {
      await using peers = await twoPeers(script)
      const room = makeRoom({ port: peers[0].port, dns: TWO_HOSTS })
      assert.deepEqual(ends(await send(room)), [end])
      assert.equal(peers[1].connections, 0)
      await room.close()
    })
  }
})

test('only those without an answer go to the second host', async () => {
  await using peers = await twoPeers({
    rcpt: ({ time }) => (time === 1 ? say('550 5.1.1 no such user') : reset),
  })
  const room = makeRoom({ port: peers[0].port, dns: TWO_HOSTS })
  const attempt = await send(room, { to: ['a@example.com', 'b@example.com', 'c@example.com'] })
  assert.deepEqual(ends(attempt), ['permanent recipient 5.1.1', 'delivered', 'delivered'])
  assert.deepEqual(peers[1].messages[0]?.to, ['<b@example.com>', '<c@example.com>'])
  await room.close()
})

test('a refused connection leads to the next address', async () => {
  await using peer = await startHostileServer({ address: '127.0.0.9' })
  const dns = {
    'example.com MX': ['10 mx.example.com'],
    'mx.example.com A': ['127.0.0.1', '127.0.0.9'],
  }
  const room = makeRoom({ port: peer.port, dns })
  assert.deepEqual(ends(await send(room)), ['delivered'])
  await room.close()
})

test('five addresses and two sessions are enough for one attempt', async () => {
  const addresses = (last: number[]) => last.map((n) => `127.0.0.${n}`)
  await using peer = await startHostileServer({ address: '127.0.0.9' })
  const far = { 'example.com A': addresses([1, 2, 3, 4, 5, 9]) }
  const room = makeRoom({ port: peer.port, dns: far })
  assert.deepEqual(ends(await send(room)), ['transient site 4.4.1'])
  assert.equal(peer.connections, 0)
  await room.close()

  await using busy = await startHostileServer({ script: { banner: sayAndClose('421 busy') } })
  const many = { 'example.com A': ['127.0.0.1', '127.0.0.1', '127.0.0.1'] }
  const other = makeRoom({ port: busy.port, dns: many })
  assert.deepEqual(ends(await send(other)), ['transient site 4.3.2'])
  assert.equal(busy.connections, 2)
  await other.close()
})

test('DNS alone decides', async (t) => {
  const cases: Record<string, [Record<string, FakeAnswer>, string, { allowPrivate: boolean }?]> = {
    'no such domain': [{ 'example.com MX': 'no-such-name' }, 'permanent site 5.1.2'],
    'null MX': [{ 'example.com MX': ['0 .'] }, 'permanent site 5.1.10'],
    'no host with an address': [
      { 'example.com MX': ['10 mx.example.com'] },
      'permanent site 5.1.2',
    ],
    'no answer': [{ 'example.com MX': 'cannot-tell' }, 'transient site 4.4.3'],
    'no answer for the host': [
      { 'example.com MX': ['10 mx.example.com'], 'mx.example.com A': 'cannot-tell' },
      'transient site 4.4.3',
    ],
    'we are the host': [
      { 'example.com MX': ['10 posthorn.example.org'], 'posthorn.example.org A': ['127.0.0.1'] },
      'permanent site 5.4.6',
    ],
    'a private host': [
      { 'example.com MX': ['10 mx.example.com'], 'mx.example.com A': ['10.0.0.1'] },
      'permanent site 5.4.4',
      { allowPrivate: false },
    ],
    'a loopback host': [
      { 'example.com A': ['127.0.0.1'] },
      'permanent site 5.4.4',
      { allowPrivate: false },
    ],
  }
  for (const [name, [dns, end, routes]] of Object.entries(cases)) {
    await t.test(name, async () => {
      const room = makeRoom({ dns, ...(routes && { routes }) })
      assert.deepEqual(ends(await send(room)), [end])
      await room.close()
    })
  }
})

test('mail of the sandbox stays on this machine, whatever its DNS says', async () => {
  await using peer = await startHostileServer({})
  const sandbox = mapResolver({
    'example.com A': ['127.0.0.1'],
    'escape.example A': ['192.0.2.1'],
  })
  const relayhost = { host: '192.0.2.7' }
  const routes = {
    sandbox: { port: peer.port, destinationOf: (m: Mailbox) => m.domain },
    relayhost,
  }
  const room = makeRoom({ routes, resolvers: { sandbox } })
  const message = { world: 'sandbox' } as const
  assert.equal(
    room.siteOf({ localPart: 'user', domain: domain('example.com') }, 'sandbox'),
    'sandbox:example.com',
  )
  assert.deepEqual(ends(await send(room, { message })), ['delivered'])
  const away = await send(room, { message, to: ['bob@escape.example'] })
  assert.deepEqual(ends(away), ['transient site 4.4.3'])
  await room.close()

  const blind = makeRoom({ routes, resolvers: {} })
  assert.deepEqual(ends(await send(blind, { message })), ['transient site 4.4.3'])
  await blind.close()
})
