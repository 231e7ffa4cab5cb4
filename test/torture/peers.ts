// R12: peers that misbehave, each in one phase of the dialogue and in one way, towards the whole
// program. Each misbehaves on its first connection and is friendly afterwards; so what was deferred
// must arrive, once, and what was bounced must not, and its sender must hear of it, once.

import {
  type Act,
  close,
  garbage,
  type HostileServer,
  hugeLine,
  hugeReply,
  type Phase,
  reset,
  type Script,
  say,
  sayAndClose,
  slowly,
  stall,
  startHostileServer,
} from '../support/hostile-server.ts'
import { copies, emptied, firstResults, friend, type House, openHouse, post } from './house.ts'
import { direct, freePort, nameServer } from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

/** Time-outs are minutes, retries hours; both pass in seconds. */
const SPEED = 100
const PATIENCE_S = 90

type End = 'delivered' | 'deferred' | 'bounced'

type Case = {
  readonly phase: string
  readonly fault: string
  readonly script: Script
  readonly keywords?: readonly string[]
  /** What the first attempt must come to. */
  readonly end: End
  /** The peer said a word of acceptance that nobody could read: it may get the message again. */
  readonly mayDouble?: boolean
}

type Fault = { readonly name: string; readonly act: (good: number) => Act; readonly end: End }

const FAULTS: readonly Fault[] = [
  { name: 'stall', act: () => stall, end: 'deferred' },
  { name: 'close', act: () => close, end: 'deferred' },
  { name: 'reset', act: () => reset, end: 'deferred' },
  { name: 'garbage', act: () => garbage, end: 'deferred' },
  { name: '421', act: () => sayAndClose('421 4.3.2 going down'), end: 'deferred' },
  { name: '4xx', act: () => say('451 4.3.0 later'), end: 'deferred' },
  { name: '5xx', act: () => say('550 5.7.1 never'), end: 'bounced' },
  { name: 'odd code', act: () => say('299 what?'), end: 'deferred' },
  { name: 'no code', act: () => say('999 what?'), end: 'deferred' },
  { name: '20,000 lines', act: hugeReply, end: 'deferred' },
  { name: '4 MiB line', act: hugeLine, end: 'deferred' },
  { name: 'slow', act: (good) => slowly(`${good} 2.0.0 ok`, 10), end: 'delivered' },
]

const GOOD: Readonly<Partial<Record<Phase, number>>> = {
  banner: 220,
  ehlo: 250,
  starttls: 220,
  mail: 250,
  rcpt: 250,
  data: 354,
  content: 250,
  quit: 221,
}

/** Where the end is another than the fault's own. */
const OTHERWISE: Readonly<Record<string, End>> = {
  // A server that refuses everybody says nothing about this message.
  'banner 5xx': 'deferred',
  // It does not know EHLO: HELO will do.
  'ehlo 5xx': 'delivered',
  // A plain no to STARTTLS: without TLS, then.
  'starttls 4xx': 'delivered',
  'starttls 5xx': 'delivered',
  'starttls odd code': 'delivered',
  // Any 2xx is a yes (RFC 5321 §4.2.1).
  'mail odd code': 'delivered',
  'rcpt odd code': 'delivered',
  'content odd code': 'delivered',
}

function once(act: Act) {
  return ({ connection }: { connection: number }) => (connection === 1 ? act : undefined)
}

function grid(): Case[] {
  const cases: Case[] = []
  for (const [phase, good] of Object.entries(GOOD) as [Phase, number][])
    for (const { name, act, end } of FAULTS) {
      // Our side of the handshake would come while the peer still dribbles.
      if (phase === 'starttls' && name === 'slow') continue
      const otherwise = OTHERWISE[`${phase} ${name}`]
      const huge = name === '20,000 lines' || name === '4 MiB line'
      cases.push({
        phase,
        fault: name,
        script: { [phase]: once(act(good)) },
        ...(phase === 'starttls' && { keywords: ['PIPELINING', 'STARTTLS'] }),
        // Nothing that happens at QUIT matters any more.
        end: phase === 'quit' ? 'delivered' : (otherwise ?? end),
        ...(phase === 'content' && huge && { mayDouble: true }),
      })
    }
  return cases
}

/** Neighbours of the grid: faults between the phases, and peers with less to offer. */
const NEIGHBOURS: readonly Case[] = [
  ...(['close', 'reset', 'stall'] as const).map(
    (after): Case => ({
      phase: 'content under way',
      fault: after,
      script: { data: once({ kind: 'say', text: '354 go', after }) },
      end: 'deferred',
      // It closes its side, and may yet read and keep what comes.
      mayDouble: after === 'close',
    }),
  ),
  ...(['close', 'reset', 'stall'] as const).map(
    (after): Case => ({
      phase: 'after the 250',
      fault: after,
      script: { content: once({ kind: 'say', text: '250 2.0.0 taken', after }) },
      end: 'delivered',
    }),
  ),
  ...(['stall', 'close', 'reset'] as const).map(
    (kind): Case => ({
      phase: 'handshake',
      fault: kind,
      script: { handshake: once({ kind }) },
      keywords: ['PIPELINING', 'STARTTLS'],
      end: 'deferred',
    }),
  ),
  {
    phase: 'handshake',
    fault: 'garbage',
    script: {
      starttls: once({
        kind: 'raw',
        bytes: Buffer.from('220 go\r\n\u0000\u0001junk'),
        after: 'stall',
      }),
    },
    keywords: ['PIPELINING', 'STARTTLS'],
    end: 'deferred',
  },
  {
    phase: 'starttls',
    fault: 'glued reply',
    script: {
      starttls: once({
        kind: 'raw',
        bytes: Buffer.from('220 go\r\n250 2.0.0 forged\r\n'),
        after: 'stall',
      }),
    },
    keywords: ['PIPELINING', 'STARTTLS'],
    end: 'deferred',
  },
  { phase: 'ehlo', fault: 'SIZE too small', script: {}, keywords: ['SIZE 100'], end: 'bounced' },
  { phase: 'ehlo', fault: 'no keyword', script: {}, keywords: [], end: 'delivered' },
  {
    phase: 'ehlo',
    fault: 'EHLO and HELO refused',
    script: { ehlo: once(say('550 no')), helo: once(say('550 no')) },
    end: 'deferred',
  },
  {
    phase: 'rcpt',
    fault: 'refused, DATA welcome',
    script: { rcpt: once(say('550 5.1.1 unknown')), data: once(say('354 go on')) },
    end: 'bounced',
  },
  {
    phase: 'banner',
    fault: '11 s late',
    script: { banner: once(slowly('220 hostile.example', 110 / 20)) },
    end: 'delivered',
  },
]

export const hostilePeers: Torment = {
  id: 'R12',
  name: 'hostile-peers',
  what: 'receivers that misbehave in every phase and way, towards the whole program',
  shortSeconds: 30,
  run: (circumstances) => misbehave([...grid(), ...NEIGHBOURS], circumstances),
}

type Played = Case & { readonly address: string; readonly peer: HostileServer; id?: string }

async function misbehave(
  cases: readonly Case[],
  { say: tell }: Circumstances,
): Promise<readonly Figure[]> {
  await using parts = new AsyncDisposableStack()
  const port = await freePort()
  const hosts: Record<string, string> = { 'sender.example': '127.8.0.1' }
  const played: Played[] = []
  for (const [i, one] of cases.entries()) {
    const address = `127.8.${1 + Math.floor(i / 200)}.${(i % 200) + 1}`
    hosts[`case-${i}.example`] = address
    const { script, keywords } = one
    const peer = await startHostileServer({ script, address, port, ...(keywords && { keywords }) })
    played.push({ ...one, address: `user@case-${i}.example`, peer: parts.use(peer) })
  }
  const senders = parts.use(await friend('127.8.0.1', port))
  const dns = parts.use(await nameServer({ hosts }))
  const house = parts.use(
    await openHouse(
      `smtp: { port: 0 }\n${direct(dns, port)}\nlimits: { sessions_per_address: 1000 }`,
      SPEED,
    ),
  )
  await Promise.all(
    played.map(async (one, i) => {
      const id = await post(house, { from: `case-${i}@sender.example`, to: [one.address] })
      if (id !== undefined) one.id = id
    }),
  )
  const empty = await emptied(house, PATIENCE_S)
  const wrong = { ends: 0, lost: 0, doubled: 0, falseBounces: 0, missingBounces: 0, mayDouble: 0 }
  const ends: { phase: string; fault: string; text: string }[] = []
  for (const [i, one] of played.entries()) {
    const seen = await first(house, one)
    const arrived = copies(one.peer, one.address)
    const bounces = copies(senders, `case-${i}@sender.example`)
    const wanted = one.end === 'bounced' ? 0 : 1
    if (seen !== one.end) wrong.ends++
    if (arrived < wanted) wrong.lost++
    if (arrived > wanted) one.mayDouble ? wrong.mayDouble++ : wrong.doubled++
    if (bounces > 1 - wanted) wrong.falseBounces++
    if (bounces < 1 - wanted) wrong.missingBounces++
    const good = seen === one.end && (arrived === wanted || one.mayDouble) && bounces === 1 - wanted
    const text = good ? seen : `${seen}, not ${one.end}; ${arrived} copies, ${bounces} bounces`
    ends.push({ phase: one.phase, fault: one.fault, text })
  }
  tell(table(ends))
  return [
    { what: 'behaviours', value: cases.length, atLeast: 100 },
    { what: 'wrong ends of the first attempt', value: wrong.ends, atMost: 0 },
    { what: 'lost', value: wrong.lost, atMost: 0 },
    { what: 'doubled', value: wrong.doubled, atMost: 0 },
    { what: 'doubled after a reply that nobody could read', value: wrong.mayDouble },
    { what: 'bounced without need', value: wrong.falseBounces, atMost: 0 },
    { what: 'bounces missing', value: wrong.missingBounces, atMost: 0 },
    { what: 'left in the queue', value: empty ? 0 : 1, atMost: 0 },
  ]
}

async function first(house: House, { id }: Played): Promise<string> {
  if (id === undefined) return 'not accepted'
  const [result] = await firstResults(house, id)
  return result ?? 'not tried'
}

/** A line for each phase: what the faults came to. */
function table(ends: readonly { phase: string; fault: string; text: string }[]): string {
  const phases = Map.groupBy(ends, ({ phase }) => phase)
  return [...phases]
    .map(([phase, list]) => {
      const byText = Map.groupBy(list, ({ text }) => text)
      const parts = [...byText].map(
        ([text, some]) => `${text}: ${some.map(({ fault }) => fault).join(', ')}`,
      )
      return `${phase.padEnd(18)} ${parts.join(' | ')}`
    })
    .join('\n')
}
