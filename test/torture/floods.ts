// R17: protocol. Sessions that say too much of one thing, many at once and without listening: each
// meets its limit, memory stays, and others do not notice. What each command is answered in each
// state stands as a table in test/fuzz/every-command-in-every-state.test.ts.

import { connect } from 'node:net'
import { Sink } from '../../bench/run.ts'
import { sleep } from '../../bench/wait.ts'
import { behaveWell, Caller, type Honest } from './caller.ts'
import { freePort, makeFolder, type Posthorn, startPosthorn } from './stage.ts'
import type { Circumstances, Figure, Torment } from './torment.ts'

const FROM = 'MAIL FROM:<sender@sender.example>\r\n'
const TO = 'RCPT TO:<friend@recipient.example>\r\n'
const EHLO = 'EHLO flood.example\r\n'
const OPEN = `${EHLO}${FROM}${TO}DATA\r\n`
const HEADER = 'From: <sender@sender.example>\r\n'
const LINE = `${'x'.repeat(76)}\r\n`
const MIB = 1024 * 1024
const PATIENCE_MS = 60_000
const MOST_MEMORY_MIB = 100
/** Large messages are stored as they come: as for an overload. */
const MOST_CONTENT_MEMORY_MIB = 200

/** What is said once, what is then said for ever, how the server must put an end to it. */
type Flood = {
  readonly what: string
  readonly first: string
  readonly more: string
  /** In the replies, before the connection ends. */
  readonly answer: RegExp
  /** So much of it is stored before it is too much. */
  readonly isContent?: true
}

const FLOODS: readonly Flood[] = [
  { what: 'a line without end', first: '', more: 'x'.repeat(4096), answer: /^500 5\.5\.2/ },
  { what: 'a command without end', first: EHLO, more: `${'MAIL FROM:<'.repeat(400)}`, answer: /^500 / },
  { what: 'long lines', first: EHLO, more: `${'x'.repeat(5000)}\r\n`, answer: /^421 / },
  { what: 'unknown commands', first: EHLO, more: 'FROB\r\n', answer: /^421 4\.7\.0/ },
  { what: 'commands that lead nowhere', first: EHLO, more: 'NOOP\r\n', answer: /^421 4\.7\.0/ },
  { what: 'EHLO again and again', first: EHLO, more: EHLO, answer: /^421 4\.7\.0/ },
  { what: 'transactions begun and dropped', first: EHLO, more: `${FROM}${TO}RSET\r\n`, answer: /^421 4\.7\.0/ },
  { what: 'recipients', first: EHLO + FROM, more: TO, answer: /^421 / },
  { what: 'a header without end', first: OPEN, more: `X-Field: ${LINE}`, answer: /^552 5\.3\.4/ },
  { what: 'one field without end', first: `${OPEN}X-Field:`, more: ` ${LINE}`, answer: /^552 5\.3\.4/ },
  { what: 'a body without end', first: `${OPEN}${HEADER}\r\n`, more: LINE, answer: /^552 5\.3\.4/, isContent: true },
  { what: 'a body of one line', first: `${OPEN}${HEADER}\r\n`, more: 'x'.repeat(4096), answer: /^55[24] /, isContent: true },
  { what: 'a body of dots', first: `${OPEN}${HEADER}\r\n`, more: '.\n.\r.', answer: /^550 5\.6\.11/ },
  { what: 'a chunk larger than all', first: `${EHLO}${FROM}${TO}BDAT 999999999999999\r\n`, more: LINE, answer: /^552 5\.3\.4/ },
  { what: 'chunks of nothing', first: EHLO + FROM + TO, more: 'BDAT 0\r\n', answer: /^421 4\.7\.0/ },
  { what: 'octets that mean nothing', first: '', more: '\u0000\u0001\u0080\u00ff\n', answer: /^500 / },
] // biome-ignore format: a table

export const floods: Torment = {
  id: 'R17',
  name: 'floods',
  what: `${FLOODS.length} ways of saying too much, from many sessions that do not listen`,
  shortSeconds: 60,
  run: bear,
}

async function bear({ full, say }: Circumstances): Promise<readonly Figure[]> {
  await using parts = new AsyncDisposableStack()
  const { folder, remove } = makeFolder('floods')
  parts.defer(remove)
  const sink = await Sink.start(await freePort())
  parts.defer(() => sink.stop())
  const relay = `relayhost: { host: 127.0.0.1, port: ${sink.port}, tls: none }`
  const posthorn = await startPosthorn({ folder, settings: relay })
  parts.defer(() => posthorn.stop())
  // What the program takes to be warm is not theirs.
  await behaveWell(posthorn.port, { forMs: full ? 10_000 : 3_000, atOnce: 20, pauseMs: 0 })
  const before = posthorn.memory()
  const each = full ? 10 : 2
  const [others, contents] = [FLOODS.filter(isOther), FLOODS.filter((one) => !isOther(one))]
  const first = await wave(posthorn, { floods: others, each, say })
  const second = await wave(posthorn, { floods: contents, each, say })
  const honest = [first.honest, second.honest]
  const sum = (pick: (one: Honest) => number) => honest.reduce((all, one) => all + pick(one), 0)
  return [
    { what: 'floods', value: FLOODS.length * each },
    { what: 'that did not meet their limit', value: first.unbounded + second.unbounded, atMost: 0 },
    { what: 'memory more than before', value: first.memory - before, unit: 'MiB', atMost: MOST_MEMORY_MIB },
    { what: 'the same, for contents', value: second.memory - before, unit: 'MiB', atMost: MOST_CONTENT_MEMORY_MIB },
    { what: 'honest sessions beside them', value: sum(({ sessions }) => sessions), atLeast: 10 },
    { what: 'of which failed', value: sum(({ sessions, worked }) => sessions - worked), atMost: 0 },
    { what: 'their 95th percentile', value: Math.max(...honest.map(({ p95 }) => p95)), unit: 'ms', atMost: 1_000, isPace: true },
    { what: 'replies in the order of ten commands', value: await inOrder(posthorn), atLeast: 10 },
  ] // biome-ignore format: a table
}

const isOther = (one: Flood) => !one.isContent

type Wave = {
  readonly floods: readonly Flood[]
  readonly each: number
  readonly say: Circumstances['say']
}

/** All of them at once, and honest clients beside them until the last has ended. */
async function wave(posthorn: Posthorn, { floods, each, say }: Wave) {
  let memory = 0
  const watch = setInterval(() => {
    memory = Math.max(memory, posthorn.memory())
  }, 100)
  const over = new AbortController()
  const honest = behaveWell(posthorn.port, {
    forMs: PATIENCE_MS,
    from: '127.0.0.9',
    until: over.signal,
  })
  let unbounded = 0
  const pours = floods.map(async (one) => {
    const began = performance.now()
    const ends = await Promise.all(Array.from({ length: each }, () => pour(posthorn, one)))
    const bad = ends.filter(({ met }) => !met)
    unbounded += bad.length
    const octets = Math.max(...ends.map((end) => end.octets)) / MIB
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    say(`${one.what}: ${octets.toFixed(1)} MiB, ${seconds} s, ${bad[0]?.why ?? 'met its limit'}`)
  })
  await Promise.all(pours)
  over.abort()
  clearInterval(watch)
  return { memory, unbounded, honest: await honest }
}

type End = { readonly met: boolean; readonly octets: number; readonly why?: string }

/** Says it until the server ends the connection; reads only as much as the system takes for it. */
function pour({ port }: Posthorn, { first, more, answer }: Flood): Promise<End> {
  const piece = Buffer.from(more.repeat(Math.ceil(16_384 / more.length)), 'latin1')
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let said = ''
    let octets = 0
    let over = false
    const end = (why: string) => {
      if (over) return
      over = true
      clearTimeout(timer)
      socket.destroy()
      const met = said.split('\r\n').some((line) => answer.test(line))
      const last = said.trimEnd().split('\r\n').at(-1)
      resolve({
        met: met && why === '',
        octets,
        ...(!(met && why === '') && { why: `${why} ${last}` }),
      })
    }
    const timer = setTimeout(() => end('it goes on and on:'), PATIENCE_MS)
    const on = () => {
      while (!over && socket.writable && socket.write(piece)) octets += piece.length
      octets += piece.length
    }
    socket.on('drain', on)
    socket.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('latin1')).slice(-100_000)
    })
    socket.on('error', () => end(''))
    socket.on('close', () => end(''))
    socket.on('end', () => end(''))
    socket.once('connect', () => {
      socket.write(first)
      on()
    })
  })
}

/** Commands in one write: their replies, in this order. */
async function inOrder({ port }: Posthorn): Promise<number> {
  const caller = Caller.call({ port })
  await caller.reply()
  caller.write(`${EHLO}NOOP\r\n${FROM}VRFY x\r\n${TO}HELP\r\nFROB\r\nRSET\r\nDATA\r\nQUIT\r\n`)
  const codes: number[] = []
  for (let i = 0; i < 10; i++) codes.push(await caller.code())
  await sleep(10)
  caller.hangUp()
  const wanted = [250, 250, 250, 252, 250, 214, 500, 250, 503, 221]
  return codes.filter((code, i) => code === wanted[i]).length
}
