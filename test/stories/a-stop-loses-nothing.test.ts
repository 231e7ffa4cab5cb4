// The process is stopped, politely and not, with mail in it and mail on its way in.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PosthornProcess, writeSettings } from '../support/posthorn.ts'
import { openReceiver } from '../support/receiver.ts'
import { send } from '../support/talk.ts'
import { freePort, temporaryFolder, until } from '../support/tools.ts'
import { Peer } from '../support/transcript.ts'

const settings = (relayPort: number) => ({
  log: { format: 'json' },
  mode: 'live',
  hostname: 'mail.sender.example',
  domains: { 'sender.example': {} },
  relayhost: { host: '127.0.0.1', port: relayPort, tls: 'none' },
  retry: { first: '1s', longest: '1s' },
})

describe('a stop', { concurrency: 2 }, () => {
  for (const [how, signal, code] of [
    ['polite', 'SIGTERM', 0],
    ['not so polite', 'SIGKILL', null],
  ] as const)
    it(`that is ${how} keeps what waits for a dead relay; after the start it is delivered once`, async () => {
      using folder = temporaryFolder()
      const relayPort = await freePort()
      writeSettings(folder.path, settings(relayPort))
      const mails = Array.from({ length: 20 }, (_, n) => `number ${n}`)
      await using before = await PosthornProcess.start({ folder: folder.path })
      const ids: string[] = []
      for (const subject of mails)
        ids.push(
          await send(before.port, {
            from: 'me@sender.example',
            to: ['a@kunde.test', 'b@other.test'],
            subject,
            text: 'x'.repeat(60).concat('\n').repeat(100),
          }),
        )
      await until(
        async () => (await before.queue()).some(({ attempts }) => attempts > 0),
        'the relay was tried in vain',
      )
      assert.equal(await before.end(signal), code)

      await using relay = await openReceiver({ port: relayPort, disabledCommands: ['STARTTLS'] })
      await using after = await PosthornProcess.start({ folder: folder.path })
      await after.emptyQueue()
      const got = relay.taken.map(({ content }) => /ESMTP\s+id\s+(\w+)/.exec(content)?.[1])
      assert.deepEqual(got.sort(), ids.sort())
      for (const { to, content } of relay.taken) {
        assert.deepEqual([...to].sort(), ['a@kunde.test', 'b@other.test'])
        assert.match(content, /^DKIM-Signature: /)
      }
    })

  it('lets a transaction end, turns away who comes, and says where it stands', async () => {
    await using posthorn = await PosthornProcess.start()
    const busy = new Peer(posthorn.port)
    await busy.say('EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n')
    await busy.expect('354 *', true)
    await busy.say('From: a@b.test\r\nSubject: at the last moment\r\n\r\nhalf')
    const idle = new Peer(posthorn.port)
    await idle.expect('220 *')
    const ended = posthorn.end('SIGTERM')
    await idle.expect('421 4.3.2 *')
    await idle.expect('(closed)')
    const late = new Peer(posthorn.port)
    await late.expect('(closed)')
    await busy.say(' and half\r\n.\r\n')
    await busy.expect('250 2.0.0 Ok: queued as *')
    await busy.expect('421 4.3.2 *')
    assert.equal(await ended, 0)

    await using again = await PosthornProcess.start({ folder: posthorn.folder })
    const captured = await again.capture('at the last moment')
    assert.equal(captured.authentication.dkim, 'pass')
    const all = await again.captured()
    assert.equal(all.length, 1)
  })

  it('ends at once when it is asked twice', async () => {
    await using posthorn = await PosthornProcess.start()
    const busy = new Peer(posthorn.port)
    await busy.say('EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n')
    await busy.expect('354 *', true)
    const ended = posthorn.end('SIGTERM')
    await until(() => /once more to stop at once/.test(posthorn.said()), 'it has heard')
    posthorn.child.kill('SIGTERM')
    assert.equal(await ended, 1)
    busy.leave()
  })

  it('is seen by health: 0 while it runs, 3 when it does not', async () => {
    await using posthorn = await PosthornProcess.start()
    const up = await posthorn.command(['health'])
    assert.deepEqual([up.code, up.err], [0, ''])
    assert.match(up.out, /^ready\n {2}listeners: ok {2}open: 127\.0\.0\.1:\d+\n/)
    const json = await posthorn.command(['health', '--json'])
    assert.equal((JSON.parse(json.out) as { status: string }).status, 'ok')
    await posthorn.end()
    const down = await posthorn.command(['health'])
    assert.equal(down.code, 3)
    assert.match(down.err, /No answer at http:/)
  })
})
