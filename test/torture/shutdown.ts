// R20: SIGTERM under load, with deliveries in flight to a receiver that takes its time.

import { sleep } from '../../bench/wait.ts'
import { Receiver } from './receiver.ts'
import { emptied, Load, openRig, startServer } from './rig.ts'
import type { Torment } from './torment.ts'

const RECEIVER_MS = 150
const PAUSE_MS = 20
const QUIET_MS = 20_000

export const shutdown: Torment = {
  id: 'R20',
  name: 'shutdown',
  what: 'SIGTERM under load',
  shortSeconds: 15,
  async run({ full, random, say }) {
    await using rig = await openRig('shutdown')
    await using receiver = await Receiver.start({ port: rig.sinkPort, delayMs: RECEIVER_MS })
    const times = full ? 30 : 4
    let slowest = 0
    let unclean = 0
    const load = await Load.start(rig, { pauseMs: PAUSE_MS })
    for (let time = 1; time <= times; time++) {
      const server = await startServer(rig)
      await receiver.next()
      await sleep(200 + random() * 800)
      const askedAt = performance.now()
      const code = await server.stop(60_000)
      const seconds = (performance.now() - askedAt) / 1000
      slowest = Math.max(slowest, seconds)
      if (code !== 0) unclean++
      say(`SIGTERM ${time} of ${times}: exit ${code} after ${seconds.toFixed(2)} s`)
    }
    const server = await startServer(rig)
    receiver.delayMs = 0
    const { acknowledged } = await load.stop()
    const lost = await receiver.await(acknowledged, QUIET_MS)
    await emptied(rig)
    await server.stop()
    return [
      { what: 'stops', value: times },
      { what: 'acknowledged', value: acknowledged.length },
      { what: 'slowest exit', value: slowest, unit: 's', atMost: 30 },
      { what: 'unclean exits', value: unclean, atMost: 0 },
      { what: 'lost', value: lost.length, atMost: 0 },
      { what: 'damaged', value: receiver.damaged, atMost: 0 },
      { what: 'came twice', value: receiver.repeats.length, atMost: 0 },
    ]
  },
}
