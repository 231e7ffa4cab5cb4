// node bench/logins.ts [SECONDS]: logins alone, and then authenticated submissions, each over a connection
// of its own, with a password that is kept as argon2id. Prints how many a second (client, server and the
// sandbox's receiver share one process), and how many slow hashes they cost in all: one.

import { once } from 'node:events'
import { connect } from 'node:net'
import { startHere } from '../test/support/posthorn.ts'

const SECONDS = Number(process.argv[2] ?? 5)
const CLIENTS = 20
const PASSWORD = 'a password that somebody chose'
const AUTH = Buffer.from(`\0app\0${PASSWORD}`).toString('base64')
const MESSAGE = `Subject: bench\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(70)}.\r\n`

/** Each is said when the answer before it has come; what follows is the code of its own answer. */
const DIALOGUE: readonly (readonly [says: string, answer: string])[] = [
  ['', '220'],
  ['EHLO bench.example\r\n', '250'],
  [`AUTH PLAIN ${AUTH}\r\n`, '235'],
  ['MAIL FROM:<a@shop.test>\r\nRCPT TO:<b@kunde.test>\r\nDATA\r\n', '354'],
  [MESSAGE, '250'],
  ['QUIT\r\n', '221'],
]

await using posthorn = await startHere()
await posthorn.ask('/api/v1/credentials', 'POST', { name: 'app', password: PASSWORD })
await phase('logins', [...DIALOGUE.slice(0, 3), DIALOGUE.at(-1)!])
await phase('authenticated submissions', DIALOGUE)
const hashes = await metric('posthorn_password_hashes_total')
process.stdout.write(`${hashes} slow hashes in all\n`)
process.exitCode = hashes > 1 ? 1 : 0

async function phase(what: string, dialogue: typeof DIALOGUE): Promise<void> {
  const startedAt = performance.now()
  let count = 0
  const client = async () => {
    for (; performance.now() < startedAt + SECONDS * 1_000; count++) await submit(dialogue)
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  const rate = Math.round(count / ((performance.now() - startedAt) / 1_000))
  process.stdout.write(`${count} ${what}, ${rate} a second\n`)
}

async function submit(dialogue: typeof DIALOGUE): Promise<void> {
  const socket = connect(posthorn.port, '127.0.0.1').setNoDelay(true).setEncoding('latin1')
  for (const [says, answer] of dialogue) {
    if (says !== '') socket.write(says)
    let heard = ''
    while (!new RegExp(`^${answer} .*\r\n$`, 'm').test(heard)) {
      const [chunk] = (await once(socket, 'data')) as [string]
      heard += chunk
      if (/^[45]/m.test(heard)) throw new Error(heard)
    }
  }
  socket.destroy()
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${posthorn.http}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1])
}
