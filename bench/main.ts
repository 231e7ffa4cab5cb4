// npm run bench: Posthorn, Postfix + OpenDKIM (and Postfix unsigned) over the same loads, in turns,
// on one file system, in one run. docs/performance.md says how to read it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeWorkplace } from './journal.ts'
import { haraka } from './peers/haraka.ts'
import type { PeerKind } from './peers/peer.ts'
import { postfixOpendkim, postfixUnsigned } from './peers/postfix.ts'
import { posthorn } from './peers/posthorn.ts'
import { freePort, measureRaw, type RawParts } from './raw.ts'
import { describeLoad, plot, type Row, rawSumMs, rawTable, spread, table } from './report.ts'
import { type Load, type Measurement, makeSecrets, measure, Sink, withPeer } from './run.ts'

const HELP = `npm run bench -- [options]

  --quick          the two headline loads only, within three minutes
  --rounds N       rounds of each load (3; quick: 2)
  --only NAMES     servers, comma-separated: posthorn, postfix, unsigned, haraka
  --loads NAMES    loads, comma-separated: kept, new, sessions, size, tls, domains, slow
  --seconds N      about how long one measurement runs (6)
  --json FILE      all figures
  --svg FILE       a plot of rate and CPU over sessions and size
  --no-raw         skip the raw parts
`

const { values: options } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    loads: { type: 'string' },
    seconds: { type: 'string', default: '6' },
    json: { type: 'string' },
    svg: { type: 'string' },
    'no-raw': { type: 'boolean', default: false },
  },
})

const KINDS: Readonly<Record<string, PeerKind>> = {
  posthorn,
  postfix: postfixOpendkim,
  unsigned: postfixUnsigned,
  haraka,
}

type Shape = Omit<Load, 'messages'> & { readonly delayMs?: number }
const BASE: Shape = { bytes: 5000, sessions: 20, keep: true, starttls: false, domains: 1 }

/** The loads by name; the headline ones come first. */
const LOADS: Readonly<Record<string, readonly Shape[]>> = {
  kept: [BASE],
  new: [{ ...BASE, keep: false }],
  sessions: [
    { ...BASE, sessions: 1 },
    { ...BASE, sessions: 100 },
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
  slow: [{ ...BASE, delayMs: 50 }],
}

/** How many messages make a measurement of the wanted length, from what the servers did before. */
function messagesFor(kind: PeerKind, shape: Shape, seconds: number): number {
  const guess = kind === posthorn ? 2500 : 350
  const slower = (shape.sessions === 1 ? 2.5 : 1) * (shape.starttls && !shape.keep ? 3 : 1)
  return Math.max(200, Math.round((guess * seconds) / slower))
}

async function main(): Promise<void> {
  if (options.help) {
    process.stdout.write(HELP)
    return
  }
  const rounds = Number(options.rounds ?? (options.quick ? 2 : 3))
  const seconds = Number(options.seconds)
  const names =
    options.only?.split(',') ??
    (options.quick ? ['posthorn', 'postfix', 'unsigned'] : Object.keys(KINDS))
  const shapes = (options.loads?.split(',') ?? (options.quick ? ['kept', 'new'] : Object.keys(LOADS)))
    .flatMap((name) => LOADS[name] ?? fail(`no load is called ${name}\n${HELP}`)) // biome-ignore format: a chain
  const kinds = names
    .map((name) => KINDS[name] ?? fail(`no server is called ${name}\n${HELP}`))
    .filter((kind) => {
      const missing = kind.missing()
      if (missing) say(`without ${kind.name}: ${missing}`)
      return !missing
    })

  const place = makeWorkplace()
  say(`file system: ${place.fileSystem}`)
  const secrets = makeSecrets(place.folder)
  const rows = new Map<string, { peer: string; load: Load; rounds: Measurement[] }>()
  let raw: RawParts | undefined
  try {
    if (!options['no-raw']) {
      raw = await measureRaw(place.folder, await freePort(), 5000)
      say(rawTable(raw))
    }
    let folders = 0
    for (const shape of shapes)
      for (let round = 1; round <= rounds; round++)
        for (const kind of kinds) {
          const { delayMs = 0, ...rest } = shape
          const load: Load = { ...rest, messages: messagesFor(kind, shape, seconds) }
          const sink = await Sink.start(await freePort(23_000), ['--delay', `${delayMs}`])
          const port = await freePort(25_000)
          const folder = join(place.folder, `peer-${folders++}`)
          const setup = { folder, port, sinkPort: sink.port, ...secrets }
          const unsigned = kind === postfixUnsigned
          const { dkimKey: _, ...plain } = setup
          const measured = await withPeer(kind, unsigned ? plain : setup, async (peer) => {
            await measure(
              peer,
              { ...load, messages: Math.ceil(load.messages / 10) },
              { port, sink },
            )
            return measure(peer, load, { port, sink })
          })
          await sink.stop()
          const label = `${describeLoad(load)}${delayMs ? `, sink ${delayMs} ms late` : ''}`
          say(
            `${label} · round ${round} · ${kind.name}: ${measured.rate.toFixed(0)}/s, ` +
              `${measured.cpuMsPerMessage.toFixed(2)} ms CPU`,
          )
          const key = `${kind.name} ${label}`
          const row = rows.get(key) ?? { peer: kind.name, load: { ...load }, rounds: [] }
          row.rounds.push(measured)
          rows.set(key, row)
        }
  } finally {
    place.dispose()
  }
  conclude([...rows.values()], raw)
}

function conclude(rows: readonly Row[], raw: RawParts | undefined): void {
  say(`\n${table(rows)}\n`)
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ raw, rows }, null, 1)}\n`)
  if (options.svg) writeFileSync(options.svg, plot(rows))
  const find = (peer: PeerKind, keep: boolean) =>
    rows.find(
      ({ peer: name, load }) =>
        name === peer.name &&
        load.keep === keep &&
        load.bytes === 5000 &&
        load.sessions === 20 &&
        !load.starttls &&
        load.domains === 1,
    )
  const ratio = (keep: boolean, other: PeerKind, pick: (m: Measurement) => number): number => {
    const ours = find(posthorn, keep)
    const theirs = find(other, keep)
    if (!ours || !theirs) return Number.NaN
    return spread(ours.rounds.map(pick)).median / spread(theirs.rounds.map(pick)).median
  }
  const rate = (m: Measurement) => m.rate
  const ours = find(posthorn, true)
  if (raw && ours) {
    const cpu = spread(ours.rounds.map((m) => m.cpuMsPerMessage)).median
    say(`CPU against the sum of the raw parts: ${(cpu / rawSumMs(raw, true)).toFixed(2)} times`)
  }
  say(
    `rate against Postfix unsigned: kept ${ratio(true, postfixUnsigned, rate).toFixed(1)}, ` +
      `new ${ratio(false, postfixUnsigned, rate).toFixed(1)}`,
  )
  const cpu = 1 / ratio(true, postfixOpendkim, (m) => m.cpuMsPerMessage)
  say(
    `ratio kept=${ratio(true, postfixOpendkim, rate).toFixed(1)} ` +
      `new=${ratio(false, postfixOpendkim, rate).toFixed(1)} cpu=${cpu.toFixed(1)}`,
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
