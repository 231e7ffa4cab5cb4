import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { end, greeted } from '../wait.ts'
import { type Peer, type PeerKind, type PeerOptions, slowSyncs } from './peer.ts'

const root = join(import.meta.dirname, '../..')

/** Node's flags of `npm start`: what is measured is what an operator runs. */
function flags(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { start: string }
  }
  return scripts.start.split(' ').filter((word) => word.startsWith('--'))
}

/** The settings of examples/relay-to-sink.yaml, with the run's own ports, key and certificate. */
function configuration(options: PeerOptions): string {
  const { folder, port, sinkPort, certificate, key, dkimKey } = options
  return `mode: live
hostname: mail.sender.example
data: ${folder}/data
http: { port: ${port + 1} }
smtp: { port: ${port}, tls: starttls }
tls: { certificate: ${certificate}, key: ${key} }
log: { format: json }
domains:
  sender.example: { mode: live${dkimKey ? `, key: ${dkimKey}, selector: bench` : ''} }
relayhost: { host: 127.0.0.1, port: ${sinkPort}, tls: none }
limits: { sessions_per_address: 2000 }
`
}

export const posthorn: PeerKind = {
  name: 'Posthorn',
  warmUp: 20_000,
  missing: () => undefined,
  async start(options): Promise<Peer> {
    mkdirSync(options.folder, { recursive: true })
    const config = join(options.folder, 'posthorn.yaml')
    writeFileSync(config, configuration(options))
    const log = openSync(join(options.folder, 'posthorn.log'), 'a')
    // For profiles: BENCH_NODE_FLAGS='--cpu-prof --cpu-prof-dir=/tmp/profile'.
    const extra = process.env['BENCH_NODE_FLAGS']?.split(' ').filter(Boolean) ?? []
    const main = [join(root, 'bin/posthorn.js'), 'serve', '--config', config]
    const child = spawn(process.execPath, [...flags(), ...extra, ...main], {
      stdio: ['ignore', log, log],
      cwd: options.folder,
      env: { ...process.env, ...slowSyncs(options) },
    })
    closeSync(log) // the child has its own; this one would keep the file system busy
    try {
      await greeted(options.port)
    } catch (error) {
      await end(child, 1_000)
      throw error
    }
    return { name: 'Posthorn', pids: [child.pid ?? 0], stop: () => end(child) }
  },
}
