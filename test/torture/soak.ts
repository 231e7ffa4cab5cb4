// R10: a long quiet life with bad company. Mail at a steady pace to friendly and to hostile peers,
// clients that misbehave on our side: nothing grows, nothing leaks, nothing is left unhandled.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Sink } from '../../bench/run.ts'
import { sleep } from '../../bench/wait.ts'
import {
  close,
  garbage,
  reset,
  type Script,
  sayAndClose,
  say as saying,
  slowly,
  stall,
  startHostileServer,
} from '../support/hostile-server.ts'
import { Caller, submit } from './caller.ts'
import { collectGarbage } from './collect.ts'
import { gatherCrowds } from './company.ts'
import {
  direct,
  freePort,
  makeFolder,
  nameServer,
  type Posthorn,
  percentile,
  startPosthorn,
  usualFlags,
} from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const PER_SECOND = 50
/** One message in so many goes to a peer that misbehaves. */
const BAD_EVERY = 5
const GROWTH_PER_TEN_MINUTES = 1

const BAD: Readonly<Record<string, Script>> = {
  silent: { banner: stall },
  closing: { mail: close },
  resetting: { content: reset },
  babbling: { rcpt: garbage },
  leaving: { data: sayAndClose('421 4.3.2 bye') },
  greylisting: { rcpt: ({ connection }) => (connection % 3 === 0 ? undefined : saying('451 4.7.1 later')) },
  refusing: { rcpt: saying('550 5.1.1 unknown') },
  hesitant: { content: slowly('250 2.0.0 taken', 50) },
  'badly-secured': { handshake: close },
} // biome-ignore format: a table

export const soak: Torment = {
  id: 'R10',
  name: 'soak',
  what: `${PER_SECOND} messages a second with peers and clients that misbehave`,
  shortSeconds: 40,
  run: live,
}

type Sample = {
  readonly at: number
  readonly memory: number
  readonly files: number
  readonly lag: number
  /** What this process had to bear at the same time, which does little. */
  readonly noise: number
}

async function live({ full, say }: Circumstances): Promise<readonly Figure[]> {
  await using parts = new AsyncDisposableStack()
  const { folder, remove } = makeFolder('soak')
  parts.defer(remove)
  const port = await freePort()
  const sink = await Sink.start(port)
  parts.defer(() => sink.stop())
  const hosts: Record<string, string> = {
    'recipient.example': '127.0.0.1',
    'sender.example': '127.0.0.1',
  }
  for (const [i, [name, script]] of Object.entries(BAD).entries()) {
    const address = `127.8.7.${i + 1}`
    hosts[`${name}.example`] = address
    const keywords = name === 'badly-secured' ? ['STARTTLS', 'PIPELINING'] : ['PIPELINING']
    parts.use(await startHostileServer({ address, port, script, keywords }))
  }
  const dns = parts.use(await nameServer({ hosts }))
  const inspectPort = await freePort()
  const posthorn = await startPosthorn({
    folder,
    nodeFlags: [...usualFlags(), `--inspect=127.0.0.1:${inspectPort}`],
    // A retry schedule so short that what is deferred does not pile up, and ends.
    settings: `${direct(dns, port)}\nretry: { first: 2s, longest: 10s, expire: 60s }`,
  })
  parts.defer(() => posthorn.stop(5_000))
  const crowd = { port: posthorn.port, count: 10, addresses: 5, insists: true }
  const modes = ['commands', 'half', 'deaf'] as const
  parts.use(await gatherCrowds(modes.map((mode, i) => ({ ...crowd, mode, net: i + 1 }))))
  const seconds = full ? 1_200 : 10
  const clients = sendAtPace(posthorn, seconds)
  const samples = await watch(posthorn, { seconds, every: full ? 10 : 1, inspectPort, say })
  const sent = await clients
  return [...report(samples, { full, sent, posthorn }), ...afterwards(posthorn, say)]
}

/** A connection a message, at a steady pace; resolves to how many were taken. */
async function sendAtPace(
  posthorn: Posthorn,
  seconds: number,
): Promise<{ taken: number; not: number }> {
  const startedAt = performance.now()
  const bad = Object.keys(BAD)
  const count = { taken: 0, not: 0 }
  const underWay = new Set<Promise<void>>()
  const one = async (n: number) => {
    const domain =
      n % BAD_EVERY === 0
        ? `${bad[(n / BAD_EVERY) % bad.length]}.example`
        : `d${n % 100}.recipient.example`
    const caller = Caller.call({ port: posthorn.port })
    const greeted = (await caller.code()) === 220 && (await caller.ask('EHLO app.example')) === 250
    const code = greeted ? await submit(caller, { to: `u${n}@${domain}` }) : 0
    if (code === 250) count.taken++
    else count.not++
    caller.write('QUIT\r\n')
    caller.socket.end()
  }
  for (let n = 0; n < seconds * PER_SECOND; n++) {
    const wait = startedAt + (n * 1000) / PER_SECOND - performance.now()
    if (wait > 0) await sleep(wait)
    const client = one(n).finally(() => underWay.delete(client))
    underWay.add(client)
  }
  await Promise.all(underWay)
  return count
}

async function watch(
  posthorn: Posthorn,
  options: { seconds: number; every: number; inspectPort: number; say: (text: string) => void },
): Promise<readonly Sample[]> {
  const { seconds, every, inspectPort, say } = options
  const samples: Sample[] = []
  const startedAt = performance.now()
  const at = () => (performance.now() - startedAt) / 1000
  await posthorn.lag('99')
  const ours = monitorEventLoopDelay({ resolution: 20 })
  ours.enable()
  while (at() < seconds && posthorn.alive()) {
    await sleep(every * 1000)
    const lag = await posthorn.lag('99')
    // What V8 keeps for later is not grown, only not given back.
    await collectGarbage(inspectPort)
    const sample = {
      at: at(),
      memory: posthorn.memory(),
      files: posthorn.openFiles(),
      lag,
      noise: ours.percentile(99) / 1e6 - 20,
    }
    ours.reset()
    await posthorn.lag('99') // the collection's own pause is nobody's fault
    samples.push(sample)
    if (samples.length % 6 === 0) {
      const ready = await posthorn.metric('posthorn_queue_messages', 'ready')
      say(
        `${sample.at.toFixed(0)} s: ${sample.memory.toFixed(0)} MiB, ${sample.files} files, lag p99 ${lag.toFixed(0)} ms, ${ready} queued`,
      )
    }
  }
  ours.disable()
  return samples
}

function report(
  samples: readonly Sample[],
  {
    full,
    sent,
    posthorn,
  }: { full: boolean; sent: { taken: number; not: number }; posthorn: Posthorn },
): readonly Figure[] {
  // The first half warms up: code is compiled, caches fill, the peers' faults all come round. Then one
  // quarter is held against the next, each by its median: single moments tell little.
  const quarter = Math.floor(samples.length / 4)
  const third = samples.slice(2 * quarter, 3 * quarter)
  const fourth = samples.slice(3 * quarter)
  const median = (some: readonly Sample[], pick: (sample: Sample) => number) =>
    percentile(some.map(pick), 0.5)
  const change = (pick: (sample: Sample) => number) => median(fourth, pick) - median(third, pick)
  const minutes = (median(fourth, ({ at }) => at) - median(third, ({ at }) => at)) / 60
  const late = [...third, ...fourth]
  const lag = percentile(
    late.map(({ lag }) => lag),
    0.95,
  )
  const noise = percentile(
    late.map(({ noise }) => noise),
    0.95,
  )
  return [
    { what: 'messages taken', value: sent.taken, atLeast: sent.taken + sent.not },
    { what: 'memory in the last quarter', value: median(fourth, ({ memory }) => memory), unit: 'MiB' },
    // Half a minute is no time to see growth in.
    { what: 'growth in ten minutes', value: (change(({ memory }) => memory) / minutes) * 10, unit: 'MiB', ...(full && { atMost: GROWTH_PER_TEN_MINUTES }) },
    { what: 'open files more than a quarter before', value: change(({ files }) => files), ...(full && { atMost: 20 }) },
    { what: 'loop lag p99', value: lag, unit: 'ms', atMost: Math.round(100 + noise), isPace: true },
    { what: 'the same of a process that does little, meanwhile', value: noise, unit: 'ms' },
    { what: 'alive', value: posthorn.alive() ? 1 : 0, atLeast: 1 },
  ] // biome-ignore format: a table
}

/** Node says what nobody handled on standard error, and ends; what it warns of is a leak in waiting. */
function afterwards(posthorn: Posthorn, say: (text: string) => void): readonly Figure[] {
  const log = posthorn.log()
  // What the doctor finds in a DNS that was made up is no fault of ours; it says how to mend it.
  const faults = log
    .split('\n')
    .filter((line) => /"level":"(error|fatal)"/.test(line) && !line.includes('"fix":'))
  for (const line of faults) say(line.slice(0, 500))
  const count = (words: RegExp) => log.split('\n').filter((line) => words.test(line)).length
  return [
    {
      what: 'unhandled rejections and errors',
      value: count(/[Uu]nhandled|triggerUncaughtException/),
      atMost: 0,
    },
    { what: 'warnings of Node', value: count(/^\(node:\d+\) (?!ExperimentalWarning)/), atMost: 0 },
    { what: 'faults of our own in the log', value: faults.length, atMost: 0 },
  ]
}
