// R21: five times as many clients as there is capacity for. What is taken is taken at full speed, the
// rest hears a temporary no, and a moment later all is as before.

import { fork } from 'node:child_process'
import { join } from 'node:path'
import { Sink } from '../../bench/run.ts'
import { end, sleep } from '../../bench/wait.ts'
import { limitCpu } from '../support/cpu-quota.ts'
import { behaveWell } from './caller.ts'
import { nextMessage } from './company.ts'
import type { FloodJob, FloodResult } from './flood.ts'
import { freePort, makeFolder, type Posthorn, startPosthorn } from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const TIMES = 5
/** Of one core, where that can be limited: the clients have the rest, or they could not bring as much. */
const SERVER_CORES = 0.4
const AT_ONCE = 20
const NORMAL_MS = 5_000
const NORMAL_P95_MS = 250

export const overload: Torment = {
  id: 'R21',
  name: 'overload',
  what: 'five times as many clients as can be served',
  shortSeconds: 30,
  run: flood,
}

async function flood({ full, say }: Circumstances): Promise<readonly Figure[]> {
  await using parts = new AsyncDisposableStack()
  const { folder, remove } = makeFolder('overload')
  parts.defer(remove)
  const sink = await Sink.start(await freePort())
  parts.defer(() => sink.stop())
  const posthorn = await startPosthorn({
    folder,
    settings: `relayhost: { host: 127.0.0.1, port: ${sink.port}, tls: none }`,
  })
  const quota = limitCpu(posthorn.pid, SERVER_CORES)
  parts.defer(async () => {
    await posthorn.stop()
    quota?.[Symbol.dispose]()
  })
  const job = { port: posthorn.port, domain: 'recipient.example' }
  const capacityNow = async () => {
    const best = await visits([{ ...job, net: 1, forMs: full ? 10_000 : 1_500, atOnce: AT_ONCE }])
    return best.accepted / best.seconds
  }
  // What runs for the first time is compiled on the way.
  await capacityNow()
  const first = await capacityNow()
  const before = posthorn.memory()
  say(
    `capacity ${first.toFixed(0)} a second ${quota ? `with ${SERVER_CORES} of a core` : ''}, ${before.toFixed(0)} MiB`,
  )
  const forMs = full ? 60_000 : 4_000
  const peak = watchMemory(posthorn)
  const worst = await visits(
    [2, 3].map((net) => ({
      ...job,
      net,
      forMs,
      perSecond: (first * TIMES) / 2,
      mostUnderWay: full ? 20_000 : 500,
    })),
  )
  const most = peak.stop()
  const rate = worst.accepted / worst.seconds
  await sleep(full ? NORMAL_MS - 1_000 : 1_000)
  const honest = await behaveWell(posthorn.port, { forMs: 1_000 })
  // What else runs on the machine changes the capacity: it is taken before and after.
  const capacity = (first + (await capacityNow())) / 2
  const refusals = Object.entries(worst.refused).map(([code, count]) => `${code}: ${count}`)
  say(
    `${((worst.begun + worst.unsent) / worst.seconds).toFixed(0)} a second came (${worst.unsent} found no room in the generator), ${refusals.join(', ')}`,
  )
  const { 0: broken = 0, 421: a = 0, 451: b = 0, 452: c = 0, ...others } = worst.refused
  return [
    { what: 'capacity', value: capacity, unit: '/s' },
    {
      what: 'clients, times the capacity',
      value: worst.begun / worst.seconds / capacity,
      ...(quota && { atLeast: TIMES * 0.9, isPace: true }),
    },
    {
      what: 'taken under overload, of capacity',
      value: (100 * rate) / capacity,
      unit: '%',
      atLeast: 80,
      isPace: true,
    },
    { what: 'refused for now', value: a + b + c },
    {
      what: 'refused otherwise',
      value: Object.values(others).reduce((x, y) => x + y, 0),
      atMost: 0,
    },
    {
      what: 'left without an answer',
      value: broken,
      atMost: Math.ceil(worst.begun / 1000),
    },
    { what: 'memory more than before', value: most - before, unit: 'MiB', atMost: 200 },
    {
      what: 'honest sessions that work 5 s later',
      value: (100 * honest.worked) / honest.sessions,
      unit: '%',
      atLeast: 100,
    },
    {
      what: 'their 95th percentile',
      value: honest.p95,
      unit: 'ms',
      atMost: NORMAL_P95_MS,
      isPace: true,
    },
  ]
}

/** Runs floods at once and adds them up. */
export async function visits(jobs: readonly FloodJob[]): Promise<FloodResult> {
  const results = await Promise.all(
    jobs.map(async (job) => {
      const child = fork(join(import.meta.dirname, 'flood.ts'))
      const result = nextMessage<FloodResult>(child)
      child.send(job)
      try {
        return await result
      } finally {
        await end(child, 1_000)
      }
    }),
  )
  const refused: Record<number, number> = {}
  for (const result of results)
    for (const [code, count] of Object.entries(result.refused))
      refused[Number(code)] = (refused[Number(code)] ?? 0) + count
  const sum = (pick: (result: FloodResult) => number) =>
    results.reduce((total, result) => total + pick(result), 0)
  return {
    begun: sum(({ begun }) => begun),
    accepted: sum(({ accepted }) => accepted),
    unsent: sum(({ unsent }) => unsent),
    seconds: results[0]?.seconds ?? 0,
    refused,
  }
}

/** The most memory that is seen until `stop`. */
function watchMemory(posthorn: Posthorn): { stop(): number } {
  let most = 0
  const timer = setInterval(() => {
    most = Math.max(most, posthorn.memory())
  }, 250)
  return {
    stop() {
      clearInterval(timer)
      return most
    },
  }
}
