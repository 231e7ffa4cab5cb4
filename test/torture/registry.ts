// All torments, in the order of the report. A new one is a line here.

import { badSync } from './bad-sync.ts'
import { clock } from './clock.ts'
import { damage } from './damage.ts'
import { fullDisk } from './full-disk.ts'
import { kill } from './kill.ts'
import { powerCut } from './powercut.ts'
import { restart } from './restart.ts'
import { shutdown } from './shutdown.ts'
import type { Torment } from './torment.ts'

export const torments: readonly Torment[] = [
  kill,
  powerCut,
  restart,
  fullDisk,
  badSync,
  damage,
  clock,
  shutdown,
]
