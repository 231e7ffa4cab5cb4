// R2: power cuts without a power switch, by the method of disk.ts. Half of the cuts come while the
// mail flows, which shows what arrives twice; the others while it piles up, which shows what is lost.
// The control does the second with syncs that do nothing: it must lose mail, or the method is blind.

import { sleep } from '../../bench/wait.ts'
import { buildSyncLibrary } from '../support/preload.ts'
import { cannotCut, LoopDisk } from './disk.ts'
import { attribute, Receiver } from './receiver.ts'
import { emptied, Load, metric, openRig, type Rig, type ServerOptions, startServer } from './rig.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const CONNECTIONS = 20
/** How late the receiver is when mail shall pile up. */
const SLOW_MS = 400
/** Between two messages of a session, so that not too much piles up. */
const PAUSE_MS = 40
/** Results of deliveries are durable at most so much later. */
const SETTLE_MS = 100
const LONG_LIFE_MS = 40_000
const QUIET_MS = 20_000
const DISK_MEBIBYTES = 256

export const powerCut: Torment = {
  id: 'R2',
  name: 'powercut',
  what: 'power cuts under load, and a control without syncs',
  obstacle: cannotCut,
  shortSeconds: 40,
  async run(circumstances) {
    const cuts = circumstances.full ? 50 : 8
    return [...(await cutPower(cuts, circumstances)), ...(await control(circumstances))]
  },
}

async function cutPower(cuts: number, circumstances: Circumstances): Promise<readonly Figure[]> {
  await using rig = await openRig('powercut')
  await using receiver = await Receiver.start({ port: rig.sinkPort })
  const scene: Scene = {
    ...circumstances,
    rig,
    receiver,
    disk: new LoopDisk(rig, DISK_MEBIBYTES),
    environment: {},
  }
  const half = Math.ceil(cuts / 2)
  const flowing = await series(scene, { cuts: half, delayMs: 0, firstNumber: 1 })
  const waiting = await series(scene, { cuts: cuts - half, delayMs: SLOW_MS, firstNumber: 1e9 })
  const ends = [...flowing.ends, ...waiting.ends]
  const { twice, others } = attribute(
    receiver.repeats,
    ends.map(({ at }) => at),
  )
  const beyond = twice.map((n, i) => Math.max(0, n - CONNECTIONS - ends[i]!.lately))
  const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0)
  return [
    { what: 'cuts', value: cuts },
    { what: 'acknowledged', value: flowing.acknowledged + waiting.acknowledged },
    { what: 'lost', value: flowing.lost + waiting.lost, atMost: 0 },
    { what: 'damaged', value: receiver.damaged + waiting.aside, atMost: 0 },
    { what: 'came twice, mean', value: sum(twice) / cuts, unit: 'a cut' },
    { what: 'came twice, beyond in flight and 100 ms', value: sum(beyond), atMost: 0 },
    { what: 'came twice, not in flight', value: others.length, atMost: 0 },
  ]
}

type Scene = Circumstances & {
  readonly rig: Rig
  readonly receiver: Receiver
  readonly disk: LoopDisk
  readonly environment: Readonly<Record<string, string>>
}

type Series = {
  readonly acknowledged: number
  readonly lost: number
  /** Records that the server has set aside. */
  readonly aside: number
  /** When the cuts were, and how many deliveries there were shortly before. */
  readonly ends: readonly { readonly at: number; readonly lately: number }[]
}

/** Load and cuts in turns; then everything has time to arrive. */
async function series(
  { rig, receiver, disk, environment, full, random, say }: Scene,
  {
    cuts,
    delayMs,
    firstNumber,
    quietMs = QUIET_MS,
  }: { cuts: number; delayMs: number; firstNumber: number; quietMs?: number },
): Promise<Series> {
  const options: ServerOptions = { data: `${disk.mounted}/data`, connections: CONNECTIONS }
  const ends: { at: number; lately: number }[] = []
  receiver.delayMs = delayMs
  let server = await startServer(rig, { ...options, environment })
  const load = await Load.start(rig, { pauseMs: PAUSE_MS, firstNumber })
  for (let cut = 1; cut <= cuts; cut++) {
    await receiver.next()
    // Now and then long enough for the kernel to write back what nobody has synced.
    await sleep(full && cut % 8 === 0 ? LONG_LIFE_MS : 200 + random() * 800)
    server.process.kill('SIGSTOP')
    const at = performance.now()
    ends.push({ at, lately: receiver.since(at - SETTLE_MS) })
    disk.freeze()
    await server.kill()
    disk.replace()
    say(`cut ${cut} of ${cuts}, ${receiver.count} have arrived`)
    server = await startServer(rig, cut < cuts ? { ...options, environment } : options)
  }
  const { acknowledged } = await load.stop()
  receiver.delayMs = 0
  const lost = await receiver.await(acknowledged, quietMs)
  await emptied(rig)
  const aside = await metric(rig, 'posthorn_damaged_records')
  await server.stop()
  return { acknowledged: acknowledged.length, lost: lost.length, aside, ends }
}

async function control(circumstances: Circumstances): Promise<readonly Figure[]> {
  const library = buildSyncLibrary()
  if (library === undefined) throw new Error('the control needs a C compiler')
  await using rig = await openRig('powercut-control')
  await using receiver = await Receiver.start({ port: rig.sinkPort })
  const disk = new LoopDisk(rig, DISK_MEBIBYTES)
  const environment = { LD_PRELOAD: library, SYNC_OFF: '1' }
  const { lost } = await series(
    { ...circumstances, rig, receiver, disk, environment },
    { cuts: circumstances.full ? 4 : 2, delayMs: SLOW_MS, firstNumber: 1, quietMs: 3_000 },
  )
  return [{ what: 'control without syncs: lost', value: lost, atLeast: 1 }]
}
