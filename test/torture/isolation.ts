// R22: one destination is dead and one takes ten minutes for a message. The others do not notice.

import { generate, Sink } from '../../bench/run.ts'
import { sleep } from '../../bench/wait.ts'
import { slowly, stall, startHostileServer } from '../support/hostile-server.ts'
import { visits } from './overload.ts'
import { direct, freePort, makeFolder, nameServer, type Posthorn, startPosthorn } from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const LIVELY = '127.0.0.1'
const DEAD = '127.8.6.1'
const SLOW = '127.8.6.2'
const TEN_MINUTES = 600_000
const DOMAINS = 20

export const isolation: Torment = {
  id: 'R22',
  name: 'isolation',
  what: 'a dead destination and one that takes ten minutes a message, beside lively ones',
  shortSeconds: 30,
  run: compare,
}

async function compare({ full, say }: Circumstances): Promise<readonly Figure[]> {
  await using parts = new AsyncDisposableStack()
  const { folder, remove } = makeFolder('isolation')
  parts.defer(remove)
  const port = await freePort()
  const sink = await Sink.start(port)
  parts.defer(() => sink.stop())
  // It listens and never says a word: worse than a refused connection, for it holds ours.
  const dead = await startHostileServer({ address: DEAD, port, script: { banner: stall } })
  parts.use(dead)
  const script = { content: slowly('250 2.0.0 taken', TEN_MINUTES / 16) }
  const slow = parts.use(await startHostileServer({ address: SLOW, port, script }))
  const hosts = { 'recipient.example': LIVELY, 'dead.example': DEAD, 'slow.example': SLOW }
  const dns = parts.use(await nameServer({ hosts }))
  const posthorn = await startPosthorn({ folder, settings: direct(dns, port) })
  parts.defer(() => posthorn.stop(2_000))
  const forMs = full ? 30_000 : 2_000
  await measured(posthorn, sink, { forMs: forMs / 4, from: 1 })
  const before = await measured(posthorn, sink, { forMs, from: 1_000_000 })
  // A backlog for each of the two, larger than what memory gives to a site.
  const backlog = full ? 5_000 : 500
  for (const domain of ['dead.example', 'slow.example']) {
    const all = { port: posthorn.port, domain, net: 1, forMs: 60_000, atOnce: 20, most: backlog }
    await visits([all])
  }
  await sleep(500)
  // Twice, for the machine may have other things to do in between.
  const first = await measured(posthorn, sink, { forMs, from: 2_000_000 })
  const second = await measured(posthorn, sink, { forMs, from: 3_000_000 })
  const between = first.rate > second.rate ? first : second
  const [accepted, arrived] = [first.accepted + second.accepted, first.arrived + second.arrived]
  const held = dead.open + slow.open
  const ready = await posthorn.metric('posthorn_queue_messages', 'ready')
  say(`${held} connections held by the two, ${ready} messages wait for them`)
  return [
    { what: 'mail for the two that waits', value: ready, atLeast: backlog },
    { what: 'connections that they hold', value: held, atLeast: 10 },
    { what: 'delivered to the others without them', value: before.rate, unit: '/s' },
    { what: 'delivered to the others beside them', value: between.rate, unit: '/s' },
    {
      what: 'share',
      value: (100 * between.rate) / before.rate,
      unit: '%',
      atLeast: 90,
      isPace: true,
    },
    {
      what: 'arrived at the others, of what was taken',
      value: (100 * arrived) / accepted,
      unit: '%',
      atLeast: 100,
    },
  ]
}

type Measured = { readonly rate: number; readonly accepted: number; readonly arrived: number }

/** Load for lively domains: what arrives in a second, from the first message to the last. */
async function measured(
  posthorn: Posthorn,
  sink: Sink,
  { forMs, from }: { forMs: number; from: number },
): Promise<Measured> {
  await sink.ask('reset')
  const load = await generate({
    port: posthorn.port,
    sessions: 20,
    messages: 1_000_000,
    bytes: 5_000,
    keep: true,
    starttls: false,
    domains: DOMAINS,
    firstNumber: from,
    forMs,
    numbers: false,
  })
  let state = await sink.ask('count')
  for (let quiet = 0; state.count < load.accepted && quiet < 100; quiet++) {
    await sleep(50)
    const later = await sink.ask('count')
    if (later.count > state.count) quiet = 0
    state = later
  }
  const seconds = (Math.max(state.lastAt, load.endedAt) - load.startedAt) / 1000
  return { rate: state.count / seconds, accepted: load.accepted, arrived: state.count }
}
