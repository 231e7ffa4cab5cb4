// npm run bench: Posthorn, Postfix + OpenDKIM, Postfix unsigned and Haraka over the same loads, in
// turns, on one file system, in one run. docs/performance.md says how to read it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildSyncLibrary } from '../test/support/preload.ts'
import { measureIdle } from './idle.ts'
import { makeWorkplace } from './journal.ts'
import { haraka } from './peers/haraka.ts'
import type { PeerKind, PeerOptions } from './peers/peer.ts'
import { postfixOpendkim, postfixUnsigned } from './peers/postfix.ts'
import { posthorn } from './peers/posthorn.ts'
import { skeleton } from './peers/skeleton.ts'
import { freePort, measureRaw, type RawParts } from './raw.ts'
import {
  describeLoad,
  type IdleRow,
  idleTable,
  plot,
  type Row,
  rawSumMs,
  rawTable,
  spread,
  table,
} from './report.ts'
import { type Load, type Measurement, makeSecrets, measure, Sink, withPeer } from './run.ts'

const HELP = `npm run bench -- [options]

  --quick          the two headline loads only, within three minutes
  --rounds N       rounds of each load (3; quick: 2)
  --only NAMES     servers, comma-separated: posthorn, postfix, unsigned, haraka,
                   skeleton (the least that Node needs for it; in idle by itself)
  --loads NAMES    loads, comma-separated: kept, new, sessions, size, tls, domains,
                   slow, slowsync, idle
  --seconds N      how long load is offered in one measurement (6; quick: 5)
  --json FILE      all figures
  --svg FILE       a plot of rate and CPU over sessions and size
  --no-raw         skip the raw parts
  --no-chunking    the receiving server offers no CHUNKING
`

const { values: options } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    loads: { type: 'string' },
    seconds: { type: 'string' },
    json: { type: 'string' },
    svg: { type: 'string' },
    'no-raw': { type: 'boolean', default: false },
    'no-chunking': { type: 'boolean', default: false },
  },
})

/** As the large receivers offer it. */
const chunking = !options['no-chunking']

const KINDS: Readonly<Record<string, PeerKind>> = {
  posthorn,
  postfix: postfixOpendkim,
  unsigned: postfixUnsigned,
  haraka,
  skeleton,
}
/** The skeleton speaks no TLS and is no server: by itself it takes part where nothing else is timed. */
const SERVERS = Object.keys(KINDS).filter((name) => KINDS[name] !== skeleton)

const BASE: Load = { bytes: 5000, sessions: 20, keep: true, starttls: false, domains: 1 }

/** The loads by name, those of one name taking turns; the headline ones come first. */
const LOADS: Readonly<Record<string, readonly Load[]>> = {
  kept: [BASE],
  new: [{ ...BASE, keep: false }],
  sessions: [
    { ...BASE, sessions: 1 },
    { ...BASE, sessions: 1, keep: false },
    { ...BASE, sessions: 100, keep: false },
  ],
  size: [
    { ...BASE, bytes: 50_000 },
    { ...BASE, bytes: 50_000, keep: false },
  ],
  tls: [
    { ...BASE, starttls: true },
    { ...BASE, starttls: true, keep: false },
  ],
  domains: [{ ...BASE, domains: 1000 }],
  slow: [{ ...BASE, sinkDelayMs: 50 }],
  slowsync: [
    { ...BASE, sessions: 100 },
    { ...BASE, sessions: 100, syncDelayMs: 2 },
  ],
}
const IDLE = 'idle'
/** From the process's start; the last measurement's end may come later by its own length. */
const QUICK_MS = 165_000
const START_AND_STOP_SECONDS = 3

type Result = { readonly rows: Row[]; readonly idle: IdleRow[]; raw?: RawParts }
type Chosen = {
  readonly kinds: readonly PeerKind[]
  readonly loads: readonly string[]
  readonly rounds: number
  readonly seconds: number
}

function choose(): Chosen {
  const names =
    options.only?.split(',') ?? (options.quick ? ['posthorn', 'postfix', 'unsigned'] : SERVERS)
  const loads =
    options.loads?.split(',') ?? (options.quick ? ['kept', 'new'] : [...Object.keys(LOADS), IDLE])
  for (const name of loads)
    if (name !== IDLE && !LOADS[name]) fail(`no load is called ${name}\n${HELP}`)
  const kinds = names
    .map((name) => KINDS[name] ?? fail(`no server is called ${name}\n${HELP}`))
    .filter((kind) => {
      const missing = kind.missing()
      if (missing) say(`without ${kind.name}: ${missing}`)
      return !missing
    })
  return {
    kinds,
    loads,
    rounds: Number(options.rounds ?? (options.quick ? 2 : 3)),
    seconds: Number(options.seconds ?? (options.quick ? 5 : 6)),
  }
}

async function main(): Promise<void> {
  if (options.help) {
    process.stdout.write(HELP)
    return
  }
  const chosen = choose()
  const place = makeWorkplace()
  say(`file system: ${place.fileSystem}`)
  const result: Result = { rows: [], idle: [] }
  try {
    if (!options['no-raw']) {
      result.raw = await measureRaw(place.folder, await freePort(), 5000)
      say(rawTable(result.raw))
    }
    await measureAll(chosen, place.folder, result)
  } finally {
    await place.dispose()
  }
  conclude(result)
}

async function measureAll(chosen: Chosen, folder: string, result: Result): Promise<void> {
  const { kinds, loads, rounds } = chosen
  const secrets = makeSecrets(folder)
  const library = buildSyncLibrary(folder)
  if (!library && loads.includes('slowsync')) say('without slow syncs: no C compiler (cc)')
  let folders = 0
  let left = kinds.length * rounds * loads.length
  const setupOf = async (kind: PeerKind) => {
    const { dkimKey, ...rest } = secrets
    const own = { folder: join(folder, `peer-${folders++}`), port: await freePort(25_000) }
    return kind === postfixUnsigned ? { ...rest, ...own } : { ...rest, ...own, dkimKey }
  }
  for (const name of loads)
    for (let round = 1; round <= rounds; round++)
      for (const load of name === IDLE ? [undefined] : (LOADS[name] ?? []))
        for (const kind of load || options.only ? kinds : [...kinds, skeleton]) {
          const setup = await setupOf(kind)
          const label = `${load ? describeLoad(load) : IDLE} · round ${round} · ${kind.name}`
          if (!load) {
            const idle = await measureIdle(kind, { ...setup, chunking })
            add(result.idle, (row) => row.peer === kind.name, { peer: kind.name, rounds: [idle] })
            const { inARow, cold } = idle
            say(
              `${label}: at the sink after ${inARow.p50.toFixed(1)} ms, cold ${cold.p50.toFixed(1)}`,
            )
            continue
          }
          const ms = load.syncDelayMs
          if (ms && !library) continue
          const slow = ms && library ? { slowSync: { library, ms } } : {}
          const measured = await measureOne(
            kind,
            { ...setup, ...slow },
            load,
            secondsFor(chosen, left--),
          )
          const key = `${kind.name} ${describeLoad(load)}`
          add(result.rows, (row) => `${row.peer} ${describeLoad(row.load)}` === key, {
            peer: kind.name,
            load,
            rounds: [measured],
          })
          say(
            `${label}: ${measured.rate.toFixed(0)}/s, ` +
              `${measured.cpuMsPerMessage.toFixed(2)} ms CPU`,
          )
        }
}

/** With --quick a busy machine gets shorter measurements: three minutes are three minutes. */
function secondsFor({ seconds }: Chosen, left: number): number {
  if (!options.quick) return seconds
  const share = (QUICK_MS - performance.now()) / 1000 / Math.max(1, left)
  return Math.min(seconds, Math.max(1, (share - START_AND_STOP_SECONDS) / 2))
}

/** Adds a row, or its round to the row that is there. */
function add<R extends { readonly rounds: readonly unknown[] }>(
  rows: R[],
  same: (row: R) => boolean,
  row: R,
): void {
  const at = rows.findIndex(same)
  if (at < 0) rows.push(row)
  else rows[at] = { ...row, rounds: [...rows[at]!.rounds, ...row.rounds] }
}

async function measureOne(
  kind: PeerKind,
  setup: Omit<PeerOptions, 'sinkPort'>,
  load: Load,
  seconds: number,
): Promise<Measurement> {
  const sinkOptions = [
    '--delay',
    `${load.sinkDelayMs ?? 0}`,
    ...(chunking ? [] : ['--no-chunking']),
  ]
  const sink = await Sink.start(await freePort(23_000), sinkOptions)
  try {
    return await withPeer(kind, { ...setup, sinkPort: sink.port }, (peer) =>
      measure(peer, load, { port: setup.port, sink, ms: seconds * 1000, warmUp: kind.warmUp }),
    )
  } finally {
    await sink.stop()
  }
}

function conclude({ rows, idle, raw }: Result): void {
  if (rows.length > 0) say(`\n${table(rows)}`)
  if (idle.length > 0) say(`\n${idleTable(idle)}`)
  say('')
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ raw, rows, idle }, null, 1)}\n`)
  if (options.svg) writeFileSync(options.svg, plot(rows))
  const medianOf = (peer: string, load: Load, pick: (m: Measurement) => number): number => {
    const label = describeLoad(load)
    const row = rows.find((one) => one.peer === peer && describeLoad(one.load) === label)
    return row ? spread(row.rounds.map(pick)).median : Number.NaN
  }
  const rate = (m: Measurement) => m.rate
  const cpu = (m: Measurement) => m.cpuMsPerMessage
  const ratio = (load: Load, other: PeerKind, pick: (m: Measurement) => number): number =>
    medianOf(posthorn.name, load, pick) / medianOf(other.name, load, pick)
  const fresh = { ...BASE, keep: false }
  const ours = medianOf(posthorn.name, BASE, cpu)
  if (raw && ours)
    say(`CPU against the sum of raw parts: ${(ours / rawSumMs(raw, true)).toFixed(2)}`)
  const [quick, slow] = LOADS['slowsync']!
  for (const peer of new Set(rows.map((row) => row.peer))) {
    const kept = medianOf(peer, slow!, rate) / medianOf(peer, quick!, rate)
    if (kept) say(`rate kept with syncs 2 ms slower, ${peer}: ${(kept * 100).toFixed(0)} %`)
  }
  say(
    `rate against Postfix unsigned: kept ${ratio(BASE, postfixUnsigned, rate).toFixed(1)}, ` +
      `new ${ratio(fresh, postfixUnsigned, rate).toFixed(1)}`,
  )
  say(
    `ratio kept=${ratio(BASE, postfixOpendkim, rate).toFixed(1)} ` +
      `new=${ratio(fresh, postfixOpendkim, rate).toFixed(1)} ` +
      `cpu=${(1 / ratio(BASE, postfixOpendkim, cpu)).toFixed(1)}`,
  )
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function fail(text: string): never {
  process.stderr.write(`${text}\n`)
  process.exit(2)
}

await main()
