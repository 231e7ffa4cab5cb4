// R14: the wall clock is set while mail waits: a day ahead, a day back, ten years back. Age counts
// from what really passed, so nothing expires early, tries do not come in a flood, and none waits for
// a time that is now far away. The scale is 1 to some 300: pauses of 1 to 2 seconds instead of 5 to
// 60 minutes, and the tries of the next seconds instead of those of the next minutes.

import { readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../bench/wait.ts'
import { Receiver } from './receiver.ts'
import { emptied, Load, openRig, startServer } from './rig.ts'
import type { Figure, Torment } from './torment.ts'

const MESSAGES = 80
const STEPS = ['+1d', '-1d', '-10y']
/** The longest pause with its jitter, and time for a busy machine. */
const LONGEST_GAP_MS = 2 * 1.2 * 1000 + 1500

export const clock: Torment = {
  id: 'R14',
  name: 'clock',
  what: 'the wall clock is set by +1 d, -1 d, -10 y while mail waits',
  obstacle: () => (fakeTimeLibrary() === undefined ? 'needs libfaketime' : undefined),
  shortSeconds: 30,
  async run({ full }) {
    const windowMs = full ? 30_000 : 6_000
    const figures = await Promise.all(STEPS.map((step) => setClock(step, windowMs)))
    return figures.flat()
  },
}

async function setClock(step: string, windowMs: number): Promise<readonly Figure[]> {
  await using rig = await openRig('clock')
  await using receiver = await Receiver.start({ port: rig.sinkPort })
  receiver.refusal = '451 4.3.2 come again'
  const tries = new Map<string, number[]>()
  receiver.onRecipient = (address) => {
    const times = tries.get(address) ?? []
    tries.set(address, [...times, performance.now()])
  }
  const offset = join(rig.folder, 'clock')
  const set = (text: string) => {
    writeFileSync(`${offset}.new`, `${text}\n`)
    renameSync(`${offset}.new`, offset)
  }
  set('+0d')
  const server = await startServer(rig, {
    retry: '{ first: 1s, longest: 2s, expire: 12h, delay_notice: 6h }',
    environment: {
      LD_PRELOAD: fakeTimeLibrary()!,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  })
  const load = await Load.start(rig, { messages: MESSAGES })
  const { acknowledged } = await load.end()
  await sleep(3500)
  const before = performance.now()
  await sleep(windowMs)
  const steppedAt = performance.now()
  set(step)
  await sleep(windowMs)
  const after = performance.now()
  const all = [...tries.values()]
  const count = (from: number, to: number) =>
    all.reduce((sum, times) => sum + times.filter((at) => at >= from && at < to).length, 0)
  const longest = Math.max(...all.map((times) => longestGap(times, steppedAt, after)))
  const ratio = Math.round((count(steppedAt, after) / count(before, steppedAt)) * 10) / 10
  receiver.refusal = undefined
  const lost = await receiver.await(acknowledged, 10_000)
  await emptied(rig)
  await server.stop()
  return [
    { what: `${step}: acknowledged`, value: acknowledged.length, atLeast: MESSAGES },
    { what: `${step}: bounces and notices`, value: receiver.notices, atMost: 0 },
    { what: `${step}: tries`, value: ratio, unit: 'times the usual', atMost: 2 },
    {
      what: `${step}: longest wait`,
      value: longest / 1000,
      unit: 's',
      atMost: LONGEST_GAP_MS / 1000,
      isPace: true,
    },
    { what: `${step}: lost`, value: lost.length, atMost: 0 },
    { what: `${step}: came twice`, value: receiver.repeats.length, atMost: 0 },
  ]
}

/** The longest time without a try within the span. */
function longestGap(times: readonly number[], from: number, to: number): number {
  let longest = 0
  let previous = from
  for (const at of [...times.filter((time) => time > from && time < to), to]) {
    longest = Math.max(longest, at - previous)
    previous = at
  }
  return longest
}

/** Where Debian and its like keep it. */
function fakeTimeLibrary(): string | undefined {
  for (const folder of ['/usr/lib', ...foldersIn('/usr/lib')])
    for (const name of namesIn(join(folder, 'faketime')))
      if (name.startsWith('libfaketimeMT.so')) return join(folder, 'faketime', name)
  return undefined
}

const foldersIn = (folder: string) => namesIn(folder).map((name) => join(folder, name))

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
