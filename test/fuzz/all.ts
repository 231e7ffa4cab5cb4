// Everything that is fuzzed, in one call: property tests of every parser, then whole sessions.

import { describeFailure, fuzzParser, type ParserFigures, parsers } from './parsers.ts'
import { fuzzSessions, type SessionFigures } from './sessions.ts'

export type FuzzOptions = {
  /** For each parser; slow ones run a part of it. */
  readonly runs: number
  readonly sessions: number
  readonly seed: number
  /** The number of the first run and of the first session. */
  readonly first?: number
  /** Names of parsers, or `sessions`; everything without it. */
  readonly only?: readonly string[]
  readonly say?: (text: string) => void
}

export type FuzzFigures = {
  readonly parsers: readonly ParserFigures[]
  readonly sessions: SessionFigures | undefined
  /** What failed, each with the way to have it again. */
  readonly failures: readonly string[]
  /** Of the parsers that strangers reach. */
  readonly worstMs: number
  readonly mostHeapGrowthMiB: number
}

export async function fuzzAll(options: FuzzOptions): Promise<FuzzFigures> {
  const { only, say } = options
  const figures: ParserFigures[] = []
  const failures: string[] = []
  for (const parser of parsers) {
    if (only && !only.includes(parser.name)) continue
    const one = await fuzzParser(parser, options)
    figures.push(one)
    say?.(rowOf(one))
    if (!one.failure) continue
    failures.push(describeFailure(one.name, one.failure))
    say?.(failures.at(-1)!)
  }
  const withSessions = options.sessions > 0 && (only?.includes('sessions') ?? true)
  const sessions = withSessions ? await fuzzSessions(options) : undefined
  if (sessions?.failure) failures.push(sessions.failure)
  const growth = figures.map(({ heapGrowthMiB }) => heapGrowthMiB)
  return {
    parsers: figures,
    sessions,
    failures,
    worstMs: Math.max(0, ...figures.map((one) => (one.operator ? 0 : one.worstMs))),
    mostHeapGrowthMiB: Math.max(0, ...growth, sessions?.heapGrowthMiB ?? 0),
  }
}

const HEAD = `${'parser'.padEnd(30)}      runs   seconds  worst ms  at octets    in run  heap MiB`

function rowOf(one: ParserFigures): string {
  const slow = one.worstMs >= 5
  return [
    one.name.padEnd(30),
    one.runs.toLocaleString('en').padStart(10),
    one.seconds.toFixed(1).padStart(10),
    (slow ? one.worstMs.toFixed(1) : '< 5').padStart(10),
    (slow ? one.worstOctets.toLocaleString('en') : '').padStart(11),
    (slow ? String(one.worstRun) : '').padStart(10),
    one.heapGrowthMiB.toFixed(1).padStart(10),
  ].join('')
}

/** What was counted, for people. */
export function tableOf({ parsers: rows, sessions, failures }: FuzzFigures): string {
  const lines = rows.length > 0 ? [HEAD, ...rows.map(rowOf)] : []
  if (sessions) {
    const { seconds, replies, messages, repeated, handshakes, heapGrowthMiB } = sessions
    lines.push(
      `${sessions.sessions.toLocaleString('en')} sessions in ${seconds.toFixed(0)} s: ${replies.toLocaleString('en')} replies, ` +
        `${messages.toLocaleString('en')} messages, ${handshakes.toLocaleString('en')} TLS handshakes, ` +
        `${repeated.toLocaleString('en')} repeated in other segments, heap ${heapGrowthMiB.toFixed(1)} MiB`,
    )
  }
  lines.push(failures.length === 0 ? 'nothing failed' : `${failures.length} failed`)
  return lines.join('\n')
}
