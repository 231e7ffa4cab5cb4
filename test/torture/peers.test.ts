import { startTls } from './glued.ts'
import { dnsFaults } from './names.ts'
import { hostilePeers } from './peers.ts'
import { relaying } from './relay.ts'
import { testShortForms } from './short.ts'

testShortForms([hostilePeers, dnsFaults, startTls, relaying])
