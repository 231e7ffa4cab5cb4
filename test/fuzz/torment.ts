// R11, R15 to R17: bad inputs as a torment. 50,000 runs a parser and 5,000 sessions, or all of it.

import type { Torment } from '../torture/torment.ts'
import { fuzzAll, tableOf } from './all.ts'

export const fuzz: Torment = {
  id: 'R11',
  name: 'fuzz',
  what: 'every parser with any octets, and SMTP sessions of any commands in any segments',
  shortSeconds: 240,
  async run({ full, random, say }) {
    const seed = Math.floor(random() * 2 ** 31)
    const runs = full ? 1_000_000 : 50_000
    const sessions = full ? 200_000 : 5_000
    const figures = await fuzzAll({ runs, sessions, seed, say })
    say(tableOf(figures))
    for (const failure of figures.failures) say(failure)
    const { parsers, failures, worstMs, mostHeapGrowthMiB } = figures
    return [
      { what: 'parsers', value: parsers.length, atLeast: 15 },
      { what: 'runs', value: parsers.reduce((sum, one) => sum + one.runs, 0) },
      { what: 'sessions', value: figures.sessions?.sessions ?? 0, atLeast: sessions },
      { what: 'parsers and sessions that failed', value: failures.length, atMost: 0 },
      { what: 'slowest call at up to 64 KiB', value: worstMs, unit: 'ms', atMost: 50 },
      { what: 'most growth of the heap', value: mostHeapGrowthMiB, unit: 'MiB', atMost: 100 },
    ]
  },
}
