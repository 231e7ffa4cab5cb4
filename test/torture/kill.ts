// R1: kill -9 under load. What was acknowledged arrives; what arrives twice was in flight.

import { generate } from '../../bench/run.ts'
import { sleep } from '../../bench/wait.ts'
import { job, type Rig, settleAccount, startServer, startSink } from './rig.ts'

export type KillFigures = {
  readonly kills: number
  readonly acknowledged: number
  readonly lost: number
  readonly unsigned: number
  readonly duplicatesPerKill: number
  readonly mostDuplicates: number
  readonly acknowledgedPerSecond: number
}

/** @param random between 0 and 1, decides when the kills come */
export async function killUnderLoad(
  rig: Rig,
  { kills, random, say }: { kills: number; random: () => number; say: (text: string) => void },
): Promise<KillFigures> {
  const sink = await startSink(rig)
  const all: number[] = []
  let number = 1
  let total = 0
  let most = 0
  let before = 0
  let loadMs = 0
  let account = await settleAccount(sink, [])
  let server = await startServer(rig)
  try {
    for (let kill = 1; kill <= kills; kill++) {
      const lifeMs = 300 + Math.round(random() * 1200)
      const load = generate(job(rig, { firstNumber: number, forMs: lifeMs + 50 }))
      await sleep(lifeMs)
      await server.kill()
      const result = await load
      loadMs += lifeMs
      all.push(...result.acknowledged)
      number += 1_000_000
      server = await startServer(rig)
      account = await settleAccount(sink, all)
      const duplicates = account.duplicates - before
      before = account.duplicates
      total += duplicates
      most = Math.max(most, duplicates)
      say(
        `kill ${kill}: ${result.acknowledged.length} acknowledged in ${lifeMs} ms, ` +
          `lost ${account.lost.length}, duplicates ${duplicates}`,
      )
    }
  } finally {
    await server.stop()
    await sink.stop()
  }
  return {
    kills,
    acknowledged: all.length,
    lost: account.lost.length,
    unsigned: account.unsigned,
    duplicatesPerKill: total / kills,
    mostDuplicates: most,
    acknowledgedPerSecond: (all.length / loadMs) * 1000,
  }
}
