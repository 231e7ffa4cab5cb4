// R15: smuggling. What looks like the end of data and is not must neither end a message nor leave us
// (CVE-2023-51764 and its kin), on the way in however it is split, on the way out in either dialogue.

import type { HostileServer } from '../support/hostile-server.ts'
import { startHostileServer } from '../support/hostile-server.ts'
import { LOOK_ALIKES } from '../support/look-alikes.ts'
import { Caller } from './caller.ts'
import { copies, emptied, type House, openHouse } from './house.ts'
import { direct, freePort, nameServer } from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const SPEED = 20
const PATIENCE_S = 120
const FROM = 'MAIL FROM:<sender@sender.example>'
const HIDDEN = `${FROM}\r\nRCPT TO:<victim@recipient.example>\r\nDATA\r\nFrom: <sender@sender.example>\r\n\r\nx\r\n.\r\n`
const REFUSED = /^550 5\.6\.11 /

/** Octets to a write; an octet each at first. */
const SPLITS = [1, 2, 3, 5, 7, 100_000]
/** What is drawn to make contents of; most of what it makes is not fit to be sent. */
const SYLLABLES = [
  '\r\n',
  '\r\n.',
  '\r\n.\r\n',
  '.',
  '..',
  'a',
  '\r\n',
  '\n',
  '\r',
  '\0',
  HIDDEN,
  `\r\n${'x'.repeat(998)}\r\n`,
]
const ODD = /\r(?!\n)|(?<!\r)\n|\0/
const LONGEST_LINE = 998

export const smuggling: Torment = {
  id: 'R15',
  name: 'smuggling',
  what: 'look-alikes of the end of data, split anywhere, inwards and outwards',
  shortSeconds: 60,
  async run({ full, random, say }) {
    await using parts = new AsyncDisposableStack()
    const port = await freePort()
    const [plain, chunking] = [
      { address: '127.0.0.1', port },
      { address: '127.0.0.2', port },
    ]
    const peers = [
      parts.use(await startHostileServer(plain)),
      parts.use(await startHostileServer({ ...chunking, keywords: ['CHUNKING', 'PIPELINING'] })),
    ]
    const hosts = { 'recipient.example': plain.address, 'chunks.example': chunking.address }
    const dns = parts.use(await nameServer({ hosts }))
    const house = parts.use(await openHouse(`smtp: { port: 0 }\n${direct(dns, port)}`, SPEED))
    const alike = await lookAlikes(house, say)
    const drawn = await contents(house, { count: full ? 50_000 : 300, random, say })
    const isEmpty = await emptied(house, PATIENCE_S)
    return [
      { what: 'look-alikes, each way of splitting', value: alike.tried },
      { what: 'not refused with 550 5.6.11', value: alike.taken, atMost: 0 },
      { what: 'commands behind them that ran', value: alike.ran, atMost: 0 },
      { what: 'contents drawn', value: drawn.tried },
      { what: 'of which sent, and have arrived', value: isEmpty ? drawn.sent.size : 0, atLeast: 1 },
      { what: 'taken and unfit, or fit and refused', value: drawn.misjudged, atMost: 0 },
      ...atThePeers(peers, drawn.sent, say),
    ]
  },
}

async function enter(house: House): Promise<Caller> {
  const caller = Caller.call({ port: house.port() })
  await caller.reply()
  await caller.ask('EHLO torment.example')
  return caller
}

async function lookAlikes(house: House, say: Circumstances['say']) {
  const counts = { tried: 0, taken: 0, ran: 0 }
  for (const alike of LOOK_ALIKES)
    for (const split of SPLITS) {
      counts.tried++
      const caller = await enter(house)
      for (const line of [FROM, 'RCPT TO:<friend@recipient.example>', 'DATA'])
        await caller.ask(line)
      const text = `From: <sender@sender.example>\r\n\r\nfirst${alike}${HIDDEN}second\r\n.\r\nNOOP\r\n`
      for (let at = 0; at < text.length; at += split) caller.write(text.slice(at, at + split))
      const replies: string[] = []
      while (!caller.closed && replies.length < 9) replies.push(await caller.reply())
      const [first = '', ...more] = replies.filter(Boolean)
      if (!REFUSED.test(first)) counts.taken++
      counts.ran += more.length
      if (!REFUSED.test(first) || more.length > 0)
        say(`${JSON.stringify(alike)} by ${split}: ${replies.join(' / ')}`)
      caller.hangUp()
    }
  return counts
}

/** Contents of look-alikes, dots and ends of lines: what is fit is sent, by DATA and by BDAT. */
async function contents(
  house: House,
  { count, random, say }: { count: number; random: () => number; say: Circumstances['say'] },
) {
  const sent = new Map<string, string>()
  let misjudged = 0
  let caller = await enter(house)
  const draw = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  for (let number = 0; number < count; number++) {
    const syllables = random() < 0.5 ? SYLLABLES.filter((one) => !ODD.test(one)) : SYLLABLES
    const body = Array.from({ length: 1 + Math.floor(random() * 8) }, () => draw(syllables)).join(
      '',
    )
    const content = `From: <sender@sender.example>\r\nSubject: ${number}\r\n\r\n${body}\r\n`
    const domain = draw(['recipient.example', 'chunks.example'])
    for (const line of [FROM, `RCPT TO:<${number}@${domain}>`]) await caller.ask(line)
    const reply = await (random() < 0.5
      ? byData(caller, content, draw(SPLITS))
      : byBdat(caller, content, random))
    const isFit = !ODD.test(content)
    if (isFit !== reply.startsWith('250') || (!isFit && !REFUSED.test(reply))) {
      misjudged++
      say(`${JSON.stringify(body)}: ${reply}`)
    }
    if (isFit) sent.set(`${number}@${domain}`, content)
    if (caller.closed || !isFit) {
      caller.hangUp()
      caller = await enter(house)
    }
    if (number % 5_000 === 4_999) say(`${number + 1} of ${count} contents`)
  }
  caller.hangUp()
  return { tried: count, sent, misjudged }
}

async function byData(caller: Caller, content: string, split: number): Promise<string> {
  await caller.ask('DATA')
  const text = `${content.replace(/^\./gm, (dot, at: number) => (isLineStart(content, at) ? '..' : dot))}.\r\n`
  for (let at = 0; at < text.length; at += split) caller.write(text.slice(at, at + split))
  return caller.reply()
}

/** `^` with `m` stands behind a bare CR or LF, too. */
const isLineStart = (text: string, at: number) => at === 0 || text.slice(at - 2, at) === '\r\n'

/** In two chunks, the end of the first anywhere. */
async function byBdat(caller: Caller, content: string, random: () => number): Promise<string> {
  const cut = Math.floor(random() * content.length)
  caller.write(`BDAT ${cut}\r\n${content.slice(0, cut)}`)
  const first = await caller.reply()
  if (!first.startsWith('250')) return first
  caller.write(`BDAT ${content.length - cut} LAST\r\n${content.slice(cut)}`)
  return caller.reply()
}

function atThePeers(
  peers: readonly HostileServer[],
  sent: ReadonlyMap<string, string>,
  say: Circumstances['say'],
): readonly Figure[] {
  let changed = 0
  let arrived = 0
  for (const peer of peers)
    for (const { to, content, by } of peer.messages) {
      const key = /<(.*)>/.exec(to[0] ?? '')?.[1] ?? ''
      const whole = by === 'data' ? content.replaceAll('\r\n.', '\r\n') : content
      // Our own fields stand before it.
      const begins = whole.indexOf('From: <sender@sender.example>\r\nSubject: ')
      arrived++
      if (whole.slice(begins) === sent.get(key)) continue
      changed++
      say(`${key} came as ${JSON.stringify(whole.slice(begins))}`)
    }
  const octets = peers.flatMap((peer) => peer.chunks.map((chunks) => chunks.join('')))
  const lines = octets.flatMap((text) => text.split('\r\n'))
  return [
    { what: 'arrived, each once', value: arrived, atLeast: sent.size, atMost: sent.size },
    { what: 'of which changed', value: changed, atMost: 0 },
    {
      what: 'connections on which a bare CR, a bare LF or a NUL left us',
      value: octets.filter((text) => ODD.test(text)).length,
      atMost: 0,
    },
    {
      what: 'longest line that left us',
      value: lines.reduce((most, line) => Math.max(most, line.length), 0),
      unit: 'octets',
      atMost: LONGEST_LINE,
    },
    {
      what: 'messages for the victim',
      value: peers.reduce((sum, peer) => sum + copies(peer, 'victim@recipient.example'), 0),
      atMost: 0,
    },
  ]
}
