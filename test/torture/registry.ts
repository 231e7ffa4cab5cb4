// All torments, in the order of the report. A new one is a line here.

import { fuzz } from '../fuzz/torment.ts'
import { badSync } from './bad-sync.ts'
import { clock } from './clock.ts'
import { damage } from './damage.ts'
import { floods } from './floods.ts'
import { fullDisk } from './full-disk.ts'
import { startTls } from './glued.ts'
import { idleConnections } from './idle.ts'
import { isolation } from './isolation.ts'
import { kill } from './kill.ts'
import { largeQueue } from './large.ts'
import { dnsFaults } from './names.ts'
import { overload } from './overload.ts'
import { hostilePeers } from './peers.ts'
import { powerCut } from './powercut.ts'
import { relaying } from './relay.ts'
import { restart } from './restart.ts'
import { shutdown } from './shutdown.ts'
import { slowClients } from './slow.ts'
import { smuggling } from './smuggling.ts'
import { soak } from './soak.ts'
import type { Torment } from './torment.ts'

export const torments: readonly Torment[] = [
  kill,
  powerCut,
  restart,
  fullDisk,
  badSync,
  damage,
  idleConnections,
  slowClients,
  largeQueue,
  soak,
  fuzz,
  hostilePeers,
  dnsFaults,
  clock,
  smuggling,
  startTls,
  floods,
  relaying,
  shutdown,
  overload,
  isolation,
]
