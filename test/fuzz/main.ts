// node test/fuzz/main.ts [--runs N] [--sessions N] [--seed N] [--first N] [--only NAME]
//
// The full form of the fuzz tests. Prints what was counted; ends with 1 when something failed.

import { parseArgs } from 'node:util'
import { fuzzAll, tableOf } from './all.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    sessions: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    only: { type: 'string' },
  },
})

const figures = await fuzzAll({
  runs: Number(values.runs),
  sessions: Number(values.sessions),
  seed: Number(values.seed),
  first: Number(values.first),
  ...(values.only === undefined ? {} : { only: values.only }),
  say: (text) => void process.stderr.write(`${text}\n`),
})
process.stdout.write(`${tableOf(figures)}\n`)
for (const failure of figures.failures) process.stdout.write(`\n${failure}\n`)
process.exitCode = figures.failures.length === 0 ? 0 : 1
