import { floods } from './floods.ts'
import { idleConnections } from './idle.ts'
import { isolation } from './isolation.ts'
import { largeQueue } from './large.ts'
import { overload } from './overload.ts'
import { testShortForms } from './short.ts'
import { slowClients } from './slow.ts'
import { soak } from './soak.ts'

testShortForms([idleConnections, slowClients, floods, overload, isolation, largeQueue, soak])
