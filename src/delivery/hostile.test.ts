// What becomes of a message when the peer misbehaves: each phase times each fault, as the reference
// servers do it. Nothing is lost, nothing is given up without a 5yz, nothing hangs.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ends, makeRoom, send, shortTimeouts } from '../../test/support/delivery.ts'
import {
  type Act,
  close,
  garbage,
  hugeLine,
  hugeReply,
  type Phase,
  reset,
  say,
  sayAndClose,
  slowly,
  stall,
  startHostileServer,
} from '../../test/support/hostile-server.ts'

type Row = readonly [phase: Phase, fault: string, act: Act, ...ends: string[]]

const LOST = 'transient session 4.4.2'
const UNKNOWN = 'transient message 4.4.2'
const BAD_TLS = 'transient session 4.7.5'
const NONSENSE = 'transient session 4.5.0'

const rows: Row[] = [
  ['banner', 'stall', stall, 'transient site 4.4.2'],
  // The kernel may tell of the reset before or after it tells of the connection.
  ['banner', 'reset', reset, 'transient site 4.4.1', 'transient site 4.4.2'],
  ['banner', 'close', close, 'transient site 4.4.2'],
  ['banner', 'garbage', garbage, 'transient site 4.5.0'],
  ['banner', '421', sayAndClose('421 4.3.2 busy'), 'transient site 4.3.2'],
  ['banner', '4xx', say('450 not now'), 'transient site 4.3.2'],
  ['banner', '5xx', sayAndClose('554 5.7.1 no service for you'), 'transient site 4.7.1'],
  ['banner', 'slow', slowly('220 hello', 2), 'delivered'],
  ['banner', 'huge', hugeReply(220), 'transient site 4.5.0'],
  ['ehlo', 'stall', stall, 'transient site 4.4.2'],
  ['ehlo', 'reset', reset, 'transient site 4.4.2'],
  ['ehlo', 'garbage', garbage, 'transient site 4.5.0'],
  ['ehlo', '421', sayAndClose('421 4.3.2 busy'), 'transient site 4.3.2'],
  ['ehlo', '4xx', say('450 not now'), 'transient site 4.3.2'],
  ['ehlo', '5xx, but HELO', say('502 what?'), 'delivered'],
  ['ehlo', 'slow', slowly('250-x\r\n250 PIPELINING', 2), 'delivered'],
  ['ehlo', 'huge', hugeReply(250), 'transient site 4.5.0'],
  ['starttls', 'stall', stall, 'transient site 4.4.2'],
  ['starttls', 'reset', reset, 'transient site 4.4.2'],
  ['starttls', 'garbage', garbage, 'transient site 4.5.0'],
  ['starttls', '421', sayAndClose('421 4.3.2 busy'), 'transient site 4.3.2'],
  ['starttls', '4xx', say('454 4.7.0 not now'), 'delivered'],
  ['starttls', '5xx', say('554 5.7.3 no'), 'delivered'],
  ['starttls', 'glued text', say('220 go\r\n250 injected'), BAD_TLS],
  ['handshake', 'stall', stall, BAD_TLS],
  ['handshake', 'reset', reset, BAD_TLS],
  ['handshake', 'close', close, BAD_TLS],
  ['handshake', 'garbage', garbage, BAD_TLS],
  ['mail', 'stall', stall, LOST],
  ['mail', 'reset', reset, LOST],
  ['mail', 'close', close, LOST],
  ['mail', 'garbage', garbage, NONSENSE],
  ['mail', '421', sayAndClose('421 4.3.2 busy'), 'transient session 4.3.2'],
  ['mail', '4xx', say('451 4.7.1 later'), 'transient message 4.7.1'],
  ['mail', '5xx', say('550 5.7.1 never'), 'permanent message 5.7.1'],
  ['mail', '5xx without status', say('550 never'), 'permanent message 5.1.1'],
  ['mail', 'slow', slowly('250 ok', 2), 'delivered'],
  ['mail', 'huge', hugeReply(250), NONSENSE],
  ['mail', 'huge line', hugeLine(250), NONSENSE],
  ['rcpt', 'stall', stall, LOST],
  ['rcpt', 'reset', reset, LOST],
  ['rcpt', 'garbage', garbage, NONSENSE],
  ['rcpt', '354', say('354 what'), NONSENSE],
  ['rcpt', '421', sayAndClose('421 4.3.2 busy'), 'transient session 4.3.2'],
  ['rcpt', '4xx', say('450 4.2.1 greylisted'), 'transient recipient 4.2.1'],
  ['rcpt', '452', say('452 4.5.3 too many'), 'transient recipient 4.5.3'],
  ['rcpt', '552', say('552 full or many'), 'transient recipient 4.3.4'],
  ['rcpt', '5xx', say('550 5.1.1 no such user'), 'permanent recipient 5.1.1'],
  ['rcpt', '5xx with a soft status', say('550 4.2.1 odd'), 'permanent recipient 5.1.1'],
  ['rcpt', 'huge', hugeReply(250), NONSENSE],
  ['data', 'stall', stall, LOST],
  ['data', 'reset', reset, LOST],
  ['data', 'garbage', garbage, NONSENSE],
  ['data', '250', say('250 what'), NONSENSE],
  ['data', '421', sayAndClose('421 4.3.2 busy'), 'transient session 4.3.2'],
  ['data', '4xx', say('451 4.3.0 later'), 'transient message 4.3.0'],
  ['data', '5xx', say('554 5.7.1 never'), 'permanent message 5.7.1'],
  ['content', 'stall', stall, UNKNOWN],
  ['content', 'reset', reset, UNKNOWN],
  ['content', 'close', close, UNKNOWN],
  ['content', 'garbage', garbage, 'transient message 4.4.2'],
  ['content', '354', say('354 more'), NONSENSE],
  ['content', '421', sayAndClose('421 4.3.2 busy'), 'transient session 4.3.2'],
  ['content', '4xx', say('451 4.3.0 later'), 'transient message 4.3.0'],
  ['content', '5xx', say('554 5.7.1 spam'), 'permanent message 5.7.1'],
  ['content', '552', say('552 too large'), 'permanent message 5.3.4'],
  ['content', 'slow', slowly('250 2.0.0 ok', 2), 'delivered'],
  ['quit', 'stall', stall, 'delivered'],
  ['quit', 'reset', reset, 'delivered'],
  ['quit', 'garbage', garbage, 'delivered'],
  ['quit', '5xx', say('554 no'), 'delivered'],
]

const KEYWORDS = ['PIPELINING', 'SIZE 1000000', 'STARTTLS']

for (const pipelining of [true, false]) {
  test(`bad peers, ${pipelining ? 'pipelined' : 'step by step'}`, { concurrency: 8 }, async (t) => {
    const work = rows.map(([phase, fault, act, ...expected]) =>
      t.test(`${phase}: ${fault}`, async () => {
        const keywords = KEYWORDS.filter(
          (word) =>
            (pipelining || word !== 'PIPELINING') &&
            (phase === 'starttls' || phase === 'handshake' || word !== 'STARTTLS'),
        )
        await using peer = await startHostileServer({ script: { [phase]: act }, keywords })
        const room = makeRoom({ port: peer.port })
        const attempt = await send(room, { to: ['a@example.com', 'b@example.com'] })
        await room.close()
        const [end, same] = ends(attempt)
        assert.ok(expected.includes(end!), `${end}, not ${expected.join(' or ')}`)
        assert.equal(same, end)
        assert.deepEqual(room.sessions(), { busy: 0, idle: 0 })
        assert.equal(peer.messages.length, end === 'delivered' ? 1 : 0)
      }),
    )
    await Promise.all(work)
  })
}

test('a thousand slow answers do not add up to days', async () => {
  await using peer = await startHostileServer({ script: { rcpt: slowly('250 2.1.5 ok', 20) } })
  const room = makeRoom({ port: peer.port, timeouts: { ...shortTimeouts, commands: 1_000 } })
  const to = Array.from({ length: 1_000 }, (_, i) => `user${i}@example.com`)
  const result = new Set(ends(await send(room, { to })))
  assert.deepEqual([...result], [LOST])
  await room.close()
})
