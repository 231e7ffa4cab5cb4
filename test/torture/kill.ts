// R1: kill -9 under load. What was acknowledged arrives; what arrives twice was in flight.

import { generate } from '../../bench/run.ts'
import { sleep } from '../../bench/wait.ts'
import { Receiver } from './receiver.ts'
import { emptied, job, openRig, type Rig, startServer } from './rig.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

/** What came first so long before the kill was not in flight any more. */
const WINDOW_MS = 1000
const QUIET_MS = 20_000

export const kill: Torment = {
  id: 'R1',
  name: 'kill',
  what: 'kill -9 under load, 20 deliveries at once',
  shortSeconds: 40,
  async run(circumstances) {
    await using rig = await openRig('kill')
    return await killUnderLoad(rig, circumstances.full ? 200 : 15, circumstances)
  },
}

type Toll = {
  readonly acknowledged: number[]
  readonly duplicates: number[]
  /** Repeats of what had come long before the kill. */
  others: number
  loadMs: number
}

async function killUnderLoad(
  rig: Rig,
  kills: number,
  { random, say }: Circumstances,
): Promise<readonly Figure[]> {
  await using receiver = await Receiver.start({ port: rig.sinkPort })
  const toll: Toll = { acknowledged: [], duplicates: [], others: 0, loadMs: 0 }
  let server = await startServer(rig)
  for (let kill = 1; kill <= kills; kill++) {
    const before = receiver.repeats.length
    const lifeMs = 200 + random() * 800
    const load = generate(job(rig, { firstNumber: kill * 1_000_000, forMs: lifeMs + 500 }))
    await receiver.next()
    await sleep(lifeMs)
    const killedAt = performance.now()
    await server.kill()
    server = await startServer(rig)
    const { acknowledged } = await load
    await receiver.await(acknowledged, QUIET_MS)
    await emptied(rig)
    const repeats = receiver.repeats.slice(before)
    toll.acknowledged.push(...acknowledged)
    toll.loadMs += lifeMs
    toll.duplicates.push(repeats.length)
    toll.others += repeats.filter(({ previousAt }) => previousAt < killedAt - WINDOW_MS).length
    say(`kill ${kill}: ${acknowledged.length} acknowledged, ${repeats.length} came twice`)
  }
  const lost = await receiver.await(toll.acknowledged, QUIET_MS)
  await server.stop()
  return figuresOf(toll, { kills, lost: lost.length, damaged: receiver.damaged })
}

function figuresOf(
  { acknowledged, duplicates, others, loadMs }: Toll,
  { kills, lost, damaged }: { kills: number; lost: number; damaged: number },
): readonly Figure[] {
  const all = duplicates.reduce((sum, n) => sum + n, 0)
  return [
    { what: 'kills', value: kills },
    { what: 'acknowledged', value: acknowledged.length },
    { what: 'rate', value: (acknowledged.length / loadMs) * 1000, unit: 'a second', atLeast: 100 },
    { what: 'lost', value: lost, atMost: 0 },
    { what: 'damaged', value: damaged, atMost: 0 },
    { what: 'came twice, on average', value: all / kills, unit: 'a kill', atMost: 5 },
    { what: 'came twice, at worst', value: Math.max(...duplicates), unit: 'a kill', atMost: 20 },
    { what: 'came twice, not in flight', value: others, atMost: 0 },
  ]
}
