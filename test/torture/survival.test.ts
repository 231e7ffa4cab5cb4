import { fullDisk } from './full-disk.ts'
import { kill } from './kill.ts'
import { restart } from './restart.ts'
import { testShortForms } from './short.ts'
import { shutdown } from './shutdown.ts'

testShortForms([kill, restart, shutdown, fullDisk])
