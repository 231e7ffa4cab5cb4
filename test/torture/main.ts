// npm run torture -- [NAME …] [--full] [--seed N] [--json FILE]
//
// Runs the torments that are named (`R1`, `kill`; all by default) one after another and prints what
// was measured beside what is wanted. Ends with 1 when a goal is missed or a torment broke.

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { torments } from './registry.ts'
import { type Outcome, report, runAll } from './report.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const wanted = positionals.map((name) => name.toLowerCase())
const chosen = torments.filter(
  ({ id, name }) =>
    wanted.length === 0 || wanted.includes(id.toLowerCase()) || wanted.includes(name),
)

if (values.help || chosen.length === 0) {
  process.stdout.write('npm run torture -- [NAME …] [--full] [--seed N] [--json FILE]\n\n')
  for (const { id, name, what } of torments)
    process.stdout.write(`${id.padEnd(4)} ${name.padEnd(14)} ${what}\n`)
  process.exit(values.help ? 0 : 2)
}

// A signal must not keep what is mounted or started from being undone.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const say = (text: string) => void process.stderr.write(`${text}\n`)
const onOutcome = (outcomes: readonly Outcome[]) => {
  if (values.json) writeFileSync(values.json, `${JSON.stringify(outcomes, null, 2)}\n`)
}
const { full } = values
const outcomes = await runAll(chosen, { full, seed: Number(values.seed), say, onOutcome })
process.stdout.write(`${report(outcomes)}\n`)
process.exitCode = outcomes.every(({ met }) => met) ? 0 : 1
