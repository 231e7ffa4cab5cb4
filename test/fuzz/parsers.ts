// Property tests of every parser over inputs that a stranger might send. A run follows from its seed
// and number alone, so that a failure can be had again at once:
// `node test/fuzz/main.ts --only NAME --seed N --first RUN --runs 1`.

import { Dice, seedOf } from './dice.ts'
import { collectGarbage } from './heap.ts'
import { mailParsers } from './mail-parsers.ts'
import { octetParsers } from './octet-parsers.ts'
import { inputFor, type Larder, LONGEST, larderOf, repeated, shrunk } from './octets.ts'
import { outerParsers } from './outer-parsers.ts'
import { policyParsers } from './policy-parsers.ts'
import { proxyParsers } from './proxy-parsers.ts'
import type { Target } from './target.ts'

export const parsers: readonly Target[] = [
  ...mailParsers,
  ...octetParsers,
  ...outerParsers,
  ...policyParsers,
  ...proxyParsers,
]

export type ParserFailure = {
  readonly run: number
  readonly seed: number
  readonly why: string
  /** The smallest input found that fails, as a JSON text of octets. */
  readonly input: string
}

export type ParserFigures = {
  readonly name: string
  readonly runs: number
  readonly seconds: number
  /** Processor time of the slowest call, the best of several repetitions. */
  readonly worstMs: number
  readonly worstOctets: number
  readonly worstRun: number
  readonly operator: boolean
  /** What is held after all runs and was not before, after a collection of garbage. */
  readonly heapGrowthMiB: number
  readonly failure?: ParserFailure
}

export type ParserOptions = {
  readonly runs: number
  readonly seed: number
  /** The number of the first run. */
  readonly first?: number
}

const SLOW_MS = 5
const REPETITIONS = 4
const BREATH_EVERY = 2_000

/** Feeds one parser; stops at the first broken promise. */
export async function fuzzParser(target: Target, options: ParserOptions): Promise<ParserFigures> {
  const { seed, first = 0 } = options
  const larder = larderOf(target)
  const runs = Math.max(1, Math.round(options.runs * (target.share ?? 1)))
  const startedAt = performance.now()
  const warm = Math.min(1_000, runs)
  let heapBefore = 0
  let worst = { ms: 0, octets: 0, run: 0 }
  let failure: ParserFailure | undefined
  let done = 0
  for (; done < runs && !failure; done++) {
    if (done === warm) heapBefore = collectGarbage()
    if (done % BREATH_EVERY === 0) await new Promise(setImmediate)
    const one = runOf(target, larder, seedOf(seed, target.name, first + done))
    const since = performance.now()
    const error = await faultOf(target, one)
    const ms = performance.now() - since
    if (error) failure = await describe(target, one, { error, seed, run: first + done })
    else if (ms > Math.max(SLOW_MS, worst.ms)) {
      const best = await bestOf(target, one)
      if (best > worst.ms) worst = { ms: best, octets: one.octets.length, run: first + done }
    }
  }
  return {
    name: target.name,
    runs: done,
    seconds: (performance.now() - startedAt) / 1000,
    worstMs: worst.ms,
    worstOctets: worst.octets,
    worstRun: worst.run,
    operator: target.operator === true,
    heapGrowthMiB: heapBefore === 0 ? 0 : (collectGarbage() - heapBefore) / 2 ** 20,
    ...(failure ? { failure } : {}),
  }
}

/** One input, and the seed of what else varies with it. */
type Run = { readonly octets: Buffer; readonly salt: number }

function runOf(target: Target, larder: Larder, seed: number): Run {
  const dice = new Dice(seed)
  const octets = target.samples.length > 0 ? inputFor(dice, larder) : Buffer.alloc(0)
  return { octets, salt: dice.next() }
}

async function faultOf(target: Target, { octets, salt }: Run): Promise<unknown> {
  try {
    const busy = target.check(octets, new Dice(salt))
    if (busy !== undefined) await busy
    return undefined
  } catch (error) {
    return error ?? new Error('nothing was thrown')
  }
}

/** The processor time of this thread that one call takes at its best: what else the machine does is left out. */
async function bestOf(target: Target, run: Run): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < REPETITIONS; i++) {
    const { user, system } = process.threadCpuUsage()
    await faultOf(target, run)
    const spent = process.threadCpuUsage()
    best = Math.min(best, (spent.user + spent.system - user - system) / 1000)
  }
  return best
}

async function describe(
  target: Target,
  { octets, salt }: Run,
  { error, seed, run }: { error: unknown; seed: number; run: number },
): Promise<ParserFailure> {
  const input = await shrunk(octets, async (smaller) =>
    Boolean(await faultOf(target, { octets: smaller, salt })),
  )
  const last = (await faultOf(target, { octets: input, salt })) ?? error
  return {
    run,
    seed,
    why: last instanceof Error ? (last.stack ?? last.message) : String(last),
    input: JSON.stringify(input.toString('latin1').slice(0, 600)),
  }
}

/** What a failure says, with the way to have it again. */
export function describeFailure(name: string, { run, seed, why, input }: ParserFailure): string {
  return (
    `${name}: run ${run} of seed ${seed} fails with ${input}\n${why}\n` +
    `again: node test/fuzz/main.ts --only '${name}' --seed ${seed} --first ${run} --runs 1`
  )
}

const SHORT = LONGEST / 4
const TOLERABLE_MS = 100
const TOLERABLE_GROWTH = 10

/**
 * Looks for work that grows faster than the input: the same piece repeated to a quarter of the
 * longest input and to all of it. Returns what grew too fast; small times prove nothing and are let go.
 */
export async function growthOf(
  target: Target,
  options: { seed: number; tries: number },
): Promise<string[]> {
  const larder = larderOf(target)
  const faults: string[] = []
  for (let i = 0; i < options.tries; i++) {
    const seed = seedOf(options.seed, `${target.name} growth`, i)
    const make = (length: number): Run => {
      const dice = new Dice(seed)
      const octets = repeated(dice, larder, length).subarray(0, length)
      return { octets, salt: seed }
    }
    const long = make(LONGEST)
    const longMs = await bestOf(target, long)
    if (longMs < TOLERABLE_MS) continue
    const shortMs = await bestOf(target, make(SHORT))
    if (longMs > shortMs * TOLERABLE_GROWTH) {
      const shown = JSON.stringify(long.octets.toString('latin1', 0, 80))
      faults.push(`${shown}…: ${shortMs.toFixed(1)} ms became ${longMs.toFixed(1)} ms`)
    }
  }
  return faults
}
