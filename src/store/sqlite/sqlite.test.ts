import { systemClock } from '../../std/clock.ts'
import { silentLog } from '../../std/log.ts'
import { storeContract } from '../store.contract.ts'
import { openStore } from './open.ts'

storeContract('sqlite', (folder, clock = systemClock) =>
  openStore({ folder, clock, log: silentLog }),
)
