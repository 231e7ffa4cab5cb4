// R8: slow clients of five kinds at once. Who is thrown out comes back.

import { Sink } from '../../bench/run.ts'
import { behaveWell } from './caller.ts'
import { gatherCrowds } from './company.ts'
import type { CrowdJob, CrowdMode } from './crowd.ts'
import { freePort, makeFolder, startPosthorn } from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const MODES: readonly CrowdMode[] = ['banner', 'commands', 'data', 'half', 'deaf']
const MOST_P95_MS = 500

export const slowClients: Torment = {
  id: 'R8',
  name: 'slow-clients',
  what: 'clients that read, speak and send as slowly as they can, in five ways at once',
  shortSeconds: 15,
  run: takeTime,
}

async function takeTime({ full, say }: Circumstances): Promise<readonly Figure[]> {
  const each = full ? 1_000 : 100
  await using parts = new AsyncDisposableStack()
  const { folder, remove } = makeFolder('slow')
  parts.defer(remove)
  const sink = await Sink.start(await freePort())
  parts.defer(() => sink.stop())
  const posthorn = await startPosthorn({
    folder,
    settings: `relayhost: { host: 127.0.0.1, port: ${sink.port}, tls: none }
limits: { sessions: ${each * 7}, sessions_per_address: 500 }`,
  })
  parts.defer(() => posthorn.stop())
  const before = posthorn.memory()
  const jobs: CrowdJob[] = MODES.map((mode, i) => ({
    port: posthorn.port,
    count: each,
    mode,
    addresses: 10,
    net: i + 1,
    insists: true,
  }))
  const crowds = parts.use(await gatherCrowds(jobs))
  const honest = await behaveWell(posthorn.port, { forMs: full ? 60_000 : 4_000 })
  const { open, lost } = await crowds.count()
  say(`${lost} were thrown out and came back`)
  return [
    {
      what: `slow connections, ${MODES.length} kinds`,
      value: open,
      atLeast: MODES.length * each * 0.8,
    },
    { what: 'honest sessions', value: honest.sessions },
    {
      what: 'of which work',
      value: (100 * honest.worked) / honest.sessions,
      unit: '%',
      atLeast: 99,
    },
    {
      what: 'their 95th percentile',
      value: honest.p95,
      unit: 'ms',
      atMost: MOST_P95_MS,
      isPace: true,
    },
    {
      what: 'memory more than before',
      value: posthorn.memory() - before,
      unit: 'MiB',
    },
  ]
}
