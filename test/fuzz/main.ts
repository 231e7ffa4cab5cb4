// The full form of the fuzz tests. Prints what was counted; ends with 1 when something failed.

import { parseArgs } from 'node:util'
import { fuzzAll, tableOf } from './all.ts'

const HELP = `node test/fuzz/main.ts [options]

  --runs N       inputs for each parser (1,000,000); fewer where they are dear
  --sessions N   whole SMTP sessions (200,000)
  --seed N       the same seed makes the same inputs (1)
  --first N      begin with this input or session: what a finding names
  --only NAME    parsers, comma-separated, or 'sessions'
`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    runs: { type: 'string', default: '1000000' },
    sessions: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    only: { type: 'string' },
  },
})

if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}

const figures = await fuzzAll({
  runs: Number(values.runs),
  sessions: Number(values.sessions),
  seed: Number(values.seed),
  first: Number(values.first),
  ...(values.only !== undefined && { only: values.only.split(',') }),
  say: (text) => void process.stderr.write(`${text}\n`),
})
process.stdout.write(`${tableOf(figures)}\n`)
for (const failure of figures.failures) process.stdout.write(`\n${failure}\n`)
process.exitCode = figures.failures.length === 0 ? 0 : 1
