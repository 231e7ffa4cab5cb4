import { spawn } from 'node:child_process'
import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { end, greeted } from '../wait.ts'
import type { Peer, PeerKind, PeerOptions } from './peer.ts'

const main = join(import.meta.dirname, '../../src/main.ts')

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
  missing: () => undefined,
  async start(options): Promise<Peer> {
    mkdirSync(options.folder, { recursive: true })
    const config = join(options.folder, 'posthorn.yaml')
    writeFileSync(config, configuration(options))
    const log = openSync(join(options.folder, 'posthorn.log'), 'a')
    const extra = process.env['BENCH_NODE_FLAGS']?.split(' ').filter(Boolean) ?? []
    const child = spawn(process.execPath, [...extra, main, 'serve', '--config', config], {
      stdio: ['ignore', log, log],
      cwd: options.folder,
    })
    await greeted(options.port)
    return { name: 'Posthorn', pids: [child.pid ?? 0], stop: () => end(child) }
  },
}
