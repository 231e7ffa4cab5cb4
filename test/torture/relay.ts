// R18: nobody relays without rights, by any trick on any port; and passwords cannot be guessed.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../bench/wait.ts'
import { testCertificate, testKey } from '../support/certificate.ts'
import { Caller } from './caller.ts'
import { friend, type House, openHouse } from './house.ts'
import { direct, freePort, makeFolder, nameServer } from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

/** An hour of the program in little more than half a minute: failed passwords cost it seconds. */
const SPEED = 100
/** In no trusted network. */
const STRANGER = '127.0.0.66'
const TRUSTED = '127.0.0.1'
const PORTS = ['smtp', 'submission', 'submissions'] as const
type Port = (typeof PORTS)[number]

const FROM = 'MAIL FROM:<sender@sender.example>'
const TO = 'RCPT TO:<victim@recipient.example>'
const CONTENT = 'From: <sender@sender.example>\r\nSubject: relayed\r\n\r\nrelayed\r\n.'

/** Lines of one session, sent one after another or, when glued, at once. */
type Trick = { readonly what: string; readonly lines: readonly string[]; readonly glued?: boolean }

const send = (from: string, to: string): readonly string[] => [from, to, 'DATA', CONTENT]
const base64 = (text: string) => Buffer.from(text).toString('base64')
const WRONG = `AUTH PLAIN ${base64('\u0000app\u0000wrong')}`

const RECIPIENTS: Readonly<Record<string, string>> = {
  plain: TO,
  'source route': 'RCPT TO:<@sender.example:victim@recipient.example>',
  'two hops': 'RCPT TO:<@sender.example,@mail.sender.example:victim@recipient.example>',
  percent: 'RCPT TO:<victim%recipient.example@sender.example>',
  'percent at us': 'RCPT TO:<victim%recipient.example@mail.sender.example>',
  quoted: 'RCPT TO:<"victim@recipient.example"@sender.example>',
  'quoted, at us': 'RCPT TO:<"victim@recipient.example"@mail.sender.example>',
  'bang path': 'RCPT TO:<recipient.example!victim@sender.example>',
  'no brackets': 'RCPT TO:victim@recipient.example',
  'two at signs': 'RCPT TO:<victim@recipient.example@sender.example>',
  literal: 'RCPT TO:<victim@[127.0.0.1]>',
  'at our literal': 'RCPT TO:<victim%recipient.example@[127.0.0.1]>',
  postmaster: 'RCPT TO:<postmaster>',
  'quoted whole': 'RCPT TO:<"victim@recipient.example">',
  'with a NUL': 'RCPT TO:<victim@recipient.example\u0000@sender.example>',
  'with a line feed': 'RCPT TO:<victim@recipient.example\n>',
}

const SENDERS: Readonly<Record<string, string>> = {
  empty: 'MAIL FROM:<>',
  ours: 'MAIL FROM:<postmaster@mail.sender.example>',
  'the machine itself': 'MAIL FROM:<root@localhost>',
  literal: 'MAIL FROM:<sender@[127.0.0.1]>',
  'with AUTH': 'MAIL FROM:<sender@sender.example> AUTH=<sender@sender.example>',
  'with AUTH=<>': 'MAIL FROM:<sender@sender.example> AUTH=<>',
  'source route': 'MAIL FROM:<@mail.sender.example:sender@sender.example>',
  'no brackets': 'MAIL FROM:sender@sender.example',
}

const TRICKS: readonly Trick[] = [
  ...Object.entries(RECIPIENTS).map(([what, to]) => ({ what: `to ${what}`, lines: send(FROM, to) })),
  ...Object.entries(SENDERS).map(([what, from]) => ({ what: `from ${what}`, lines: send(from, TO) })),
  { what: 'glued commands', glued: true, lines: send(FROM, TO) },
  { what: 'commands glued to EHLO', glued: true, lines: ['EHLO again.example', ...send(FROM, TO)] },
  { what: 'without EHLO again', lines: ['RSET', ...send(FROM, TO)] },
  { what: 'HELO instead', lines: ['HELO localhost', ...send(FROM, TO)] },
  { what: 'EHLO as a trusted address', lines: [`EHLO [${TRUSTED}]`, ...send(FROM, TO)] },
  { what: 'EHLO as ourselves', lines: ['EHLO mail.sender.example', ...send(FROM, TO)] },
  { what: 'a wrong password, then RSET', lines: [WRONG, 'RSET', ...send(FROM, TO)] },
  { what: 'AUTH given up, then RSET', lines: ['AUTH PLAIN', '*', 'RSET', ...send(FROM, TO)] },
  { what: 'AUTH and commands glued', glued: true, lines: ['AUTH PLAIN', '*', ...send(FROM, TO)] },
  { what: 'no such mechanism', lines: ['AUTH EXTERNAL =', ...send(FROM, TO)] },
  { what: 'AUTH ANONYMOUS', lines: [`AUTH ANONYMOUS ${base64('me')}`, ...send(FROM, TO)] },
  { what: 'an empty password', lines: [`AUTH PLAIN ${base64('\u0000app\u0000')}`, ...send(FROM, TO)] },
  { what: 'as another', lines: [`AUTH PLAIN ${base64('root\u0000app\u0000x')}`, ...send(FROM, TO)] },
  { what: 'no such name', lines: [`AUTH PLAIN ${base64('\u0000__proto__\u0000x')}`, ...send(FROM, TO)] },
  { what: 'AUTH LOGIN, empty', lines: ['AUTH LOGIN', '=', '=', ...send(FROM, TO)] },
  { what: 'DATA without more', lines: ['DATA', CONTENT] },
  { what: 'RCPT without MAIL', lines: [TO, 'DATA', CONTENT] },
  { what: 'BDAT', glued: true, lines: [FROM, TO, 'BDAT 9 LAST', 'relayed'] },
  { what: 'VRFY, EXPN, ETRN, TURN', lines: ['VRFY victim', 'EXPN all', 'ETRN recipient.example', 'TURN', ...send(FROM, TO)] },
  { what: 'XCLIENT', lines: [`XCLIENT ADDR=${TRUSTED} LOGIN=app`, ...send(FROM, TO)] },
  { what: 'XFORWARD', lines: [`XFORWARD ADDR=${TRUSTED}`, ...send(FROM, TO)] },
  { what: 'PROXY', lines: [`PROXY TCP4 ${TRUSTED} ${TRUSTED} 1 25`, ...send(FROM, TO)] },
  { what: 'HTTP', glued: true, lines: ['POST / HTTP/1.1', 'Host: x', '', ...send(FROM, TO)] },
] // biome-ignore format: a table

export const relaying: Torment = {
  id: 'R18',
  name: 'relaying',
  what: 'every classic trick to relay without rights on every port, and guessing of passwords',
  shortSeconds: 30,
  async run(circumstances) {
    await using parts = new AsyncDisposableStack()
    const { folder, remove } = makeFolder('relay')
    parts.defer(remove)
    writeFileSync(join(folder, 'tls.pem'), testCertificate)
    writeFileSync(join(folder, 'tls.key'), testKey)
    const port = await freePort()
    const victim = parts.use(await friend('127.0.0.1', port))
    const dns = parts.use(await nameServer({ hosts: { example: '127.0.0.1' } }))
    const house = parts.use(
      await openHouse(
        `smtp: { port: 0 }
listeners:
  submission: { address: 127.0.0.1, port: 0, tls: starttls, auth: required }
  submissions: { address: 127.0.0.1, port: 0, tls: implicit, auth: required }
networks: ['${TRUSTED}/32']
tls: { certificate: '${join(folder, 'tls.pem')}', key: '${join(folder, 'tls.key')}' }
${direct(dns, port)}`,
        SPEED,
      ),
    )
    return [
      ...(await tricks(house, circumstances)),
      { what: 'calls to the victim', value: victim.connections, atMost: 0 },
      ...(await guesses(house, circumstances)),
      ...(await rightful(house)),
      { what: 'mail of the rightful', value: victim.messages.length, atLeast: 2 },
    ]
  },
}

/** A session of a stranger, over TLS where the port has it. */
async function enter(house: House, port: Port, from: string): Promise<Caller> {
  const caller = Caller.call({ port: house.port(port), from, tls: port === 'submissions' })
  if ((await caller.code()) !== 220) return caller
  await caller.ask('EHLO stranger.example')
  if (port === 'submission' && (await caller.ask('STARTTLS')) === 220) {
    await caller.secure()
    await caller.ask('EHLO stranger.example')
  }
  return caller
}

async function tricks(house: House, { say }: Circumstances): Promise<readonly Figure[]> {
  let tried = 0
  let taken = 0
  for (const port of PORTS)
    for (const [n, { what, lines, glued }] of TRICKS.entries()) {
      // Another stranger each time, or the limit of wrong passwords would do the work.
      const caller = await enter(house, port, `127.0.7.${n + 1}`)
      tried++
      const replies: string[] = []
      if (glued) {
        caller.write(`${lines.join('\r\n')}\r\n`)
        for (let i = 0; i < lines.length; i++) {
          const reply = await Promise.race([caller.reply(), sleep(300).then(() => '')])
          if (reply !== '') replies.push(reply)
        }
      } else
        for (const line of lines) {
          if (caller.closed) break
          caller.write(`${line}\r\n`)
          replies.push(await Promise.race([caller.reply(), sleep(2_000).then(() => '')]))
        }
      const reply = replies.find((text) => /^354|queued as/.test(text))
      if (reply) {
        taken++
        say(`${port}: ${what}: ${reply}`)
      }
      caller.hangUp()
    }
  const { ready, held } = await house.control.queueCounts()
  return [
    { what: 'tricks, on three ports', value: tried, atLeast: 100 },
    { what: 'that were asked for content', value: taken, atMost: 0 },
    { what: 'messages that came in', value: ready + held, atMost: 0 },
  ]
}

const guess = (n: number) => `AUTH PLAIN ${base64(`\u0000app\u0000guess-${n}`)}`

/** Tries passwords from one address until it is told to go away; counts those that were judged. */
async function guessFrom(
  house: House,
  from: string,
  most: number,
): Promise<{ judged: number; perSession: number; refused: boolean }> {
  let judged = 0
  let perSession = 0
  for (let session = 0; session < most / 2; session++) {
    const caller = await enter(house, 'submissions', from)
    let here = 0
    let last = 535
    while (judged < most && last === 535) {
      last = await caller.ask(guess(judged))
      // The last failure of a session is answered 421, and counts.
      if (last === 535 || (last === 421 && here === 4)) {
        judged++
        here++
      }
    }
    caller.hangUp()
    perSession = Math.max(perSession, here)
    if (here === 0) return { judged, perSession, refused: last === 421 }
  }
  return { judged, perSession, refused: false }
}

async function guesses(house: House, { say }: Circumstances): Promise<readonly Figure[]> {
  const { clock, control } = house
  const { password } = await control.addCredential({ name: 'app', domains: [] })
  const first = await guessFrom(house, STRANGER, 60)
  // Even the right one is not looked at any more, from there; from elsewhere it is.
  const right = `AUTH PLAIN ${base64(`\u0000app\u0000${password}`)}`
  const here = await enter(house, 'submissions', STRANGER)
  const locked = await here.ask(right)
  here.hangUp()
  const there = await enter(house, 'submissions', '127.0.0.67')
  const elsewhere = await there.ask(right)
  there.hangUp()
  await sleep((600_000 / SPEED) * 1.05)
  const later = await enter(house, 'submissions', STRANGER)
  const afterwards = await later.ask(right)
  later.hangUp()
  say(
    `${first.judged} guesses from one address, ${first.perSession} a connection, at ${clock.elapsed().toFixed(0)} ms; the right password then: ${locked}, from elsewhere ${elsewhere}, ten minutes later ${afterwards}`,
  )
  return [
    { what: 'guesses an address and ten minutes', value: first.judged, atMost: 20, atLeast: 20 },
    { what: 'guesses a connection', value: first.perSession, atMost: 5 },
    { what: 'then: 421', value: first.refused && locked === 421 ? 1 : 0, atLeast: 1 },
    {
      what: 'the right password from another address',
      value: elsewhere,
      atLeast: 235,
      atMost: 235,
    },
    { what: 'and ten minutes later', value: afterwards, atLeast: 235, atMost: 235 },
  ]
}

/** The controls: who has a right to send can, else all of the above proves nothing. */
async function rightful(house: House): Promise<readonly Figure[]> {
  const { control } = house
  const { password } = await control.addCredential({ name: 'other', domains: ['sender.example'] })
  const trusted = Caller.call({ port: house.port('smtp'), from: TRUSTED })
  await trusted.code()
  await trusted.ask('EHLO app.example')
  const login = await enter(house, 'submission', STRANGER)
  await login.ask(`AUTH PLAIN ${base64(`\u0000other\u0000${password}`)}`)
  const codes: number[] = []
  for (const caller of [trusted, login]) {
    for (const line of [FROM, TO, 'DATA']) await caller.ask(line)
    codes.push(await caller.ask(CONTENT))
  }
  // A password for one domain does not speak for another.
  await login.ask('MAIL FROM:<sender@else.example>')
  await login.ask(TO)
  await login.ask('DATA')
  const foreign = await login.ask(CONTENT.replace('sender.example', 'else.example'))
  for (const caller of [trusted, login]) caller.hangUp()
  await sleep(1_500)
  return [
    { what: 'a trusted network may send', value: codes[0] ?? 0, atLeast: 250, atMost: 250 },
    { what: 'so may a password', value: codes[1] ?? 0, atLeast: 250, atMost: 250 },
    { what: 'but not for another domain', value: foreign, atLeast: 550, atMost: 550 },
  ]
}
