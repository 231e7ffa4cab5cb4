// R9: a very large queue. Its mail goes to destinations that are down, to one or to a thousand; beside
// it new mail comes and goes as if it were not there. And what waits for a destination that is back
// leaves quickly.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { messageMaker } from '../../bench/message.ts'
import { cpuMs } from '../../bench/processes.ts'
import { generate, Sink } from '../../bench/run.ts'
import { sleep } from '../../bench/wait.ts'
import type { Domain } from '../../src/mail/domain.ts'
import { systemClock } from '../../src/std/clock.ts'
import { silentLog } from '../../src/std/log.ts'
import { openStore } from '../../src/store/sqlite/open.ts'
import type { NewMessage, Store } from '../../src/store/store.ts'
import {
  direct,
  freePort,
  makeFolder,
  nameServer,
  type Posthorn,
  percentile,
  startPosthorn,
} from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const run = promisify(execFile)
const main = join(import.meta.dirname, '../../bin/posthorn.js')

const BYTES = 5_000
/** Commits at the same time: each sync is shared by so many. */
const AT_ONCE = 1_000
const MOST_PAUSE_MS = 200
const RATE_MS = 2_000
/** As long as ours with RSA-2048. */
const PREFIX = `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example;
 s=waiting; t=1790000000; h=from:to:subject:date:message-id:mime-version;
 bh=${'h'.repeat(44)}; b=${'b'.repeat(344)}\nReceived: from [127.0.0.1] by mail.sender.example\n`.replaceAll(
  '\n',
  '\r\n',
)

export const largeQueue: Torment = {
  id: 'R9',
  name: 'large-queue',
  what: 'mail waiting for one and for a thousand dead destinations, and a drain',
  shortSeconds: 60,
  async run(circumstances) {
    const { full } = circumstances
    const waiting = full ? 1_000_000 : 20_000
    return [
      ...(full ? await besideMany(waiting, 1, circumstances) : []),
      ...(await besideMany(waiting, 1_000, circumstances)),
      ...(await drain(full ? 100_000 : 5_000, circumstances)),
    ]
  },
}

type Filling = {
  readonly count: number
  readonly recipient: (n: number) => readonly [string, string]
  /** From now on; at once by default. */
  readonly dueInMs?: (n: number) => number
}

/** Puts messages into the queue, due now; `recipient` tells the domain and the site of each. */
export async function fill(
  folder: string,
  { count, recipient, dueInMs = () => 0 }: Filling,
): Promise<void> {
  await using store = await openStore({
    folder,
    clock: systemClock,
    log: silentLog,
    reserveBytes: 0,
  })
  const make = messageMaker(BYTES)
  let next = 1
  const work = async () => {
    while (next <= count) {
      const n = next++
      const whole = make(n)
      const [domain, site] = recipient(n)
      await store.commit(
        queued(store, { n, domain, site, dueInMs: dueInMs(n), content: whole.subarray(0, -3) }),
      )
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

function queued(
  store: Store,
  {
    n,
    domain,
    site,
    dueInMs,
    content,
  }: { n: number; domain: string; site: string; dueInMs: number; content: Buffer },
): NewMessage {
  const id = store.nextMessageId()
  const acceptedAt = systemClock.now()
  return {
    message: {
      id,
      reversePath: { localPart: 'sender', domain: 'sender.example' as Domain },
      body: '7bit',
      smtputf8: false,
      requireTls: false,
      fromDomain: 'sender.example' as Domain,
      world: 'live',
      sender: { kind: 'network', address: '127.0.0.1' },
      prefix: PREFIX,
      size: PREFIX.length + content.length,
      acceptedAt,
    },
    entries: [
      {
        message: id,
        index: 0,
        recipient: { mailbox: { localPart: `user${n}`, domain: domain as Domain } },
        site,
        state: { kind: 'ready', at: acceptedAt + dueInMs },
        attempts: 0,
        acceptedAt,
        delayNoticed: false,
      },
    ],
    rows: [content],
    firstRow: 0,
  }
}

async function besideMany(
  waiting: number,
  sites: number,
  { full, say }: Circumstances,
): Promise<readonly Figure[]> {
  await using parts = new AsyncDisposableStack()
  const port = await freePort()
  const sink = await Sink.start(port)
  parts.defer(() => sink.stop())
  // Nobody listens at the other address.
  const hosts = { 'recipient.example': '127.0.0.1', 'dead.example': '127.8.9.1' }
  const dns = parts.use(await nameServer({ hosts }))
  const settings = direct(dns, port)
  const { folder, remove } = makeFolder('large')
  parts.defer(remove)
  const began = performance.now()
  await fill(join(folder, 'data'), {
    count: waiting,
    recipient: (n) => [`d${n % sites}.dead.example`, `d${n % sites}.dead.example`],
    // All at once for the single one, the worst case for a start; else over an hour, as retries are.
    ...(sites > 1 && { dueInMs: (n: number) => (n % 3_600) * 1_000 }),
  })
  say(`${waiting} queued in ${((performance.now() - began) / 1000).toFixed(0)} s`)
  const first = await startPosthorn({ folder, settings, readySeconds: 120 })
  await first.kill()
  const posthorn = await startPosthorn({ folder, settings, readySeconds: 120 })
  parts.defer(() => posthorn.stop(15_000))
  const seen = watch(posthorn)
  await sleep(full ? 20_000 : 1_000)
  const { memory, pause, noise } = await seen.stop()
  const rates = await compareRates(posthorn, settings, full ? 5 : 1)
  const later = watch(posthorn)
  const listed = await timeToList(posthorn)
  await sleep(1_000)
  const after = await later.stop()
  const left = await posthorn.metric('posthorn_queue_messages')
  say(
    `${sites} sites: first start ${(first.readyMs / 1000).toFixed(1)} s, ${left} in the queue at the end; accepted ${rates.empty.rate.toFixed(0)} a second empty, ${rates.beside.rate.toFixed(0)} beside it`,
  )
  const where = `${waiting.toLocaleString('en')} for ${sites.toLocaleString('en')} dead`
  return [
    { what: `${where}: ready after a kill`, value: posthorn.readyMs / 1000, unit: 's', atMost: 30, isPace: true },
    { what: 'still in the queue', value: left, atLeast: waiting },
    { what: 'memory, at most', value: Math.max(memory, after.memory), unit: 'MiB', atMost: 512 },
    { what: 'pause of the event loop, at most', value: pause, unit: 'ms', atMost: Math.round(MOST_PAUSE_MS + noise), isPace: true },
    { what: 'pause of a process that does nothing, meanwhile', value: noise, unit: 'ms' },
    { what: 'accept rate, of that with an empty queue', value: (100 * rates.beside.rate) / rates.empty.rate, unit: '%', atLeast: 80, isPace: true },
    { what: 'CPU for each message, of that with an empty queue', value: (100 * rates.beside.cpuMs) / rates.empty.cpuMs, unit: '%', atMost: 125, isPace: true },
    { what: 'first page of the queue over HTTP', value: listed.http, unit: 'ms', atMost: 1_000, isPace: true },
    { what: 'posthorn queue list, the whole command', value: listed.command, unit: 'ms' },
  ] // biome-ignore format: a table
}

/**
 * Messages taken in a second beside the queue and by a server without one, in turns, since the machine
 * has other things to do as well. Who is not measured is stopped meanwhile.
 */
async function compareRates(
  posthorn: Posthorn,
  settings: string,
  rounds: number,
): Promise<{ empty: Accepting; beside: Accepting }> {
  await using parts = new AsyncDisposableStack()
  const { folder, remove } = makeFolder('empty')
  parts.defer(remove)
  const empty = await startPosthorn({ folder, settings })
  parts.defer(() => empty.stop(15_000))
  const rates = { empty: [] as Accepting[], beside: [] as Accepting[] }
  for (let round = 0; round < rounds; round++) {
    process.kill(posthorn.pid, 'SIGSTOP')
    try {
      rates.empty.push(await acceptRate(empty))
    } finally {
      process.kill(posthorn.pid, 'SIGCONT')
    }
    rates.beside.push(await acceptRate(posthorn))
  }
  const median = (all: readonly Accepting[]): Accepting => ({
    rate: percentile(
      all.map(({ rate }) => rate),
      0.5,
    ),
    cpuMs: percentile(
      all.map(({ cpuMs }) => cpuMs),
      0.5,
    ),
  })
  return { empty: median(rates.empty), beside: median(rates.beside) }
}

/** Messages a second, and the server's CPU for each. */
type Accepting = { readonly rate: number; readonly cpuMs: number }

let numbers = 1

/** Takes mail for a while, all for living destinations. */
async function acceptRate(posthorn: Posthorn): Promise<Accepting> {
  const job = {
    sessions: 20,
    messages: 1_000_000,
    bytes: BYTES,
    keep: true,
    starttls: false,
    domains: 20,
    numbers: false,
  }
  numbers += 1_000_000
  const warm = { ...job, port: posthorn.port, firstNumber: numbers, forMs: RATE_MS / 4 }
  await generate(warm)
  const before = cpuMs([posthorn.pid])
  const load = await generate({ ...warm, firstNumber: numbers + 500_000, forMs: RATE_MS })
  return {
    rate: load.accepted / ((load.endedAt - load.startedAt) / 1000),
    cpuMs: (cpuMs([posthorn.pid]) - before) / load.accepted,
  }
}

type Seen = { readonly memory: number; readonly pause: number; readonly noise: number }

/** Scrapes until `stop`: the most memory, the longest pause, and the longest that this process, which only waits, had to bear. */
function watch(posthorn: Posthorn): { stop(): Promise<Seen> } {
  const ours = monitorEventLoopDelay({ resolution: 20 })
  ours.enable()
  let memory = 0
  let pause = 0
  let over = false
  const look = async () => {
    while (!over) {
      try {
        pause = Math.max(pause, await posthorn.lag())
        memory = Math.max(memory, posthorn.memory())
      } catch {
        // The HTTP door is not open yet, or not any more.
      }
      await sleep(250)
    }
  }
  const looking = posthorn
    .lag()
    .catch(() => 0)
    .then(() => {
      ours.reset()
      return look()
    })
  return {
    async stop() {
      over = true
      await looking
      ours.disable()
      return { memory, pause, noise: ours.max / 1e6 - 20 }
    },
  }
}

async function timeToList(posthorn: Posthorn): Promise<{ http: number; command: number }> {
  const token = readFileSync(join(posthorn.folder, 'data', 'admin-token'), 'utf8').trim()
  const headers = { authorization: `Bearer ${token}` }
  const began = performance.now()
  const page = await fetch(`http://127.0.0.1:${posthorn.httpPort}/api/v1/queue?limit=50`, {
    headers,
  })
  const text = await page.text()
  const http = performance.now() - began
  if (!page.ok) throw new Error(`the queue cannot be listed: ${page.status} ${text}`)
  const then = performance.now()
  await run(process.execPath, [main, 'queue', 'list', '--config', posthorn.config], {
    cwd: posthorn.folder,
    maxBuffer: 64 * 1024 * 1024,
  })
  return { http, command: performance.now() - then }
}

/** Signed mail that waited for a relay, from the first arrival to the last. */
async function drain(count: number, { say }: Circumstances): Promise<readonly Figure[]> {
  await using parts = new AsyncDisposableStack()
  const { folder, remove } = makeFolder('drain')
  parts.defer(remove)
  const sinkPort = await freePort()
  const site = `relay:127.0.0.1:${sinkPort}`
  await fill(join(folder, 'data'), {
    count,
    recipient: (n) => [`d${n % 20}.recipient.example`, site],
  })
  const sink = await Sink.start(sinkPort)
  parts.defer(() => sink.stop())
  const posthorn = await startPosthorn({
    folder,
    settings: `relayhost: { host: 127.0.0.1, port: ${sinkPort}, tls: none }`,
  })
  parts.defer(() => posthorn.stop())
  const seen = watch(posthorn)
  let startedAt = 0
  let before = 0
  let state = await sink.ask('count')
  for (let quiet = 0; state.count < count && quiet < 200; quiet++) {
    await sleep(50)
    state = await sink.ask('count')
    if (state.count > before) quiet = 0
    if (before === 0 && state.count > 0) startedAt = state.lastAt
    before = state.count
  }
  const rate = state.count / ((state.lastAt - startedAt) / 1000)
  const { pause, memory, noise } = await seen.stop()
  say(`${state.count} drained at ${rate.toFixed(0)} a second`)
  return [
    { what: 'waiting mail that arrived', value: state.count, atLeast: count, atMost: count },
    { what: 'drained', value: rate, unit: '/s', atLeast: 4_000, isPace: true },
    { what: 'memory while draining', value: memory, unit: 'MiB', atMost: 512 },
    { what: 'pause of the event loop while draining', value: pause, unit: 'ms', atMost: Math.round(MOST_PAUSE_MS + noise), isPace: true },
  ] // biome-ignore format: a table
}
