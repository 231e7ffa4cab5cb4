// Runs torments and puts their figures into a table.

import Table from 'cli-table3'
import { type Figure, goalOf, isMet, measuredOf, seeded, type Torment } from './torment.ts'

export type Outcome = {
  readonly id: string
  readonly name: string
  readonly figures: readonly Figure[]
  /** Why it was not done. */
  readonly skipped?: string
  /** It broke instead of ending. */
  readonly error?: string
  readonly seconds: number
  readonly full: boolean
  /** True also for what was skipped; in the short form whatever the pace. */
  readonly met: boolean
}

export type RunOptions = {
  readonly full: boolean
  readonly seed: number
  readonly say: (text: string) => void
  /** Called after each torment with all outcomes so far: a long run that is ended early keeps them. */
  readonly onOutcome?: (outcomes: readonly Outcome[]) => void
}

export async function runOne(torment: Torment, options: RunOptions): Promise<Outcome> {
  const { id, name, what } = torment
  const { full, seed, say } = options
  const skipped = torment.obstacle?.()
  if (skipped !== undefined) return { id, name, figures: [], skipped, seconds: 0, full, met: true }
  say(`${id} ${name}: ${what}`)
  const startedAt = performance.now()
  const seconds = () => Math.round((performance.now() - startedAt) / 100) / 10
  try {
    const figures = await torment.run({
      full,
      random: seeded(seed),
      say: (text) => say(`  ${text}`),
    })
    const insisted = figures.filter(({ isPace }) => full || !isPace)
    return { id, name, figures, seconds: seconds(), full, met: insisted.every(isMet) }
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { id, name, figures: [], error: text, seconds: seconds(), full, met: false }
  }
}

export async function runAll(
  torments: readonly Torment[],
  options: RunOptions,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const torment of torments) {
    const outcome = await runOne(torment, options)
    outcomes.push(outcome)
    for (const figure of outcome.figures) options.say(`  ${lineOf(figure, options.full)}`)
    options.onOutcome?.(outcomes)
  }
  return outcomes
}

/** The table, and below it what broke. */
export function report(outcomes: readonly Outcome[]): string {
  const table = new Table({
    head: ['id', 'torment', 'figure', 'measured', 'goal', ''],
    style: { head: [], border: [], compact: true },
  })
  for (const { id, name, figures, skipped, error, seconds, full } of outcomes) {
    if (skipped !== undefined) table.push([id, name, '', '', '', `skipped: ${skipped}`])
    if (error !== undefined) table.push([id, name, '', '', '', 'broke'])
    for (const [i, figure] of figures.entries())
      table.push([
        i === 0 ? id : '',
        i === 0 ? name : '',
        figure.what,
        { content: measuredOf(figure), hAlign: 'right' },
        goalOf(figure),
        verdictOf(figure, full),
      ])
    if (figures.length > 0) table.push(['', '', `took ${seconds} s`, '', '', ''])
  }
  const broken = outcomes.filter(({ error }) => error !== undefined)
  return [table.toString(), ...broken.map(({ id, error }) => `${id}: ${error}`)].join('\n')
}

function lineOf(figure: Figure, full: boolean): string {
  return [figure.what, measuredOf(figure), goalOf(figure), verdictOf(figure, full)]
    .filter((part) => part !== '')
    .join(' · ')
}

function verdictOf(figure: Figure, full: boolean): string {
  if (figure.atMost === undefined && figure.atLeast === undefined) return ''
  if (isMet(figure)) return 'met'
  return figure.isPace && !full ? 'missed; counts with --full' : 'NOT MET'
}
