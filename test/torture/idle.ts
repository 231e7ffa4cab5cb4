// R7: ten thousand clients that say EHLO and then nothing, as broken applications and botnets do.

import { Sink } from '../../bench/run.ts'
import { sleep } from '../../bench/wait.ts'
import { behaveWell, Caller } from './caller.ts'
import { gatherCrowds } from './company.ts'
import type { CrowdJob } from './crowd.ts'
import { freePort, makeFolder, startPosthorn } from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const MOST_MIB = 250
const MOST_P95_MS = 250
const PER_ADDRESS = 50

export const idleConnections: Torment = {
  id: 'R7',
  name: 'idle',
  what: 'clients that say EHLO and then nothing, and one address that wants more than its share',
  shortSeconds: 15,
  run: holdStill,
}

async function holdStill({ full, say }: Circumstances): Promise<readonly Figure[]> {
  const wanted = full ? 10_000 : 2_000
  const processes = 4
  await using parts = new AsyncDisposableStack()
  const { folder, remove } = makeFolder('idle')
  parts.defer(remove)
  const sink = await Sink.start(await freePort())
  parts.defer(() => sink.stop())
  // Twice as many slots: beyond four fifths of them the idle ones are hurried out.
  const posthorn = await startPosthorn({
    folder,
    settings: `relayhost: { host: 127.0.0.1, port: ${sink.port}, tls: none }
limits: { sessions: ${2 * wanted}, sessions_per_address: ${PER_ADDRESS} }`,
  })
  parts.defer(() => posthorn.stop())
  const before = posthorn.memory()
  const jobs: CrowdJob[] = Array.from({ length: processes }, (_, i) => ({
    port: posthorn.port,
    count: wanted / processes,
    mode: 'idle',
    addresses: Math.ceil(wanted / processes / PER_ADDRESS),
    net: i + 1,
    insists: false,
  }))
  const crowds = parts.use(await gatherCrowds(jobs))
  const during = posthorn.memory()
  const honest = await behaveWell(posthorn.port, { forMs: full ? 20_000 : 2_000 })
  await sleep(500)
  const { open } = await crowds.count()
  // The first address has all that it may have.
  const greedy = Caller.call({ port: posthorn.port, from: '127.0.1.1' })
  const refused = await greedy.code()
  greedy.hangUp()
  say(`${before.toFixed(0)} MiB without them, ${during.toFixed(0)} with them`)
  return [
    { what: 'idle connections, still open at the end', value: open, atLeast: wanted },
    { what: 'memory with them', value: during, unit: 'MiB', atMost: MOST_MIB },
    { what: 'of it for each', value: ((during - before) * 1024) / wanted, unit: 'KiB' },
    { what: 'memory after the honest sessions', value: posthorn.memory(), unit: 'MiB' },
    { what: 'honest sessions', value: honest.sessions },
    {
      what: 'of which work',
      value: (100 * honest.worked) / honest.sessions,
      unit: '%',
      atLeast: 100,
    },
    {
      what: 'their 95th percentile',
      value: honest.p95,
      unit: 'ms',
      atMost: MOST_P95_MS,
      isPace: true,
    },
    {
      what: `connection ${PER_ADDRESS + 1} of one address`,
      value: refused,
      atLeast: 421,
      atMost: 421,
    },
  ]
}
