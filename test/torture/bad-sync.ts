// R5: syncs that fail. A preloaded library answers EIO instead of syncing while a file is there; then
// the plug is pulled in the middle of it. Whoever heard 250 has his mail delivered, whoever heard 451
// sends again. Where no disk can be mounted a kill -9 stands for the plug, which proves less.

import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../bench/wait.ts'
import { buildSyncLibrary } from '../support/preload.ts'
import { cannotCut, LoopDisk } from './disk.ts'
import { Receiver } from './receiver.ts'
import { emptied, isRunning, Load, metric, openRig, startServer, submit } from './rig.ts'
import type { Torment } from './torment.ts'

const EVERY = 4
const PAUSE_MS = 10
const QUIET_MS = 20_000
const MOST_SECONDS = 60

export const badSync: Torment = {
  id: 'R5',
  name: 'bad-sync',
  what: 'syncs that fail, and a power cut among them',
  obstacle: () => (buildSyncLibrary() === undefined ? 'needs a C compiler' : undefined),
  shortSeconds: 20,
  async run({ full, say }) {
    await using rig = await openRig('bad-sync')
    await using receiver = await Receiver.start({ port: rig.sinkPort })
    const disk = cannotCut() === undefined ? new LoopDisk(rig, 256) : undefined
    const data = join(disk?.mounted ?? rig.folder, 'data')
    const trigger = join(rig.folder, 'fail')
    const environment = {
      LD_PRELOAD: buildSyncLibrary()!,
      SYNC_FAIL_FILE: trigger,
      SYNC_FAIL_EVERY: `${EVERY}`,
    }
    const wanted = full ? 1000 : 100
    let server = await startServer(rig, { data, environment })
    const load = await Load.start(rig, { pauseMs: PAUSE_MS })
    await receiver.next()
    writeFileSync(trigger, '')
    for (let tries = 0; statSync(trigger).size < wanted && tries < MOST_SECONDS * 20; tries++)
      await sleep(50)
    const alive = isRunning(server.process)
    const goesOn = await goneOn(() => submit(rig, 2e9))
    if (disk) {
      server.process.kill('SIGSTOP')
      disk.freeze()
    }
    await server.kill()
    disk?.replace()
    const injected = statSync(trigger).size
    rmSync(trigger)
    say(`${injected} syncs have failed`)
    server = await startServer(rig, { data })
    const { acknowledged, refusals } = await load.stop()
    const lost = await receiver.await([...acknowledged, 2e9], QUIET_MS)
    await emptied(rig)
    const aside = await metric(rig, 'posthorn_damaged_records')
    await server.stop()
    const foreign = Object.entries(refusals).filter(([reply]) => !reply.startsWith('4'))
    return [
      { what: 'failed syncs', value: injected, atLeast: wanted },
      { what: 'acknowledged', value: acknowledged.length, atLeast: 100 },
      { what: 'refused with 451 4.3.0', value: refusals['451 4.3.0'] ?? 0, atLeast: 1 },
      { what: 'refused with other than 4xx', value: foreign.length, atMost: 0 },
      { what: 'lost', value: lost.length, atMost: 0 },
      { what: 'damaged', value: receiver.damaged + aside, atMost: 0 },
      { what: 'ends of the server', value: alive && goesOn ? 0 : 1, atMost: 0 },
    ]
  },
}

/** Some of many tries succeed while syncs fail. */
async function goneOn(send: () => Promise<string>): Promise<boolean> {
  for (let tries = 0; tries < 50; tries++) if ((await send()).startsWith('250')) return true
  return false
}
