// How long sessions are kept, and what becomes of one that died meanwhile.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ends, makeRoom, send } from '../../test/support/delivery.ts'
import { reset, say, sayAndClose, startHostileServer } from '../../test/support/hostile-server.ts'

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5)
}

test('one after another, messages share a session; side by side they do not', async () => {
  await using peer = await startHostileServer({})
  const room = makeRoom({ port: peer.port })
  for (let i = 0; i < 5; i++) assert.deepEqual(ends(await send(room)), ['delivered'])
  assert.equal(peer.connections, 1)
  await Promise.all([send(room), send(room), send(room)])
  assert.equal(peer.connections, 3)
  assert.deepEqual(room.sessions(), { busy: 0, idle: 3 })
  await room.close()
  assert.deepEqual(room.sessions(), { busy: 0, idle: 0 })
  assert.ok(peer.commands.every((commands) => commands.at(-1) === 'QUIT'))
  await until(() => peer.open === 0)
})

test('after close() a session leaves with its last message', async () => {
  await using peer = await startHostileServer({})
  const room = makeRoom({ port: peer.port })
  await room.close()
  assert.deepEqual(ends(await send(room)), ['delivered'])
  await until(() => peer.open === 0)
  assert.equal(peer.commands[0]?.at(-1), 'QUIT')
})

test('the newest session is taken first, and the idle ones leave after their time', async () => {
  await using peer = await startHostileServer({})
  const room = makeRoom({ port: peer.port, direct: { idleMs: 300 } })
  await Promise.all([send(room), send(room)])
  assert.equal(peer.open, 2)
  await send(room)
  assert.equal(peer.connections, 2)
  await until(() => peer.open === 0)
  assert.deepEqual(room.sessions(), { busy: 0, idle: 0 })
  assert.ok(peer.commands.every((commands) => commands.at(-1) === 'QUIT'))
})

test('a session ends after so many messages, ours or the peer’s number', async (t) => {
  const cases: [string, string[], object, number[]][] = [
    ['ours', [], { direct: { messages: 2 } }, [2, 2, 1]],
    ['LIMITS MAILMAX', ['LIMITS MAILMAX=3'], {}, [3, 2]],
    ['too old', [], { direct: { ageMs: 0 } }, [1, 1, 1, 1, 1]],
  ]
  for (const [name, keywords, options, expected] of cases) {
    await t.test(name, async () => {
      await using peer = await startHostileServer({ keywords: ['PIPELINING', ...keywords] })
      const room = makeRoom({ port: peer.port, ...options })
      for (let i = 0; i < 5; i++) assert.deepEqual(ends(await send(room)), ['delivered'])
      await room.close()
      const mails = peer.commands.map((lines) => lines.filter((l) => l.startsWith('MAIL')).length)
      assert.deepEqual(mails, expected)
    })
  }
})

test('a kept session that is dead is replaced, and nobody notices', async (t) => {
  const second = (act: ReturnType<typeof say>) => (moment: { time: number }) =>
    moment.time === 2 ? act : undefined
  const deaths = {
    'reset at MAIL': { mail: second(reset as never) },
    'closed at MAIL': { mail: second({ kind: 'close' } as never) },
    '421 at MAIL': { mail: second(sayAndClose('421 4.3.2 that was your last one')) },
  }
  for (const [name, script] of Object.entries(deaths)) {
    await t.test(name, async () => {
      await using peer = await startHostileServer({ script })
      const room = makeRoom({ port: peer.port })
      await send(room)
      assert.deepEqual(ends(await send(room)), ['delivered'])
      assert.equal(peer.connections, 2)
      await room.close()
    })
  }
  await t.test('closed while idle, with a farewell', async () => {
    await using peer = await startHostileServer({
      script: { content: say('250 2.0.0 ok\r\n421 4.4.2 idle for too long') },
    })
    const room = makeRoom({ port: peer.port })
    await send(room)
    assert.deepEqual(ends(await send(room)), ['delivered'])
    assert.equal(peer.connections, 2)
    await room.close()
  })
})

test('a kept session that fails later than MAIL is a failure like any other: the same host is not asked again', async (t) => {
  const cases: [string, ReturnType<typeof say>, string][] = [
    ['reset', reset, 'transient session 4.4.2'],
    ['421', sayAndClose('421 4.7.0 too many messages'), 'transient session 4.7.0'],
  ]
  for (const [name, act, end] of cases) {
    await t.test(name, async () => {
      await using peer = await startHostileServer({
        script: { rcpt: ({ connection, time }) => (connection + time > 2 ? act : undefined) },
      })
      const room = makeRoom({ port: peer.port })
      assert.deepEqual(ends(await send(room)), ['delivered'])
      assert.deepEqual(ends(await send(room)), [end])
      assert.equal(peer.connections, 1)
      await room.close()
    })
  }
})
