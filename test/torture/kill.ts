// R1: kill -9 under load. What was acknowledged arrives; what arrives twice was in flight.

import { sleep } from '../../bench/wait.ts'
import { attribute, Receiver } from './receiver.ts'
import { emptied, Load, metric, openRig, type Rig, startServer } from './rig.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

/** Between two messages of a session: some 200 a second in all. */
const PAUSE_MS = 80
const QUIET_MS = 20_000

export const kill: Torment = {
  id: 'R1',
  name: 'kill',
  what: 'kill -9 under load, 20 deliveries at once',
  shortSeconds: 40,
  async run({ full, random, say }) {
    await using rig = await openRig('kill')
    await using receiver = await Receiver.start({ port: rig.sinkPort })
    const kills = full ? 200 : 15
    const third = Math.floor(kills / 3)
    const scene = { rig, receiver, random, say }
    const steady = await killUnderLoad(scene, { kills: kills - third, pauseMs: PAUSE_MS, base: 0 })
    const flatOut = await killUnderLoad(scene, { kills: third, pauseMs: 0, base: 1e9 })
    return [
      { what: 'kills', value: kills },
      { what: 'acknowledged', value: steady.acknowledged + flatOut.acknowledged },
      { what: 'lost', value: steady.lost + flatOut.lost, atMost: 0 },
      { what: 'damaged', value: receiver.damaged + flatOut.aside, atMost: 0 },
      ...figuresOf(steady, 'steady', { mean: { atMost: 5 }, worst: { atMost: 20 } }),
      // As many as the machine can: how many are in flight at a kill follows from its pace.
      ...figuresOf(flatOut, 'flat out', { worst: { atMost: 20, isPace: true } }),
      { what: 'came twice, not in flight', value: steady.others + flatOut.others, atMost: 0 },
    ]
  },
}

type Scene = { readonly rig: Rig; readonly receiver: Receiver } & Pick<
  Circumstances,
  'random' | 'say'
>

type Toll = {
  readonly acknowledged: number
  readonly perSecond: number
  readonly lost: number
  /** Records that the server has set aside. */
  readonly aside: number
  /** How many came twice, by kill. */
  readonly twice: readonly number[]
  /** Repeats of what had come long before a kill. */
  readonly others: number
}

async function killUnderLoad(
  { rig, receiver, random, say }: Scene,
  { kills, pauseMs, base }: { kills: number; pauseMs: number; base: number },
): Promise<Toll> {
  const earlier = receiver.repeats.length
  const killedAt: number[] = []
  let aliveMs = 0
  let server = await startServer(rig)
  let bornAt = performance.now()
  const load = await Load.start(rig, { pauseMs, firstNumber: base + 1 })
  for (let kill = 1; kill <= kills; kill++) {
    await receiver.next()
    await sleep(100 + random() * 600)
    killedAt.push(performance.now())
    await server.kill()
    aliveMs += killedAt.at(-1)! - bornAt
    say(`kill ${kill} of ${kills}, ${receiver.count} have arrived`)
    server = await startServer(rig)
    bornAt = performance.now()
  }
  const { acknowledged } = await load.stop()
  const lost = await receiver.await(acknowledged, QUIET_MS)
  await emptied(rig)
  const aside = await metric(rig, 'posthorn_damaged_records')
  await server.stop()
  const { twice, others } = attribute(receiver.repeats.slice(earlier), killedAt)
  return {
    acknowledged: acknowledged.length,
    perSecond: (acknowledged.length / aliveMs) * 1000,
    lost: lost.length,
    aside,
    twice,
    others: others.length,
  }
}

function figuresOf(
  { twice, perSecond }: Toll,
  load: string,
  bounds: { readonly mean?: Partial<Figure>; readonly worst: Partial<Figure> },
): readonly Figure[] {
  const mean = twice.reduce((total, n) => total + n, 0) / twice.length
  const most = Math.max(...twice)
  return [
    { what: `${load}: rate`, value: perSecond, unit: 'a second', atLeast: 100, isPace: true },
    { what: `${load}: came twice, mean`, value: mean, unit: 'a kill', ...bounds.mean },
    { what: `${load}: came twice, at worst`, value: most, unit: 'a kill', ...bounds.worst },
  ]
}
