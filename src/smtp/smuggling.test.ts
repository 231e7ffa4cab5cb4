// Whatever looks like the end of data and is not CR LF . CR LF must neither end a message nor be
// passed on, however the octets are split (CVE-2023-51764 and its kin).

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openListener, type TestListener } from '../../test/support/listener.ts'
import { LOOK_ALIKES } from '../../test/support/look-alikes.ts'
import { Peer } from '../../test/support/transcript.ts'

let strict: TestListener
let trusting: TestListener
before(async () => {
  strict = await openListener()
  trusting = await openListener({ isTrusted: () => true })
})
after(async () => {
  await strict.listener.drain(0)
  await trusting.listener.drain(0)
})

const HIDDEN = 'MAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\n'

async function dialogue(port: number, text: string, segment: number): Promise<string> {
  const peer = new Peer(port)
  const begin = 'EHLO a\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n'
  await peer.say(begin)
  await peer.expect('354*', true)
  await peer.say(text, segment)
  const answer = await peer.line()
  const end = await peer.line()
  peer.leave()
  return `${answer} ${end}`
}

for (const lookAlike of LOOK_ALIKES) {
  test(`${JSON.stringify(lookAlike)} is refused and nothing after it runs`, async () => {
    const content = `Subject: x\r\n\r\nfirst${lookAlike}${HIDDEN}second\r\n.\r\nQUIT\r\n`
    for (const { port } of [strict, trusting]) {
      for (const segment of [1, 2, 5, 1_000]) {
        const said = await dialogue(port, content, segment)
        assert.match(said, /^550 5\.6\.11 .* \(closed\)$/)
      }
    }
    assert.equal(strict.received.length + trusting.received.length, 0)
  })
}

test('lines by LF are for trusted clients that use nothing else', async () => {
  const untrusted = new Peer(strict.port)
  await untrusted.say('EHLO a\n')
  await untrusted.expect('500 5.5.2 Error: a line must end with CR LF', true)
  await untrusted.expect('(closed)')
  const mixed = new Peer(trusting.port)
  await mixed.say('EHLO a\nMAIL FROM:<>\r\n')
  await mixed.expect('550 5.6.11 Error: lines end in different ways', true)
  await mixed.expect('(closed)')
  const later = new Peer(trusting.port)
  await later.say('EHLO a\r\nMAIL FROM:<>\n')
  await later.expect('500 5.5.2 Error: a line must end with CR LF', true)
  await later.expect('(closed)')
})

test('in a session of LF lines a CR in the content is refused', async () => {
  const peer = new Peer(trusting.port)
  await peer.say('EHLO a\nMAIL FROM:<>\nRCPT TO:<b@example.org>\nDATA\n')
  await peer.expect('354*', true)
  await peer.say('one\ntwo\r\n.\r\nQUIT\n')
  await peer.expect('550 5.6.11*')
  await peer.expect('(closed)')
  assert.equal(trusting.received.length, 0)
})

test('in a session of LF lines a CR after the content is not in it, however it comes', async () => {
  for (const segment of [1, 7, 1_000]) {
    const peer = new Peer(trusting.port)
    trusting.received.length = 0
    const message = 'EHLO a\nMAIL FROM:<>\nRCPT TO:<b@example.org>\nDATA\none\n.\nNOOP\r\n'
    await peer.say(message, segment)
    await peer.expect('354*', true)
    await peer.expect('250 2.0.0 Ok: queued as 1')
    await peer.expect('550 5.6.11 Error: lines end in different ways')
    await peer.expect('(closed)')
    assert.deepEqual(
      trusting.received.map(({ content }) => content),
      ['one\r\n'],
    )
  }
  trusting.received.length = 0
})

test('in a session of LF lines commands after the content are still found', async () => {
  const peer = new Peer(trusting.port)
  const message = 'MAIL FROM:<>\nRCPT TO:<b@example.org>\nDATA\n..one\n.\n'
  await peer.say(`EHLO a\n${message}${message}QUIT\n`, 3)
  await peer.expect('221 2.0.0 Bye', true)
  assert.deepEqual(
    trusting.received.map(({ content }) => content),
    ['.one\r\n', '.one\r\n'],
  )
})

test('a message without end is given up', async () => {
  const small = await openListener({ limits: { messageOctets: 10_000 } })
  const said = await dialogue(small.port, 'x\r\n'.repeat(20_000), 1_000_000)
  assert.match(said, /^552 5\.3\.4 .* \(closed\)$/)
  await small.listener.drain(0)
})

test('a line over 998 octets is refused, and the session goes on', async () => {
  const said = await dialogue(strict.port, `${'x'.repeat(999)}\r\n.\r\nNOOP\r\n`, 1_000_000)
  assert.match(said, /^554 5\.6\.0 .*999.* 250 2\.0\.0 Ok$/)
  const fits = await dialogue(strict.port, `${'x'.repeat(998)}\r\n.\r\nNOOP\r\n`, 1_000_000)
  assert.match(fits, /^250 2\.0\.0 .* 250 2\.0\.0 Ok$/)
})
