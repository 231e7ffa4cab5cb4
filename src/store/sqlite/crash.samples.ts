// Run by tests as a process of its own: commits as fast as it can and says which messages are
// durable (`ok id`) and which failed (`no name`), until it is killed or has made as many as asked.
// With `half` it kills itself in the middle of a message's content.

import { systemClock } from '../../std/clock.ts'
import { silentLog } from '../../std/log.ts'
import { sample } from '../store.samples.ts'
import { openStore } from './open.ts'

const [folder, producers = '20', most = '1000000'] = process.argv.slice(2)
const store = await openStore({ folder: folder!, clock: systemClock, log: silentLog })
let made = 0

async function produce(): Promise<void> {
  while (made < Number(most)) {
    made++
    const message = sample(store)
    const content = Buffer.from(`content of ${message.message.id}\r\n`.repeat(50))
    try {
      await store.commit({ ...message, rows: [content] })
      process.stdout.write(`ok ${message.message.id}\n`)
    } catch (error) {
      process.stdout.write(`no ${(error as Error).name}\n`)
    }
  }
}

if (producers === 'half') {
  const message = store.nextMessageId()
  for (const row of [0, 1]) await store.putContent(message, row, Buffer.alloc(1000))
  process.kill(process.pid, 'SIGKILL')
}

await Promise.all(Array.from({ length: Number(producers) }, produce))
await store[Symbol.asyncDispose]()
