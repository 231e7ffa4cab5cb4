// All torments, in the order of the report. A new one is a line here.

import { kill } from './kill.ts'
import { powerCut } from './powercut.ts'
import type { Torment } from './torment.ts'

export const torments: readonly Torment[] = [kill, powerCut]
