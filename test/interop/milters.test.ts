// The filters that people run, behind the milter client: OpenDKIM signs and is verified by a stranger,
// rspamd adds its verdict; and what the whole server does when one is away.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { say, startMilter } from '../support/milter.ts'
import { startHere } from '../support/posthorn.ts'
import { refusal, send } from '../support/talk.ts'
import { freePort, missing, opened, temporaryFolder } from '../support/tools.ts'

/** Runs a daemon in the foreground until the scope ends. */
function daemon(program: string, args: readonly string[]): AsyncDisposable {
  const child = spawn(program, args, {
    stdio: 'ignore',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/bin` },
  })
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.on('error', () => {})
  return {
    async [Symbol.asyncDispose]() {
      // Told so, it ends its workers, too.
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await gone
      clearTimeout(late)
    },
  }
}

const TO = 'b@kunde.test'

describe('OpenDKIM', { skip: missing('opendkim') }, () => {
  it('signs message after message on one connection, and our own signature comes after', async () => {
    await using parts = new AsyncDisposableStack()
    const { path } = parts.use(temporaryFolder())
    const port = await freePort()
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const key = join(path, 'key.pem')
    writeFileSync(key, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 })
    chmodSync(path, 0o700)
    writeFileSync(
      join(path, 'opendkim.conf'),
      `Domain some.example\nSelector old\nKeyFile ${key}\nSocket inet:${port}@127.0.0.1\nMode s\n` +
        'InternalHosts 127.0.0.0/8\nCanonicalization relaxed/relaxed\nSyslog no\nRequireSafeKeys no\n' +
        'OversignHeaders From\n',
    )
    parts.use(daemon('opendkim', ['-f', '-x', join(path, 'opendkim.conf')]))
    await opened(port)
    const posthorn = parts.use(
      await startHere({ milters: { opendkim: { address: `inet:127.0.0.1:${port}` } } }),
    )
    const published = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    for (const subject of ['first', 'second', 'third']) {
      await send(posthorn.port, { from: 'a@some.example', to: TO, subject })
      const raw = await posthorn.raw((await posthorn.capture(subject)).id)
      assert.match(raw, /\r\n\r\ntext\r\n$/)
      const signatures = raw.match(/^DKIM-Signature:/gm) ?? []
      assert.equal(signatures.length, 2)
      assert.ok(raw.indexOf('s=sandbox') < raw.indexOf('s=old'), 'ours stands on top')
      const { results } = await dkimVerify(Buffer.from(raw, 'latin1'), {
        resolver: async (name: string) => {
          if (name.startsWith('old.')) return [[`v=DKIM1; k=rsa; p=${published}`]]
          throw Object.assign(new Error('none'), { code: 'ENOTFOUND' })
        },
      } as object)
      const theirs = results.find(({ selector }) => selector === 'old')
      assert.equal(theirs?.status.result, 'pass')
    }
    const captured = await posthorn.capture('third')
    assert.equal(captured.authentication.dkim, 'pass')
    assert.deepEqual(posthorn.log('a filter failed'), [])
  })
})

it('a body that does not fit into memory comes out as it went in', async () => {
  await using milter = await startMilter()
  await using posthorn = await startHere({ milters: { ours: `inet:127.0.0.1:${milter.port}` } })
  const text = Array.from({ length: 20_000 }, (_, i) => `line ${i} of a long text`).join('\n')
  await send(posthorn.port, { from: 'a@some.example', to: TO, subject: 'long', text })
  const { id, authentication } = await posthorn.capture('long')
  const raw = await posthorn.raw(id)
  assert.ok(raw.endsWith(`\r\n\r\n${text.replaceAll('\n', '\r\n')}\r\n`))
  assert.equal(authentication.dkim, 'pass')
  const told = milter.seen[0]!.filter(({ letter }) => letter === 'B').map((one) => one.text)
  assert.equal(told.join(''), `${text.replaceAll('\n', '\r\n')}\r\n`)
})

it('what filters change is what leaves, signed; quarantine holds, discard answers 250 and drops', async () => {
  await using milter = await startMilter()
  await using posthorn = await startHere({ milters: { ours: `inet:127.0.0.1:${milter.port}` } })
  const letter = (subject: string) => ({ from: 'a@some.example', to: TO, subject })
  milter.script = {
    on: { E: () => [say.changeHeader(1, 'Subject', 'new'), say.body('new\r\n'), say.go()] },
  }
  await send(posthorn.port, letter('old'))
  const changed = await posthorn.capture('new')
  assert.match(await posthorn.raw(changed.id), /\r\n\r\nnew\r\n$/)
  assert.equal(changed.authentication.dkim, 'pass')
  milter.script = { on: { E: say.discard } }
  await send(posthorn.port, letter('dropped'))
  assert.equal(posthorn.log('thrown away').length, 1)
  milter.script = { on: { E: () => [say.quarantine('odd'), say.go()] } }
  const id = await send(posthorn.port, letter('held'))
  assert.deepEqual(
    (await posthorn.queue()).map((one) => [one.id, one.state]),
    [[id, 'held']],
  )
  const all = await posthorn.command(['queue', 'retry', '--all'])
  assert.match(all.out, /Held, and still so: 1\./)
  await posthorn.command(['queue', 'retry', id])
  await posthorn.capture('held')
})

it('8-bit text of a filter is carried in words, and where it cannot be the client hears 451', async () => {
  await using milter = await startMilter()
  await using posthorn = await startHere({ milters: { ours: `inet:127.0.0.1:${milter.port}` } })
  const letter = (subject: string) => ({ from: 'a@some.example', to: TO, subject })
  milter.script = { on: { E: () => [say.addHeader('X-Report', 'Grüße'), say.go()] } }
  await send(posthorn.port, letter('words'))
  const { id, authentication } = await posthorn.capture('words')
  assert.match(await posthorn.raw(id), /^X-Report: =\?utf-8\?\S+\?=\r\n/m)
  assert.equal(authentication.dkim, 'pass')
  milter.script = { on: { E: () => [say.addHeader('From', 'second@some.example'), say.go()] } }
  await assert.rejects(send(posthorn.port, letter('twice')), /451 4\.7\.1 The filter ours/)
})

describe('rspamd', { skip: missing('rspamd') }, () => {
  it('adds its verdict, and refuses the test message that every filter knows', async () => {
    await using parts = new AsyncDisposableStack()
    const { path } = parts.use(temporaryFolder())
    const [port, control] = [await freePort(), await freePort()]
    for (const one of ['db', 'run']) mkdirSync(join(path, one))
    chmodSync(path, 0o777)
    writeFileSync(
      join(path, 'rspamd.conf'),
      `options { pidfile = "${path}/run/pid"; filters = []; url_tld = "/usr/share/rspamd/effective_tld_names.dat";\n` +
        ` dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1 } gtube_patterns = "all"; }\n` +
        `logging { type = "file"; filename = "${path}/log"; level = "warning"; }\n` +
        'actions { reject = 15; add_header = 6; greylist = 4; }\n' +
        `worker "controller" { bind_socket = "127.0.0.1:${control}"; count = 1; }\n` +
        `worker "rspamd_proxy" { bind_socket = "127.0.0.1:${port}"; milter = yes; timeout = 20s; count = 1;\n` +
        ' upstream "local" { default = yes; self_scan = yes; } }\n',
    )
    parts.use(
      daemon('rspamd', [
        '-f',
        '-i',
        '-c',
        join(path, 'rspamd.conf'),
        '--var',
        `DBDIR=${path}/db`,
        '--var',
        `RUNDIR=${path}/run`,
      ]),
    )
    await opened(port)
    const posthorn = parts.use(await startHere({ milters: { rspamd: `inet:127.0.0.1:${port}` } }))
    for (const subject of ['clean', 'also clean']) {
      await send(posthorn.port, { from: 'a@some.example', to: TO, subject })
      await posthorn.capture(subject)
    }
    const gtube = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'
    const reply = await refusal(
      posthorn.port,
      { from: 'a@some.example', to: TO, subject: 'gtube', text: gtube },
      '5',
    )
    assert.match(reply, /^55\d 5\.7\.1/)
    assert.deepEqual(posthorn.log('a filter failed'), [])
  })
})

it('a filter that is away costs what the policy says, and the message is signed all the same', async () => {
  const port = await freePort()
  await using careful = await startHere({ milters: { away: `inet:127.0.0.1:${port}` } })
  await assert.rejects(
    send(careful.port, { from: 'a@some.example', to: TO }),
    /451 4\.7\.1 The filter away does not work/,
  )
  await using easy = await startHere({
    milters: { away: { address: `inet:127.0.0.1:${port}`, on_failure: 'accept' } },
  })
  await send(easy.port, { from: 'a@some.example', to: TO, subject: 'without' })
  assert.equal((await easy.capture('without')).authentication.dkim, 'pass')
})
