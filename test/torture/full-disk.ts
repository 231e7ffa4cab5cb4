// R4: the disk is full, first by our own queue, then to the last octet by somebody else's file. Nobody
// hears 250 for what is not kept, mail still leaves, and room that comes back is room for mail.

import { closeSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../bench/wait.ts'
import { cannotMount, mountSmallDisk } from './disk.ts'
import { Receiver } from './receiver.ts'
import { ask, emptied, isRunning, Load, openRig, type Rig, startServer, submit } from './rig.ts'
import type { Torment } from './torment.ts'

const DISK_MEBIBYTES = 48
const FOREIGN_BYTES = 16 * 1024 * 1024
const QUIET_MS = 20_000

export const fullDisk: Torment = {
  id: 'R4',
  name: 'full-disk',
  what: 'a disk of 48 MiB that is full',
  obstacle: cannotMount,
  shortSeconds: 20,
  async run({ say }) {
    await using rig = await openRig('full-disk')
    const disk = mountSmallDisk(rig, DISK_MEBIBYTES)
    writeFileSync(join(disk, 'foreign'), Buffer.alloc(FOREIGN_BYTES))
    await using receiver = await Receiver.start({ port: rig.sinkPort, away: true })
    const settings = 'storage: { reserve: 4MiB, allow_memory: true }'
    const server = await startServer(rig, { data: join(disk, 'data'), settings })
    say('filling the disk with mail')
    const filling = await Load.start(rig, { pauseMs: 5 })
    await refusing(rig)
    await sleep(1000)
    const first = await filling.stop()
    say('and the rest with a foreign file')
    fillUp(join(disk, 'rest'))
    const second = await (
      await Load.start(rig, { pauseMs: 5, forMs: 1500, firstNumber: 1e9 })
    ).end()
    await receiver.open()
    await sleep(1000)
    say('making room')
    rmSync(join(disk, 'foreign'))
    rmSync(join(disk, 'rest'))
    const roomAt = performance.now()
    while (!(await submit(rig, 2e9)).startsWith('250')) await sleep(100)
    const seconds = (performance.now() - roomAt) / 1000
    const acknowledged = [...first.acknowledged, ...second.acknowledged, 2e9]
    const lost = await receiver.await(acknowledged, QUIET_MS)
    await emptied(rig)
    const refusals = [...Object.entries(first.refusals), ...Object.entries(second.refusals)]
    const count = (wanted: (reply: string) => boolean) =>
      refusals.reduce((sum, [reply, n]) => sum + (wanted(reply) ? n : 0), 0)
    const alive = isRunning(server.process)
    await server.stop()
    return [
      { what: 'acknowledged', value: acknowledged.length, atLeast: 100 },
      {
        what: 'refused with 452 4.3.1',
        value: count((reply) => reply === '452 4.3.1'),
        atLeast: 1,
      },
      { what: 'refused with 5xx', value: count((reply) => !reply.startsWith('4')), atMost: 0 },
      { what: 'lost', value: lost.length, atMost: 0 },
      { what: 'came twice', value: receiver.repeats.length, atMost: 0 },
      { what: 'damaged', value: receiver.damaged, atMost: 0 },
      { what: 'takes mail again after', value: seconds, unit: 's', atMost: 5, isPace: true },
      { what: 'ends of the server', value: alive ? 0 : 1, atMost: 0 },
    ]
  },
}

/** Resolves when the server says that it has no room. */
async function refusing(rig: Rig): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const { checks } = JSON.parse(await ask(rig, '/readyz')) as {
      checks: { name: string; ok: boolean }[]
    }
    if (checks.some(({ name, ok }) => name === 'disk' && !ok)) return
    await sleep(100)
  }
  throw new Error('the disk is never full')
}

/** Writes until nothing more fits. */
function fillUp(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (let size = 1024 * 1024; size >= 1; size = size > 4096 ? 4096 : size >> 1) {
      const piece = Buffer.alloc(size)
      try {
        while (statfsSync(path).bavail > 0) writeSync(file, piece)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    }
  } finally {
    closeSync(file)
  }
}
