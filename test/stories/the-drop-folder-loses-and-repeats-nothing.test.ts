// Mail that was left for the server: over kills in the middle of taking it, and with the rights of
// the users who left it.

import assert from 'node:assert/strict'
import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { PosthornProcess, startHere, writeSettings } from '../support/posthorn.ts'
import { callSendmail } from '../support/sendmail.ts'
import { run, temporaryFolder, until } from '../support/tools.ts'

const fileOf = (subject: string, from: string): string => {
  const content = `From: ${from}\nSubject: ${subject}\n\nhi\n`
  const head = `MAIL FROM:<${from}>\nRCPT TO:<a@example.com>\n`
  return `${head}DATA ${content.length}\n${content}`
}

it('each message is taken once, however often the server is killed', async () => {
  using folder = temporaryFolder()
  const drop = join(folder.path, 'data/sendmail/drop')
  writeSettings(folder.path, { log: { format: 'json' } })
  mkdirSync(drop, { recursive: true })
  const subjects = Array.from({ length: 120 }, (_, i) => `letter ${i}`)
  for (const [i, subject] of subjects.entries())
    writeFileSync(join(drop, `f${i}`), fileOf(subject, 'a@sender.example'))
  const accepted: string[] = []
  for (const ms of [10, 60]) {
    const server = await PosthornProcess.start({ folder: folder.path })
    await pause(ms)
    await server.end('SIGKILL')
  }
  await using server = await PosthornProcess.start({ folder: folder.path })
  const { messages } = await until(async () => {
    const all = await server.captured()
    const seen = new Set(all.map(({ subject }) => subject))
    return seen.size === subjects.length && { messages: all }
  }, 'all are captured')
  await server.emptyQueue()
  // A delivery may be repeated after a kill, and then it is the same message, by its Message-ID.
  for (const { id } of messages) {
    const [, subject = ''] = /^Subject: (.*)\r$/m.exec(await server.raw(id)) ?? []
    const [, messageId = ''] = /^Message-ID: (.*)\r$/im.exec(await server.raw(id)) ?? []
    const key = `${subject} ${messageId}`
    if (!accepted.includes(key)) accepted.push(key)
  }
  assert.equal(accepted.length, subjects.length)
})

const notRoot = process.getuid!() === 0 ? false : 'needs root'

it('a user sends only as what it may', { skip: notRoot }, async () => {
  await using posthorn = await startHere({
    networks: [],
    sendmail: { others: false, users: { 'www-data': { domains: ['shop.example'] }, 0: {} } },
  })
  const drop = join(posthorn.data, 'sendmail/drop')
  const leave = (name: string, uid: number, from: string) => {
    const path = join(drop, `${name}.new`)
    writeFileSync(path, fileOf(name, from))
    chownSync(path, uid, uid)
    return run('mv', [path, join(drop, name)])
  }
  await leave('own', 33, 'orders@shop.example')
  await leave('foreign', 33, 'boss@bank.example')
  await leave('nobody', 65534, 'orders@shop.example')
  await leave('root', 0, 'boss@bank.example')
  await posthorn.capture('own')
  await posthorn.capture('root')
  const aside = await until(() => {
    const lines = posthorn.log('mail of the drop folder cannot be sent and is set aside')
    return lines.length === 2 && lines.map(({ reason }) => String(reason))
  }, 'two are set aside')
  assert.match(aside.join('\n'), /550 5\.7\.1 You may not send as boss@bank\.example/)
  assert.match(aside.join('\n'), /user 65534 may not send mail through this folder/)
  assert.equal((await posthorn.captured()).length, 2)

  const left = await callSendmail('sendmail', ['-f', 'root@bank.example', 'a@example.com'], {
    data: posthorn.data,
    input: 'Subject: through the folder\n\nhi\n',
  })
  assert.deepEqual(left, { code: 0, out: '', err: '' })
  assert.match(
    await posthorn.raw((await posthorn.capture('through the folder')).id),
    /with\s+local/,
  )
})

it('mailq prints what scripts read', async () => {
  await using posthorn = await startHere()
  const mailq = () => callSendmail('mailq', [], { data: posthorn.data })
  assert.deepEqual(await mailq(), { code: 0, out: 'Mail queue is empty\n', err: '' })
  const words = ['-f', 'ann@example.com', 'full@example.com', 'full@example.org']
  const sent = await callSendmail('sendmail', words, { data: posthorn.data, input: '\nhi\n' })
  assert.equal(sent.code, 0, sent.err)
  await until(async () => (await posthorn.queue()).every((one) => one.attempts > 0), 'both tried')
  const { code, out } = await mailq()
  assert.equal(code, 0)
  const [heading, first, why, to, ...rest] = out.split('\n')
  assert.equal(heading, '-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------')
  assert.match(
    first!,
    /^[0-9A-Z]{11} {2,}\d+ +\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d {2}ann@example\.com$/,
  )
  assert.match(why!, /^ *\(.*452 4\.2\.2 .*\)$/)
  assert.equal(to, `${' '.repeat(41)}full@example.com`)
  assert.equal(rest.at(-2), '-- 0 Kbytes in 1 Request.')
})
