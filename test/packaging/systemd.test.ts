// The units are judged by systemd's own tools; sockets and words go through its programs. That a
// service manager keeps to the units is systemd's to prove: none runs here.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { MAIN, posthorn, writeSettings } from '../support/posthorn.ts'
import { freePort, missing, PYTHON, run, temporaryFolder, until } from '../support/tools.ts'
import { converse } from '../support/transcript.ts'

const units = join(import.meta.dirname, '../../packaging/systemd')

describe('the units', { skip: missing('systemd-analyze') }, () => {
  it('are understood whole', async () => {
    using folder = temporaryFolder()
    for (const name of readdirSync(units).filter((name) => /\.(service|socket)$/.test(name))) {
      const text = readFileSync(join(units, name), 'utf8')
      // The program is not installed here; everything else is as it is shipped.
      writeFileSync(join(folder.path, name), text.replaceAll('/usr/bin/posthorn', process.execPath))
    }
    const files = readdirSync(folder.path).map((name) => join(folder.path, name))
    assert.equal(files.length, 4)
    const ran = await run('systemd-analyze', ['verify', '--man=no', ...files])
    assert.deepEqual(ran, { code: 0, out: '', err: '' })
  })

  it('leave little to an attacker: at most 2.5 of 10', async () => {
    const service = join(units, 'posthorn.service')
    const args = ['security', '--offline=true', '--no-pager', '--threshold=25', service]
    const ran = await run('systemd-analyze', args)
    const [, score] = /exposure level for posthorn\.service: ([\d.]+)/.exec(ran.out) ?? []
    assert.equal(ran.code, 0, `${score} ${ran.err}`)
    assert.ok(Number(score) <= 2.5, score)
  })
})

describe('a socket that systemd opened', { skip: missing('systemd-socket-activate') }, () => {
  it('is served under the name of its listener, also to who came before the start', async () => {
    using folder = temporaryFolder()
    writeSettings(folder.path, { smtp: { address: '127.0.0.1', port: 1 } })
    const port = await freePort()
    const listen = ['-l', `127.0.0.1:${port}`, '--fdname=smtp', '-E', 'POSTHORN_LANG=en']
    const serve = [process.execPath, MAIN, 'serve', '--log', 'json']
    await using activated = launch('systemd-socket-activate', [...listen, ...serve], folder.path)
    await until(() => activated.said().includes('Listening on'), 'the socket is open')
    // Nobody has started the server yet: this connection does.
    await converse(port, 'S: 220 mail.example.test ESMTP*\nC: quit\nS: 221 2.0.0 Bye')
    const ready = () =>
      activated
        .said()
        .split('\n')
        .find((text) => text.includes('"ready"'))
    const line = await until(ready, 'it says where it listens')
    const { listeners } = JSON.parse(line) as { listeners: unknown[] }
    assert.deepEqual(listeners, [
      { name: 'smtp', address: '127.0.0.1', port, tls: 'none', auth: 'optional' },
    ])
  })

  it('is refused when no listener has its name, with the name and what to do', async () => {
    using folder = temporaryFolder()
    writeSettings(folder.path, {})
    const script = 'export LISTEN_PID=$$; exec "$@"'
    const serve = [process.execPath, MAIN, 'serve']
    const ran = await run('sh', ['-c', script, 'sh', ...serve], {
      folder: folder.path,
      environment: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'posthorn.socket', POSTHORN_LANG: 'en' },
    })
    assert.equal(ran.code, 4)
    assert.match(ran.err, /^SOCKET_UNKNOWN .*"posthorn\.socket"[\s\S]*FileDescriptorName=.*: smtp;/)
  })

  it('that was meant for another process is not ours', async () => {
    const ran = await posthorn(['serve', '--help'], {
      environment: { LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: 'odd' },
    })
    assert.equal(ran.code, 0)
  })
})

// A service manager in a few lines: it listens for words and prints them.
const MANAGER = `
import os, socket, subprocess, sys, signal
place = sys.argv[1]
door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
door.bind(place)
door.settimeout(20)
child = subprocess.Popen(sys.argv[2:], env={**os.environ, 'NOTIFY_SOCKET': place, 'WATCHDOG_USEC': '400000'})
beats = 0
try:
    while True:
        for word in door.recv(4096).decode().split():
            if word.startswith('BARRIER'): continue
            beats += word == 'WATCHDOG=1'
            if word != 'WATCHDOG=1' or beats <= 3: print(word, flush=True)
            if word == 'WATCHDOG=1' and beats == 3: child.send_signal(signal.SIGTERM)
            if word == 'STOPPING=1':
                door.recv(4096) # systemd-notify waits until its word was read
                sys.exit(child.wait())
finally:
    child.kill()
`

describe('a service manager', { skip: missing('systemd-notify', PYTHON) }, () => {
  it('hears when mail is taken, that we turn, and that we stop', async () => {
    using folder = temporaryFolder()
    writeSettings(folder.path, {})
    mkdirSync(join(folder.path, 'run'))
    const place = join(folder.path, 'run/notify')
    const serve = [process.execPath, MAIN, 'serve']
    const ran = await run(PYTHON, ['-c', MANAGER, place, ...serve], { folder: folder.path })
    const words = ran.out.split('\n').filter((line) => /^[A-Z]+=1$/.test(line))
    const beat = 'WATCHDOG=1'
    assert.deepEqual([ran.code, words], [0, ['READY=1', beat, beat, beat, 'STOPPING=1']], ran.err)
  })
})

function launch(program: string, args: readonly string[], folder: string) {
  const child: ChildProcess = spawn(program, args, { cwd: folder, stdio: ['ignore', 1, 'pipe'] })
  let text = ''
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  return {
    said: () => text,
    async [Symbol.asyncDispose]() {
      child.kill()
      await ended
    },
  }
}
