import { badSync } from './bad-sync.ts'
import { clock } from './clock.ts'
import { damage } from './damage.ts'
import { powerCut } from './powercut.ts'
import { testShortForms } from './short.ts'

testShortForms([powerCut, badSync, damage, clock])
