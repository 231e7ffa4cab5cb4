// Haraka from npm with its DKIM plugin, two worker processes. It is installed into the temporary
// folder on first use; three of its dependencies name versions that are not published, so they are
// overridden by the newest that are.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processesOf, runs } from '../processes.ts'
import { end, greeted, sleep } from '../wait.ts'
import { type Peer, type PeerKind, type PeerOptions, slowSyncs } from './peer.ts'

const home = join(tmpdir(), 'posthorn-bench-haraka')
const packaged = join(home, 'node_modules/Haraka')
const program = join(packaged, 'bin/haraka')
const PACKAGE = {
  private: true,
  dependencies: { Haraka: '3.3.4', 'haraka-plugin-dkim': '1.3.1' },
  overrides: { libqp: '2.1.2', 'encoding-japanese': '2.4.0', '@zone-eu/mailsplit': '5.4.19' },
}

/** Everybody may relay, and everything goes to the sink. */
const plugin = (sinkPort: number) => `
exports.hook_lookup_rdns = (next) => next(OK, 'localhost')
exports.hook_connect = (next, connection) => { connection.relaying = true; next() }
exports.hook_rcpt = (next) => next(OK)
exports.hook_get_mx = (next) => next(OK, { priority: 0, exchange: '127.0.0.1', port: ${sinkPort} })
`

function configure(options: PeerOptions): string {
  const { folder, port, sinkPort, certificate, key, dkimKey } = options
  const config = join(folder, 'config')
  const domain = join(config, 'dkim/sender.example')
  // Its defaults are files of its package; a folder of one's own must hold them all.
  cpSync(join(packaged, 'config'), config, { recursive: true })
  for (const below of [domain, join(folder, 'plugins'), join(folder, 'queue')])
    mkdirSync(below, { recursive: true })
  const files: Readonly<Record<string, string>> = {
    'smtp.ini': `listen=127.0.0.1:${port}\nnodes=2\n`,
    plugins: `bench\ntls\n${dkimKey ? 'dkim\n' : ''}`,
    me: 'mail.sender.example\n',
    loglevel: 'ERROR\n',
    queue_dir: `${join(folder, 'queue')}\n`,
    'outbound.ini': 'concurrency_max=100\nenable_tls=false\n',
    'dkim.ini': '[sign]\nenabled=true\n[canon]\nbody=relaxed\n[verify]\nenabled=false\n',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(config, name), text)
  writeFileSync(join(folder, 'plugins/bench.js'), plugin(sinkPort))
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  copyFileSync(certificate, join(config, 'tls_cert.pem'))
  copyFileSync(key, join(config, 'tls_key.pem'))
  if (dkimKey) {
    copyFileSync(dkimKey, join(domain, 'private'))
    writeFileSync(join(domain, 'selector'), 'bench\n')
  }
  return folder
}

/** Its workers outlive it by what they still deliver; nobody waits for that here. */
async function stop(child: ChildProcess): Promise<void> {
  const all = processesOf([child.pid ?? 0])
  await end(child, 5_000)
  for (let tries = 40; tries > 0 && all.some(runs); tries--) await sleep(50)
  for (const pid of all.filter(runs)) process.kill(pid, 'SIGKILL')
}

export const haraka: PeerKind = {
  name: 'Haraka',
  warmUp: 3000,
  missing() {
    if (existsSync(program)) return undefined
    try {
      mkdirSync(home, { recursive: true })
      writeFileSync(join(home, 'package.json'), JSON.stringify(PACKAGE))
      const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund']
      execFileSync('npm', install, { cwd: home, stdio: 'ignore', timeout: 120_000 })
      return existsSync(program) ? undefined : 'npm did not install it'
    } catch {
      return `npm could not install it: try npm ${'install Haraka haraka-plugin-dkim'}`
    }
  },
  async start(options): Promise<Peer> {
    const folder = configure(options)
    const log = openSync(join(folder, 'haraka.log'), 'a')
    const child = spawn(process.execPath, [program, '-c', folder], {
      stdio: ['ignore', log, log],
      cwd: folder,
      env: { ...process.env, ...slowSyncs(options), NODE_PATH: join(home, 'node_modules') },
    })
    closeSync(log) // the child has its own; this one would keep the file system busy
    try {
      await greeted(options.port)
    } catch (error) {
      await end(child, 1_000)
      throw error
    }
    return { name: 'Haraka', pids: [child.pid ?? 0], stop: () => stop(child) }
  },
}
