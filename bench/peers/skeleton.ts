import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { end, greeted } from '../wait.ts'
import type { Peer, PeerKind } from './peer.ts'

/** No server but a floor: ../skeleton.ts. */
export const skeleton: PeerKind = {
  name: 'skeleton (floor)',
  warmUp: 20_000,
  missing: () => undefined,
  async start({ folder, port, sinkPort, dkimKey = '' }): Promise<Peer> {
    mkdirSync(folder, { recursive: true })
    const program = join(import.meta.dirname, '../skeleton.ts')
    const argv = [program, `${port}`, `${sinkPort}`, join(folder, 'log'), dkimKey]
    const child = spawn(process.execPath, argv, { stdio: 'inherit' })
    try {
      await greeted(port)
    } catch (error) {
      await end(child, 1_000)
      throw error
    }
    return { name: 'skeleton (floor)', pids: [child.pid ?? 0], stop: () => end(child) }
  },
}
