// R3: how long a start takes, from the command to the greeting and to the first delivery: with an
// empty queue, with a long one after a clean end, and with the same after a kill -9.

import { join } from 'node:path'
import { fill, openQueue } from './fill.ts'
import { Receiver } from './receiver.ts'
import { openRig, type Rig, startServer } from './rig.ts'
import type { Figure, Torment } from './torment.ts'

const FIRST_DELIVERY_SECONDS = 2

export const restart: Torment = {
  id: 'R3',
  name: 'restart',
  what: 'starts with an empty and with a long queue',
  shortSeconds: 20,
  async run({ full, say }) {
    await using rig = await openRig('restart')
    const figures: Figure[] = [await emptyStart(rig)]
    const queues = full ? [100_000, 1_000_000] : [20_000]
    let queued = 0
    for (const count of queues) {
      say(`filling the queue to ${count}`)
      {
        await using store = await openQueue(join(rig.folder, 'data'))
        await fill(store, rig, { count: count - queued, firstNumber: queued + 1 })
      }
      queued = count
      figures.push(...(await start(rig, count, 'clean')))
      figures.push(...(await start(rig, count, 'after a kill -9')))
    }
    return figures
  },
}

/** The first start makes the folder and a key, and is not counted; of three others the best is. */
async function emptyStart(rig: Rig): Promise<Figure> {
  let best = Number.POSITIVE_INFINITY
  for (let time = 0; time < 4; time++) {
    const server = await startServer(rig, { cold: true })
    if (time > 0) best = Math.min(best, server.greetedMs)
    await server.stop()
  }
  return {
    what: 'empty, the best of three',
    value: best / 1000,
    unit: 's',
    atMost: 2,
    isPace: true,
  }
}

/** Starts, waits for the first delivery, and kills the server: the next start is one after a crash. */
async function start(rig: Rig, count: number, how: string): Promise<readonly Figure[]> {
  await using receiver = await Receiver.start({ port: rig.sinkPort })
  const server = await startServer(rig, { cold: true })
  const openAt = performance.now()
  await receiver.next()
  const firstAt = receiver.seen.values().next().value!.firstAt
  await server.kill()
  const title = `${count.toLocaleString('en')} queued, ${how}`
  return [
    {
      what: title,
      value: server.greetedMs / 1000,
      unit: 's',
      atMost: count > 100_000 ? 30 : 5,
      isPace: true,
    },
    {
      what: `${title}: first delivery`,
      value: Math.max(0, firstAt - openAt) / 1000,
      unit: 's later',
      atMost: FIRST_DELIVERY_SECONDS,
      isPace: true,
    },
  ]
}
