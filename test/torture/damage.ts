// R6: damage to the data folder, before a start and under way: cut, flipped, zeroed, overwritten,
// foreign, of the wrong type, gone. The server starts and goes on; what is whole arrives, nothing
// arrives that is not, and what is missing is counted as set aside.

import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../bench/wait.ts'
import { fill, openQueue } from './fill.ts'
import { type Harm, harmAtRest, harmUnderWay } from './harm.ts'
import { Receiver } from './receiver.ts'
import { isRunning, metric, openRig, type Rig, startServer } from './rig.ts'
import type { Circumstances, Torment } from './torment.ts'

const MESSAGES = 60
/** Of them have been delivered before; they must not come back. */
const ENDED = 15
/** How late the receiver is until the harm is done, so that most mail still waits then. */
const SLOW_MS = 500
const QUIET_MS = 300

export const damage: Torment = {
  id: 'R6',
  name: 'damage',
  what: 'damage to the files of the data folder',
  shortSeconds: 45,
  async run({ full, random, say }) {
    await using rig = await openRig('damage')
    const templates = await makeTemplates(rig)
    const sum = { harms: 0, ends: 0, damaged: 0, silent: 0, wholeLost: 0, doubled: 0, missing: 0 }
    for (let round = 1; sum.harms < (full ? 1000 : 30); round++) {
      const template = templates[round % templates.length]!
      const found = await endure(rig, template, { random, underWay: round % 3 === 0 })
      sum.harms += found.harms.length
      sum.ends += found.ended ? 1 : 0
      sum.damaged += found.damaged
      sum.doubled += found.doubled
      sum.missing += found.missing
      sum.wholeLost += found.wholeLost
      if (found.missing > 0 && found.counted === 0) sum.silent++
      say(`${round} ${template.name}: ${tell(found)}`)
    }
    return [
      { what: 'damages', value: sum.harms },
      { what: 'ends of the server', value: sum.ends, atMost: 0 },
      { what: 'sent damaged', value: sum.damaged, atMost: 0 },
      { what: 'whole and not delivered', value: sum.wholeLost, atMost: 0 },
      { what: 'delivered before and sent again', value: sum.doubled, atMost: 0 },
      { what: 'missing, and nothing counted', value: sum.silent, atMost: 0 },
      { what: 'messages that were unreadable', value: sum.missing },
    ]
  },
}

/** A data folder that rounds start from. */
type Template = {
  readonly name: string
  readonly folder: string
  /** Numbers in the queue. */
  readonly queued: readonly number[]
  /** The database, where all of the queue is in it. */
  readonly database: Buffer | undefined
}

/** Messages of a few sizes; those beyond 256 KiB lie in rows of their own. */
const bytesOf = (number: number) => (number % 10 === 0 ? 400_000 : 1000 + (number % 7) * 900)

/** As a clean end leaves the folder, and as a kill -9 does. */
async function makeTemplates(rig: Rig): Promise<readonly Template[]> {
  const data = join(rig.folder, 'data')
  await (await startServer(rig)).stop()
  const queued = Array.from({ length: MESSAGES - ENDED }, (_, i) => ENDED + 1 + i)
  const [clean, killed] = ['clean', 'killed'].map((name) => join(rig.folder, name))
  {
    await using store = await openQueue(data)
    const messages = await fill(store, rig, { count: MESSAGES, bytesOf })
    for (const { message, entries } of messages.slice(0, ENDED)) {
      const changes = entries.map((key) => ({ kind: 'ended', key, end: 'relayed' }) as const)
      const attempt = {
        startedAt: message.acceptedAt,
        durationMs: 1,
        peerReports: false,
        outcomes: new Map(),
      }
      await store.settle({ message, changes, attempt, notices: [], at: message.acceptedAt })
    }
    cpSync(data, killed!, { recursive: true })
  }
  cpSync(data, clean!, { recursive: true })
  return [
    {
      name: 'after a clean end',
      folder: clean!,
      queued,
      database: readFileSync(join(clean!, 'queue.db')),
    },
    { name: 'after a kill -9', folder: killed!, queued, database: undefined },
  ]
}

type Endured = {
  readonly harms: readonly Harm[]
  /** What the server said when it ended of itself. */
  readonly ended: string | undefined
  readonly damaged: number
  readonly missing: number
  readonly wholeLost: number
  readonly doubled: number
  readonly counted: number
}

/** One round: a fresh copy of the folder, harm, a start, and time for everything to arrive. */
async function endure(
  rig: Rig,
  template: Template,
  { random, underWay }: Pick<Circumstances, 'random'> & { underWay: boolean },
): Promise<Endured> {
  const data = join(rig.folder, 'data')
  rmSync(data, { recursive: true, force: true })
  cpSync(template.folder, data, { recursive: true })
  const delayMs = underWay ? SLOW_MS : 0
  await using receiver = await Receiver.start({ port: rig.sinkPort, bytesOf, delayMs })
  const times = 1 + Math.floor(random() * 3)
  const harms: Harm[] = []
  const harmTimes = (harm: (folder: string, random: () => number) => Harm) => {
    for (let i = 0; i < times; i++) harms.push(harm(data, random))
  }
  if (!underWay) harmTimes(harmAtRest)
  const server = await startServer(rig, { connections: 5 }).catch((error: unknown) => String(error))
  if (typeof server === 'string')
    return judge(template, { harms, receiver, ended: server, counted: 0 })
  try {
    if (underWay) harmTimes(harmUnderWay)
    receiver.delayMs = 0
    while (isRunning(server.process) && !(await isOver(rig, template, receiver))) await sleep(100)
    const ended = isRunning(server.process) ? undefined : server.log().slice(-600)
    const counted = ended ? 0 : await metric(rig, 'posthorn_damaged_records')
    return judge(template, { harms, receiver, ended, counted })
  } finally {
    await server.kill()
  }
}

/** Everything has come, or nothing is left that could. */
async function isOver(rig: Rig, { queued }: Template, receiver: Receiver): Promise<boolean> {
  if (receiver.missing(queued).length === 0) return true
  if ((await metric(rig, 'posthorn_queue_messages', 'state="ready"')) > 0) return false
  await sleep(QUIET_MS)
  return true
}

function tell({ harms, missing, counted, ended, wholeLost, doubled, damaged }: Endured): string {
  const faults = [
    ...(ended === undefined ? [] : [`THE SERVER ENDED: ${ended}`]),
    ...(wholeLost > 0 ? [`${wholeLost} WHOLE AND NOT DELIVERED`] : []),
    ...(doubled > 0 ? [`${doubled} SENT AGAIN`] : []),
    ...(damaged > 0 ? [`${damaged} SENT DAMAGED`] : []),
    ...(missing > 0 && counted === 0 ? ['LOST WITHOUT A WORD'] : []),
  ]
  const done = harms.map((harm) => harm.text).join('; ')
  return [done, `${missing} missing, ${counted} counted`, ...faults].join(': ')
}

const PAGE = 8192

/** What came of a round. */
function judge(
  { queued, database }: Template,
  seen: { harms: readonly Harm[]; receiver: Receiver; ended: string | undefined; counted: number },
): Endured {
  const { harms, receiver } = seen
  const missing = receiver.missing(queued)
  const log = harms.some(({ file }) => file.startsWith('queue.db-'))
  const lost =
    log || database === undefined
      ? []
      : missing.filter((number) => isWhole(database, number, harms))
  return {
    ...seen,
    damaged: receiver.damaged,
    missing: missing.length,
    wholeLost: lost.length,
    // What a cut log had settled may come again, as after any crash.
    doubled: log ? 0 : [...receiver.seen.keys()].filter((number) => number <= ENDED).length,
  }
}

/** None of the harms has reached the page of the database on which the message stands. */
function isWhole(database: Buffer, number: number, harms: readonly Harm[]): boolean {
  // What is larger than a page stands on several.
  if (bytesOf(number) > PAGE) return false
  const at = database.indexOf(`X-Number: ${String(number).padStart(12, '0')}`)
  const page = at - (at % PAGE)
  return (
    at >= 0 &&
    harms.every(({ file, from, to }) => file !== 'queue.db' || to <= page || from >= page + PAGE)
  )
}
