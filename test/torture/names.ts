// R13: what DNS does wrong, towards the whole program: each kind of answer leads to the right
// decision, and with no DNS at all nothing is lost and nothing given up.

import type { Answer } from 'dns-packet'
import { sleep } from '../../bench/wait.ts'
import type { DnsQuery, DnsReply } from '../support/dns-server.ts'
import type { HostileServer } from '../support/hostile-server.ts'
import { copies, emptied, firstResults, friend, type House, openHouse, post } from './house.ts'
import { direct, freePort, nameServer, soa } from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const SPEED = 100
const PATIENCE_S = 60
const HOST = '127.8.0.2'
/** Nobody may ever be called here. */
const TRAP = '127.8.0.3'

const NXDOMAIN = 3
const SERVFAIL = 2

type Zone = (query: DnsQuery, time: number) => DnsReply | undefined

type Case = {
  readonly what: string
  /** Answers for the domain and all below it; `time` counts questions for this name and type, from 1. */
  readonly zone: Zone
  readonly end: 'delivered' | 'deferred' | 'bounced'
  /** Private addresses are as forbidden as on the real Internet. */
  readonly strict?: boolean
}

const none = (name: string): DnsReply => ({ authorities: [soa(name)] })
const a = (name: string, data = HOST): Answer => ({ type: 'A', name, ttl: 60, class: 'IN', data })
const mx = (name: string, exchange: string, preference = 10): Answer => ({
  type: 'MX',
  name,
  ttl: 60,
  class: 'IN',
  data: { preference, exchange },
})
const cname = (name: string, data: string): Answer => ({
  type: 'CNAME',
  name,
  ttl: 60,
  class: 'IN',
  data,
})

/** Answers by type; what is not named has no record. */
function records(by: Readonly<Record<string, (name: string) => DnsReply>>): Zone {
  return ({ name, type }) =>
    by[`${name.split('.')[0]} ${type}`]?.(name) ?? by[type]?.(name) ?? none(name)
}

const answers = (...list: Answer[]): DnsReply => ({ answers: list })

/** Wrong the first time, as it should be afterwards. */
function firstly(wrong: Zone, types = ['MX'], times = 4): Zone {
  return (query, time) =>
    types.includes(query.type) && time <= times ? wrong(query, time) : good(query)
}

const good = (query: DnsQuery): DnsReply =>
  records({ MX: (name) => answers(mx(name, `mx.${name}`)), 'mx A': (name) => answers(a(name)) })(
    query,
    1,
  ) ?? none(query.name)

const rcode =
  (code: number): Zone =>
  () => ({ rcode: code })

const CASES: readonly Case[] = [
  { what: 'MX and address', zone: good, end: 'delivered' },
  { what: 'no MX, an address', zone: records({ A: (n) => answers(a(n)) }), end: 'delivered' },
  { what: 'NXDOMAIN', zone: ({ name }) => ({ rcode: NXDOMAIN, authorities: [soa(name)] }), end: 'bounced' },
  { what: 'empty', zone: ({ name }) => none(name), end: 'bounced' },
  { what: 'null MX', zone: records({ MX: (n) => answers(mx(n, '.', 0)), A: (n) => answers(a(n, TRAP)) }), end: 'bounced' },
  { what: 'null MX beside a host', zone: records({ MX: (n) => answers(mx(n, '.', 0), mx(n, `mx.${n}`)), 'mx A': (n) => answers(a(n)) }), end: 'delivered' },
  { what: 'MX is an address', zone: records({ MX: (n) => answers(mx(n, HOST)), A: (n) => answers(a(n, TRAP)) }), end: 'bounced' },
  { what: 'MX without address', zone: records({ MX: (n) => answers(mx(n, `mx.${n}`)) }), end: 'bounced' },
  { what: 'MX does not exist, another does', zone: (q) => (q.name.startsWith('gone.') ? { rcode: NXDOMAIN, authorities: [soa(q.name)] } : records({ MX: (n) => answers(mx(n, `gone.${n}`, 1), mx(n, `mx.${n}`)), 'mx A': (n) => answers(a(n)) })(q, 1)), end: 'delivered' },
  { what: 'MX is an alias', zone: records({ MX: (n) => answers(mx(n, `mx.${n}`)), 'mx A': (n) => answers(cname(n, `real.${n}`), a(`real.${n}`)) }), end: 'delivered' },
  { what: 'we are the MX', zone: records({ MX: (n) => answers(mx(n, 'mail.sender.example')), A: (n) => answers(a(n, TRAP)) }), end: 'bounced' },
  { what: 'alias to a good domain', zone: (q) => (q.name.startsWith('to.') ? good(q) : records({ MX: (n) => answers(cname(n, `to.${n}`)), 'mx A': (n) => answers(a(n)) })(q, 1)), end: 'delivered' },
  { what: 'aliases in a circle', zone: firstly(({ name }) => answers(cname(name, `b.${name}`), cname(`b.${name}`, name))), end: 'deferred' },
  { what: 'aliases without end', zone: firstly(({ name }) => answers(cname(name, `x.${name}`)), ['MX', 'A'], 1), end: 'deferred' },
  { what: 'SERVFAIL', zone: firstly(rcode(SERVFAIL)), end: 'deferred' },
  { what: 'SERVFAIL for MX, an address', zone: (q, time) => (q.type === 'MX' ? firstly(rcode(SERVFAIL))(q, time) : q.name.startsWith('mx.') ? good(q) : answers(a(q.name, TRAP))), end: 'deferred' },
  { what: 'SERVFAIL for the address', zone: firstly(rcode(SERVFAIL), ['A']), end: 'deferred' },
  { what: 'REFUSED', zone: firstly(rcode(5)), end: 'deferred' },
  { what: 'NOTIMP', zone: firstly(rcode(4)), end: 'deferred' },
  { what: 'FORMERR', zone: firstly(rcode(1)), end: 'deferred' },
  { what: 'silence', zone: firstly(() => 'silence'), end: 'deferred' },
  { what: 'a referral', zone: firstly(({ name }) => ({ authorities: [{ type: 'NS', name, ttl: 60, class: 'IN', data: 'ns.example' }] })), end: 'deferred' },
  { what: 'truncated, whole over TCP', zone: (q) => (q.via === 'udp' ? { flags: 0x0200 } : good(q)), end: 'delivered' },
  { what: 'truncated over TCP too', zone: firstly(() => ({ flags: 0x0200 })), end: 'deferred' },
  { what: 'truncated, TCP silent', zone: firstly((q) => (q.via === 'udp' ? { flags: 0x0200 } : 'silence')), end: 'deferred' },
  { what: 'noise instead of an answer', zone: firstly(() => [Buffer.from('this is no DNS')]), end: 'deferred' },
  { what: 'an answer to another question', zone: firstly((q) => ({ question: 'other.example', answers: [mx(q.name, 'trap.example')] })), end: 'deferred' },
  { what: 'an answer with another id', zone: firstly((q) => ({ id: ((q.packet.id ?? 0) + 1) % 65_536, answers: [mx(q.name, 'trap.example')] })), end: 'deferred' },
  { what: 'records of a stranger', zone: (q) => (q.type === 'MX' ? answers(mx('stranger.example', 'trap.example'), mx(q.name, `mx.${q.name}`)) : good(q)), end: 'delivered' },
  { what: 'loopback address', strict: true, zone: records({ MX: (n) => answers(mx(n, `mx.${n}`)), 'mx A': (n) => answers(a(n, TRAP)) }), end: 'bounced' },
  { what: 'private address', strict: true, zone: records({ MX: (n) => answers(mx(n, `mx.${n}`)), 'mx A': (n) => answers(a(n, '10.0.0.1'), a(n, '192.168.1.1'), a(n, '172.16.0.1')) }), end: 'bounced' },
  { what: 'link-local, CGNAT, multicast', strict: true, zone: records({ A: (n) => answers(a(n, '169.254.169.254'), a(n, '100.64.0.1'), a(n, '224.0.0.1')) }), end: 'bounced' },
  { what: 'nowhere', strict: true, zone: records({ A: (n) => answers(a(n, '0.0.0.0')) }), end: 'bounced' },
  { what: 'MX localhost', strict: true, zone: records({ MX: (n) => answers(mx(n, 'localhost')) }), end: 'bounced' },
] // biome-ignore format: a table

export const dnsFaults: Torment = {
  id: 'R13',
  name: 'dns-faults',
  what: 'every kind of wrong answer, and no DNS for ten minutes',
  shortSeconds: 30,
  run: async (circumstances) =>
    (await Promise.all([wrongAnswers(circumstances), noAnswers(circumstances)])).flat(),
}

async function wrongAnswers({ say: tell }: Circumstances): Promise<readonly Figure[]> {
  await using parts = new AsyncDisposableStack()
  const port = await freePort()
  const host = parts.use(await friend(HOST, port))
  const trap = parts.use(await friend(TRAP, port))
  const senders = parts.use(await friend('127.8.0.1', port))
  const asked = new Map<string, number>()
  const script = (query: DnsQuery): DnsReply | undefined => {
    const { name, type } = query
    if (name === 'trap.example') return answers(a(name, TRAP))
    const number = /(?:^|\.)case-(\d+)\.example$/.exec(name)?.[1]
    const one = CASES[Number(number)]
    if (!one) return undefined
    const time = (asked.get(`${name} ${type}`) ?? 0) + 1
    asked.set(`${name} ${type}`, time)
    return one.zone(query, time)
  }
  const dns = parts.use(await nameServer({ hosts: { 'sender.example': '127.8.0.1' }, script }))
  const open = (allow: boolean) =>
    openHouse(
      `smtp: { port: 0 }\n${direct(dns, port).replace('addresses: true', `addresses: ${allow}`)}`,
      SPEED,
    )
  const houses = { lax: parts.use(await open(true)), strict: parts.use(await open(false)) }
  const houseOf = (one: Case): House => (one.strict ? houses.strict : houses.lax)
  const ids = await Promise.all(
    CASES.map((one, i) =>
      post(houseOf(one), { from: `case-${i}@sender.example`, to: [`user@case-${i}.example`] }),
    ),
  )
  const empty = await emptied(houses.lax, PATIENCE_S)
  // Its bounces cannot leave: the sender's host is on loopback, too.
  const wrong = { decisions: 0, lost: 0, doubled: 0, bounces: 0 }
  for (const [i, one] of CASES.entries()) {
    const id = ids[i]
    const results = id === undefined ? ['not accepted'] : await settled(houseOf(one), id)
    const arrived = copies(host, `user@case-${i}.example`)
    const wanted = one.end === 'bounced' ? 0 : 1
    const bounces = one.strict ? 1 - wanted : copies(senders, `case-${i}@sender.example`)
    const good = results[0] === one.end && arrived === wanted && bounces === 1 - wanted
    if (results[0] !== one.end) wrong.decisions++
    if (arrived < wanted) wrong.lost++
    if (arrived > wanted) wrong.doubled++
    if (bounces !== 1 - wanted) wrong.bounces++
    tell(
      `${one.what.padEnd(34)} ${results[0] ?? 'not tried'}${good ? '' : ` INSTEAD OF ${one.end}; ${arrived} copies, ${bounces} bounces`}`,
    )
  }
  return [
    { what: 'kinds of answer', value: CASES.length, atLeast: 30 },
    { what: 'wrong decisions', value: wrong.decisions, atMost: 0 },
    { what: 'lost', value: wrong.lost, atMost: 0 },
    { what: 'doubled', value: wrong.doubled, atMost: 0 },
    { what: 'bounces missing or without need', value: wrong.bounces, atMost: 0 },
    { what: 'calls to places that must not be called', value: trap.connections, atMost: 0 },
    { what: 'left in the queue', value: empty ? 0 : 1, atMost: 0 },
  ]
}

/** What the first attempt came to, once it has been made. */
async function settled(house: House, id: string): Promise<readonly string[]> {
  for (let tries = 0; tries < 100; tries++) {
    const results = await firstResults(house, id)
    if (results.length > 0) return results
    await sleep(100)
  }
  return []
}

/** DNS is dead for ten minutes of the program's time, and then is back. */
async function noAnswers({ full, say: tell }: Circumstances): Promise<readonly Figure[]> {
  await using parts = new AsyncDisposableStack()
  const count = full ? 2_000 : 200
  const port = await freePort()
  const host: HostileServer = parts.use(await friend(HOST, port))
  let dead = true
  const dns = parts.use(
    await nameServer({
      hosts: { 'recipient.example': HOST, 'sender.example': '127.8.0.1' },
      script: () => (dead ? 'silence' : undefined),
    }),
  )
  const senders = parts.use(await friend('127.8.0.1', port))
  const house = parts.use(
    await openHouse(`smtp: { port: 0 }\n${direct(dns, port)}`, full ? 30 : SPEED),
  )
  const until = house.clock.elapsed() + 600_000
  let accepted = 0
  for (let n = 0; n < count; n += 10) {
    const group = Array.from({ length: 10 }, (_, i) => n + i)
    const ids = await Promise.all(
      group.map((i) =>
        post(house, { from: 'dead@sender.example', to: [`n${i}@d${i % 50}.recipient.example`] }),
      ),
    )
    accepted += ids.filter((id) => id !== undefined).length
  }
  while (house.clock.elapsed() < until) await sleep(50)
  const during = host.connections
  dead = false
  const empty = await emptied(house, full ? 300 : PATIENCE_S)
  const lost = Array.from({ length: count }, (_, i) =>
    copies(host, `n${i}@d${i % 50}.recipient.example`),
  )
  tell(`DNS dead for ten minutes: ${accepted} accepted, ${during} calls meanwhile`)
  return [
    { what: 'accepted without DNS', value: accepted, atLeast: count },
    { what: 'lost', value: lost.filter((n) => n === 0).length, atMost: 0 },
    { what: 'doubled', value: lost.filter((n) => n > 1).length, atMost: 0 },
    { what: 'bounced', value: senders.messages.length, atMost: 0 },
    { what: 'left in the queue', value: empty ? 0 : 1, atMost: 0 },
  ]
}
