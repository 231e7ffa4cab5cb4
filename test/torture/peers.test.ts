import { startTls } from './glued.ts'
import { dnsFaults } from './names.ts'
import { hostilePeers } from './peers.ts'
import { relaying } from './relay.ts'
import { testShortForms } from './short.ts'
import { smuggling } from './smuggling.ts'

testShortForms([hostilePeers, dnsFaults, smuggling, startTls, relaying])
