// R16: STARTTLS. Who can write into the clear text before the handshake must gain nothing by it: no
// command of his runs, no reply of his is believed, and nothing that was said in the clear counts.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../bench/wait.ts'
import { testCertificate, testKey } from '../support/certificate.ts'
import { type Script, startHostileServer } from '../support/hostile-server.ts'
import { Caller, submit } from './caller.ts'
import { copies, emptied, firstResults, friend, type House, openHouse, post } from './house.ts'
import { direct, freePort, makeFolder, nameServer } from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const SPEED = 100
const PATIENCE_S = 60
const FROM = 'MAIL FROM:<sender@sender.example>'
const TO = 'RCPT TO:<injected@recipient.example>'
const INJECTED = [
  FROM,
  TO,
  'DATA',
  'From: <sender@sender.example>',
  'Subject: injected',
  '',
  'x',
  '.',
]

export const startTls: Torment = {
  id: 'R16',
  name: 'starttls',
  what: 'commands and replies glued to STARTTLS, from both sides',
  shortSeconds: 30,
  async run(circumstances) {
    return [...(await atOurDoor(circumstances)), ...(await atTheirs(circumstances))]
  },
}

/** What comes with STARTTLS in one segment, or right behind it; `pauseMs` parts the two. */
type Glue = {
  readonly what: string
  readonly first: string
  readonly next?: string
  readonly pauseMs?: number
}

const STARTTLS = 'STARTTLS\r\n'
const COMMANDS = `${INJECTED.join('\r\n')}\r\n`

const GLUES: readonly Glue[] = [
  { what: 'a transaction in the same segment', first: STARTTLS + COMMANDS },
  { what: 'EHLO in the same segment', first: `${STARTTLS}EHLO attacker.example\r\n` },
  { what: 'NOOP in the same segment', first: `${STARTTLS}NOOP\r\n` },
  { what: 'half a command', first: `${STARTTLS}MAIL FRO` },
  { what: 'an empty line', first: `${STARTTLS}\r\n` },
  { what: 'AUTH', first: `${STARTTLS}AUTH PLAIN AGFwcAB4\r\n` },
  { what: 'a second STARTTLS', first: STARTTLS + STARTTLS },
  { what: 'a transaction in the next segment', first: STARTTLS, next: COMMANDS },
  { what: 'a transaction a moment later', first: STARTTLS, next: COMMANDS, pauseMs: 3 },
  {
    what: 'junk instead of a handshake',
    first: STARTTLS,
    next: '\u0000\u0001\u0002junk',
    pauseMs: 3,
  },
  { what: 'everything octet by octet', first: STARTTLS + COMMANDS, pauseMs: 0 },
]

async function atOurDoor({ say }: Circumstances): Promise<readonly Figure[]> {
  await using parts = new AsyncDisposableStack()
  const { folder, remove } = makeFolder('glued')
  parts.defer(remove)
  writeFileSync(join(folder, 'tls.pem'), testCertificate)
  writeFileSync(join(folder, 'tls.key'), testKey)
  const port = await freePort()
  const host = parts.use(await friend('127.0.0.1', port))
  const dns = parts.use(await nameServer({ hosts: { example: '127.0.0.1' } }))
  const house = parts.use(
    await openHouse(`smtp: { port: 0, tls: starttls }
tls: { certificate: '${join(folder, 'tls.pem')}', key: '${join(folder, 'tls.key')}' }
${direct(dns, port)}`),
  )
  let obeyed = 0
  for (const glue of GLUES) {
    const replies = await tryGlue(house, glue)
    // One reply to STARTTLS, one farewell; a reply to anything else means that it was obeyed.
    const bad = replies.filter((reply) => !/^(220 2\.0\.0|554|421|501|500)/.test(reply))
    obeyed += bad.length
    if (bad.length > 0) say(`${glue.what}: ${bad.join(' / ')}`)
  }
  const forgotten = await forgetting(house)
  await sleep(300)
  return [
    { what: 'ways to glue commands', value: GLUES.length },
    { what: 'glued commands obeyed', value: obeyed, atMost: 0 },
    {
      what: 'injected messages delivered',
      value: copies(host, 'injected@recipient.example'),
      atMost: 0,
    },
    { what: 'things remembered from the clear', value: forgotten.remembered, atMost: 0 },
    { what: 'mail over TLS, for comparison', value: forgotten.control, atLeast: 250, atMost: 250 },
  ]
}

/** All that the server says, before and after a handshake if there is one. */
async function tryGlue(house: House, { first, next, pauseMs }: Glue): Promise<readonly string[]> {
  const caller = Caller.call({ port: house.port(), timeoutMs: 1_000 })
  await caller.reply()
  await caller.ask('EHLO client.example')
  if (pauseMs === 0) for (const octet of first) caller.write(octet)
  else caller.write(first)
  if (next !== undefined) {
    if (pauseMs) await sleep(pauseMs)
    caller.write(next)
  }
  const replies = [await caller.reply()]
  if (replies[0]?.startsWith('220') && next === undefined) {
    // Whatever was glued and not refused would be answered now, inside TLS.
    if (await caller.secure()) {
      const more = await Promise.race([caller.reply(), sleep(300).then(() => '')])
      if (more !== '') replies.push(`inside TLS: ${more}`)
    }
  } else
    for (let reply = ' '; reply !== '' && !caller.closed; ) {
      reply = await Promise.race([caller.reply(), sleep(300).then(() => '')])
      if (reply !== '') replies.push(reply)
    }
  caller.hangUp()
  return replies.filter((reply) => reply !== '')
}

/** RFC 3207 §4.2: what was said in the clear is forgotten. Counts what was not. */
async function forgetting(house: House): Promise<{ remembered: number; control: number }> {
  let remembered = 0
  const wrong = (bad: boolean) => {
    if (bad) remembered++
  }
  // EHLO is forgotten; so MAIL is out of order.
  const caller = Caller.call({ port: house.port() })
  await caller.reply()
  await caller.ask('EHLO client.example')
  wrong((await caller.ask('STARTTLS now')) === 220)
  await caller.ask('STARTTLS')
  await caller.secure()
  wrong((await caller.ask(FROM)) === 250)
  caller.write('EHLO client.example\r\n')
  wrong(/STARTTLS/.test(await caller.reply()))
  wrong((await caller.ask('STARTTLS')) === 220)
  const control = await submit(caller, { to: 'control@recipient.example' })
  caller.hangUp()
  // A transaction must end before STARTTLS, and does not come back after it.
  const other = Caller.call({ port: house.port() })
  await other.reply()
  await other.ask('EHLO client.example')
  await other.ask(FROM)
  wrong((await other.ask('STARTTLS')) === 220)
  await other.ask('RSET')
  await other.ask('STARTTLS')
  await other.secure()
  await other.ask('EHLO client.example')
  wrong((await other.ask('RCPT TO:<control@recipient.example>')) === 250)
  other.hangUp()
  return { remembered, control }
}

const glueReply = (bytes: string, after?: 'close' | 'stall'): Script => ({
  starttls: ({ connection }) =>
    connection === 1
      ? { kind: 'raw', bytes: Buffer.from(bytes), ...(after && { after }) }
      : undefined,
})

/** Replies that somebody on the way glued to the 220; the peer itself knows nothing of them. */
const FORGED: Readonly<Record<string, string>> = {
  '250 in the same segment': '220 go\r\n250 2.0.0 forged\r\n',
  'a whole EHLO reply': '220 go\r\n250-forged\r\n250-AUTH PLAIN\r\n250 SIZE 1\r\n',
  'replies to a whole transaction':
    '220 go\r\n250 hello\r\n250 ok\r\n250 ok\r\n354 go\r\n250 2.0.0 got it\r\n',
  '421 in the same segment': '220 go\r\n421 4.3.2 forged\r\n',
  'half a line': '220 go\r\n250 forg',
  'no CRLF after the 220': '220 go\n250 forged\n',
}

async function atTheirs({ say }: Circumstances): Promise<readonly Figure[]> {
  await using parts = new AsyncDisposableStack()
  const port = await freePort()
  const hosts: Record<string, string> = { 'sender.example': '127.8.0.1' }
  const forged = Object.entries(FORGED)
  const peers = []
  for (const [i, [what, bytes]] of forged.entries()) {
    const address = `127.8.4.${i + 1}`
    hosts[`forged-${i}.example`] = address
    const peer = await startHostileServer({
      address,
      port,
      keywords: ['PIPELINING', 'STARTTLS'],
      script: glueReply(bytes, 'stall'),
    })
    peers.push({ what, peer: parts.use(peer) })
  }
  const senders = parts.use(await friend('127.8.0.1', port))
  const dns = parts.use(await nameServer({ hosts }))
  const house = parts.use(await openHouse(`smtp: { port: 0 }\n${direct(dns, port)}`, SPEED))
  const ids = await Promise.all(
    peers.map((_, i) =>
      post(house, { from: 'sender@sender.example', to: [`user@forged-${i}.example`] }),
    ),
  )
  const empty = await emptied(house, PATIENCE_S)
  let believed = 0
  let wrongCopies = 0
  for (const [i, { what, peer }] of peers.entries()) {
    const results = await firstResults(house, ids[i] ?? '')
    const arrived = copies(peer, `user@forged-${i}.example`)
    if (results[0] !== 'deferred') believed++
    if (arrived !== 1) wrongCopies++
    say(`forged ${what}: ${results[0]}, then delivered ${arrived} time(s)`)
  }
  return [
    ...(await demanded(peers.length)),
    { what: 'forged replies', value: forged.length },
    { what: 'that were believed', value: believed, atMost: 0 },
    { what: 'mail that did not then arrive once', value: wrongCopies, atMost: 0 },
    { what: 'bounced', value: senders.messages.length, atMost: 0 },
    { what: 'left in the queue', value: empty ? 0 : 1, atMost: 0 },
  ]
}

/** A relay that must be reached over TLS, and is not to be: nothing goes out in the clear. */
async function demanded(seed: number): Promise<readonly Figure[]> {
  const port = await freePort()
  let commands = 0
  let attempts = 0
  const scripts: readonly Script[] = [
    { starttls: { kind: 'say', text: '454 4.7.0 not now' } },
    { starttls: { kind: 'say', text: '502 5.5.1 no' } },
    { starttls: { kind: 'raw', bytes: Buffer.from('220 go\r\n250 forged\r\n'), after: 'stall' } },
    { handshake: { kind: 'close' } },
    {}, // a good handshake with a certificate that nobody vouches for
  ]
  const withoutOffer = { script: {}, keywords: ['PIPELINING'] }
  const peers = [
    ...scripts.map((script) => ({ script, keywords: ['PIPELINING', 'STARTTLS'] })),
    withoutOffer,
  ]
  for (const [i, options] of peers.entries()) {
    const address = `127.8.5.${seed + i}`
    await using peer = await startHostileServer({ ...options, address, port })
    await using house = await openHouse(
      `smtp: { port: 0 }\nrelayhost: { host: ${address}, port: ${port}, tls: required }`,
      SPEED,
    )
    const id = await post(house, { from: 'sender@sender.example', to: ['user@recipient.example'] })
    for (let tries = 0; tries < 100; tries++) {
      if ((await firstResults(house, id ?? '')).length > 0) break
      await sleep(50)
    }
    attempts += peer.connections > 0 ? 1 : 0
    commands += peer.commands.flat().filter((line) => /^(MAIL|RCPT|DATA|BDAT)/.test(line)).length
  }
  return [
    { what: 'relays whose TLS cannot be had', value: attempts, atLeast: peers.length },
    { what: 'commands with mail that they saw', value: commands, atMost: 0 },
  ]
}
