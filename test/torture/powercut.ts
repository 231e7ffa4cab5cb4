// R2: power cuts without a power switch, by the method of disk.ts. Half of the cuts come while the
// mail flows, which shows what arrives twice; the others while it piles up, which shows what is lost.
// The control does the second with syncs that do nothing: it must lose mail, or the method is blind.

import { generate } from '../../bench/run.ts'
import { sleep } from '../../bench/wait.ts'
import { buildSyncLibrary } from '../support/preload.ts'
import { cannotCut, LoopDisk } from './disk.ts'
import { Receiver } from './receiver.ts'
import {
  emptied,
  job,
  metric,
  openRig,
  type Rig,
  type Server,
  type ServerOptions,
  startServer,
} from './rig.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const CONNECTIONS = 20
/** How late the receiver is when mail shall pile up. */
const SLOW_MS = 500
/** Results of deliveries are durable at most so much later. */
const SETTLE_MS = 100
const QUIET_MS = 20_000
const DISK_MEBIBYTES = 512

export const powerCut: Torment = {
  id: 'R2',
  name: 'powercut',
  what: 'power cuts under load, and a control without syncs',
  obstacle: cannotCut,
  shortSeconds: 40,
  async run(circumstances) {
    const cuts = circumstances.full ? 50 : 8
    const figures = await withRig((rig) => cutPower(rig, cuts, circumstances))
    return [...figures, ...(await control(circumstances))]
  },
}

async function withRig<T>(work: (rig: Rig) => Promise<T>): Promise<T> {
  await using rig = await openRig('powercut')
  return await work(rig)
}

async function cutPower(
  rig: Rig,
  cuts: number,
  { random, say }: Circumstances,
): Promise<readonly Figure[]> {
  await using receiver = await Receiver.start({ port: rig.sinkPort })
  const scene = { rig, receiver, disk: new LoopDisk(rig, DISK_MEBIBYTES) }
  const options = { data: `${scene.disk.mounted}/data`, connections: CONNECTIONS }
  const all: number[] = []
  let excess = 0
  let duplicates = 0
  let server = await startServer(rig, options)
  for (let cut = 1; cut <= cuts; cut++) {
    const flows = cut % 2 === 0
    receiver.delayMs = flows ? 0 : SLOW_MS
    const before = receiver.repeats.length
    const life = await liveAndCut(scene, server, { cut, lifeMs: 500 + random() * 1500 })
    all.push(...life.acknowledged)
    receiver.delayMs = 0
    server = await startServer(rig, options)
    await receiver.await(life.acknowledged, QUIET_MS)
    await emptied(rig)
    const repeats = receiver.repeats.length - before
    duplicates += repeats
    excess += Math.max(0, repeats - CONNECTIONS - life.lately)
    say(
      `cut ${cut}${flows ? '' : ', mail waiting'}: ${life.acknowledged.length} acknowledged, ` +
        `${repeats} came twice`,
    )
  }
  const lost = await receiver.await(all, QUIET_MS)
  const aside = await metric(rig, 'posthorn_damaged_records')
  await server.stop()
  return [
    { what: 'cuts', value: cuts },
    { what: 'acknowledged', value: all.length },
    { what: 'lost', value: lost.length, atMost: 0 },
    { what: 'damaged', value: receiver.damaged + aside, atMost: 0 },
    { what: 'came twice, on average', value: duplicates / cuts, unit: 'a cut' },
    { what: 'came twice beyond those in flight + 100 ms', value: excess, atMost: 0 },
  ]
}

type Scene = { readonly rig: Rig; readonly receiver: Receiver; readonly disk: LoopDisk }

/** Load for a while, then the plug is pulled, and the disk is as it would be then. */
async function liveAndCut(
  { rig, receiver, disk }: Scene,
  server: Server,
  { cut, lifeMs }: { cut: number; lifeMs: number },
): Promise<{ acknowledged: readonly number[]; lately: number }> {
  const load = generate(job(rig, { firstNumber: cut * 1_000_000, forMs: lifeMs + 1500 }))
  await receiver.next()
  await sleep(lifeMs)
  server.process.kill('SIGSTOP')
  const lately = receiver.since(performance.now() - SETTLE_MS)
  disk.freeze()
  await server.kill()
  disk.replace()
  return { acknowledged: (await load).acknowledged, lately }
}

async function control({ random, say, full }: Circumstances): Promise<readonly Figure[]> {
  const library = buildSyncLibrary()
  if (library === undefined) return [{ what: 'control skipped: no C compiler', value: 0 }]
  const environment = { LD_PRELOAD: library, SYNC_OFF: '1' }
  const lost = await withRig(async (rig) => {
    await using receiver = await Receiver.start({ port: rig.sinkPort })
    const scene = { rig, receiver, disk: new LoopDisk(rig, DISK_MEBIBYTES) }
    const options: ServerOptions = { data: `${scene.disk.mounted}/data`, connections: CONNECTIONS }
    const all: number[] = []
    for (let cut = 1; cut <= (full ? 4 : 2); cut++) {
      receiver.delayMs = SLOW_MS
      const server = await startServer(rig, { ...options, environment })
      const life = await liveAndCut(scene, server, { cut, lifeMs: 500 + random() * 1000 })
      all.push(...life.acknowledged)
    }
    receiver.delayMs = 0
    const server = await startServer(rig, options)
    const missing = await receiver.await(all, 4_000)
    say(`control: ${all.length} acknowledged without syncs, ${missing.length} lost`)
    await server.stop()
    return missing.length
  })
  return [{ what: 'control without syncs: lost', value: lost, atLeast: 1 }]
}
