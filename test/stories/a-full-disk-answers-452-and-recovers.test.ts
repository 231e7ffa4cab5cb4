import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { PosthornProcess, writeSettings } from '../support/posthorn.ts'
import { openReceiver } from '../support/receiver.ts'
import { refusal, send } from '../support/talk.ts'
import { freePort, temporaryFolder, until } from '../support/tools.ts'

const text = 'x'.repeat(76).concat('\n').repeat(1_000)
const letter = { from: 'me@sender.example', to: 'a@kunde.test', text }

/** A file system of its own; undefined where that is not allowed. */
function mountSmall(folder: string): Disposable | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'posthorn-test', folder], {
      stdio: 'ignore',
    })
    return { [Symbol.dispose]: () => void execFileSync('umount', ['-l', folder]) }
  } catch {
    return undefined
  }
}

for (const { name, reserve } of [
  { name: 'down to the reserve', reserve: '8MiB' },
  { name: 'to the last octet', reserve: '0' },
])
  it(`a disk that is full ${name} costs no mail and no restart`, async (t) => {
    using folder = temporaryFolder()
    using small = mountSmall(folder.path)
    if (!small) return t.skip('needs the right to mount a tmpfs')
    const relayPort = await freePort() // with nowhere to go yet, mail stays on the disk
    writeSettings(folder.path, {
      log: { format: 'json' },
      mode: 'live',
      hostname: 'mail.sender.example',
      domains: { 'sender.example': {} },
      relayhost: { host: '127.0.0.1', port: relayPort, tls: 'none' },
      retry: { first: '1s', longest: '1s' },
      storage: { reserve, allow_memory: true },
    })
    await using posthorn = await PosthornProcess.start({ folder: folder.path })
    const accepted = [await send(posthorn.port, letter)]
    const ballast = join(folder.path, 'ballast')
    fill(ballast, reserve === '0' ? 0 : 2 * 2 ** 20)

    const reply = await refusedSoon(posthorn.port, accepted)
    assert.match(reply, /^452 4\.3\.1 /)
    if (reserve !== '0') {
      await until(() => diskIs(posthorn, false), 'readiness tells of the disk')
      const health = await posthorn.command(['health'])
      assert.deepEqual([health.code, health.err], [1, ''])
      assert.match(
        health.out,
        /^not ready\n[\s\S]* {2}disk: FAILS {2}\d+ MiB free, 8 MiB in reserve$/m,
      )
    }
    assert.equal(posthorn.child.exitCode, null)

    rmSync(ballast)
    const sendAgain = () => send(posthorn.port, letter).catch(() => undefined)
    accepted.push(await until(sendAgain, 'mail is taken again', 10))
    await until(() => diskIs(posthorn, true), 'readiness tells of the room')
    await using relay = await openReceiver({ port: relayPort, disabledCommands: ['STARTTLS'] })
    await posthorn.emptyQueue(60)
    const arrived = relay.taken.map(({ content }) => /ESMTP\s+id\s+(\w+)/.exec(content)?.[1])
    assert.deepEqual(arrived.sort(), accepted.sort())
  })

async function diskIs(posthorn: PosthornProcess, fine: boolean): Promise<boolean> {
  return (await posthorn.readiness()).checks.some(({ name, ok }) => name === 'disk' && ok === fine)
}

/** The disk has some room for journals: only after some mail is it really full. */
async function refusedSoon(port: number, accepted: string[]): Promise<string> {
  for (let tries = 0; tries < 300; tries++) {
    const reply = await refusal(port, letter, '452').catch((error: Error) => error)
    if (typeof reply === 'string') return reply
    const [, id] = /250 2\.0\.0 Ok: queued as (\w+)/.exec(reply.message) ?? []
    assert.ok(id, reply.message)
    accepted.push(id)
  }
  throw new Error('the disk never was full')
}

/** Leaves so many octets; the server may be quicker. */
function fill(file: string, leave: number): void {
  const { bavail, bsize } = statfsSync(join(file, '..'))
  try {
    writeFileSync(file, Buffer.alloc(Math.max(bavail * bsize - leave, 0)))
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  }
}
