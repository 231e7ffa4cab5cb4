// Whole SMTP sessions against real listeners, held against the model: every reply in its order, every
// message with its envelope and content, and no other; nothing left over of what was given up. A
// session follows from its seed and number alone.

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Dice, seedOf } from './dice.ts'
import { collectGarbage } from './heap.ts'
import type { Act, Plan, Script } from './script.ts'
import { planOf, scriptFor } from './script.ts'
import { openVariants, type Variant } from './variants.ts'

export type SessionOptions = {
  readonly sessions: number
  readonly seed: number
  readonly first?: number
  readonly say?: (text: string) => void
}

export type SessionFigures = {
  readonly sessions: number
  readonly seconds: number
  readonly replies: number
  readonly messages: number
  /** Sessions held twice, with other segments, and compared. */
  readonly repeated: number
  readonly handshakes: number
  readonly heapGrowthMiB: number
  readonly failure?: string
}

const AT_ONCE = 24
/** Turns of the event loop without a word: on a machine that has no time for us, time proves nothing. */
const STUCK_TICKS = 3_000
const TICK_MS = 5
const SHRINKING_MS = 30_000
const MOST_SEGMENTS = 250

type Counts = { replies: number; messages: number; repeated: number; handshakes: number }

/** Holds so many sessions; stops at the first that departs from the model. */
export async function fuzzSessions(options: SessionOptions): Promise<SessionFigures> {
  const { sessions, seed, first = 0, say } = options
  const variants = await openVariants()
  const counts: Counts = { replies: 0, messages: 0, repeated: 0, handshakes: 0 }
  const startedAt = performance.now()
  let failure: string | undefined
  let heapBefore = 0
  let done = 0
  try {
    while (done < sessions && !failure) {
      const batch = Math.min(AT_ONCE, sessions - done)
      const numbers = Array.from({ length: batch }, (_, i) => first + done + i)
      failure = await holdBatch(variants, { numbers, seed, counts })
      done += batch
      if (heapBefore === 0 && done >= Math.min(2_000, sessions / 4)) heapBefore = collectGarbage()
      if (done % 4_800 < AT_ONCE) say?.(`sessions: ${done} of ${sessions}`)
    }
    failure ??= await healthOf(variants, counts)
  } finally {
    for (const variant of variants) await variant[Symbol.asyncDispose]()
  }
  return {
    sessions: done,
    seconds: (performance.now() - startedAt) / 1000,
    ...counts,
    heapGrowthMiB: (collectGarbage() - heapBefore) / 2 ** 20,
    ...(failure === undefined ? {} : { failure }),
  }
}

/** One session of a batch. */
type Case = {
  readonly number: number
  readonly variant: Variant
  readonly script: Script
  /** The same once more, in other segments. */
  readonly again: boolean
}

function caseOf(number: number, seed: number, variants: readonly Variant[]): Case {
  const dice = new Dice(seedOf(seed, 'session', number))
  const variant = dice.pick(variants)
  return { number, variant, script: scriptFor(dice, variant.rules), again: dice.oneIn(8) }
}

/** Holds some sessions at once; what is wrong with the first that is, with the way to have it again. */
async function holdBatch(
  variants: readonly Variant[],
  { numbers, seed, counts }: { numbers: readonly number[]; seed: number; counts: Counts },
): Promise<string | undefined> {
  const cases = numbers.map((number) => caseOf(number, seed, variants))
  const fault = await faultOf(cases, counts)
  if (fault === undefined) return undefined
  const one = cases[fault.at]!
  const script = fault.alone ? await shrunkScript(one) : one.script
  return (
    `session ${one.number} of seed ${seed} at ${one.variant.name}: ${fault.why}\n` +
    `${describe(script, one.variant)}\n` +
    `again: node test/fuzz/main.ts --only sessions --seed ${seed} --first ${one.number} --sessions 1`
  )
}

type Fault = { readonly at: number; readonly alone: boolean; readonly why: string }

/** Holds sessions at once and looks at each when all are over. */
async function faultOf(cases: readonly Case[], counts: Counts): Promise<Fault | undefined> {
  const variants = [...new Set(cases.map(({ variant }) => variant))]
  const held = await Promise.all(cases.map(holdCase))
  const open = await messageOf(() => sessionsEnded(variants))
  for (const [at, one] of cases.entries()) {
    const why = await messageOf(() => checkCase(one, held[at]!))
    if (why) return { at, alone: true, why: open ? `${why}\n${open}` : why }
    count(counts, held[at]!)
  }
  const why = open ?? (await messageOf(() => nothingLeft(variants)))
  return why === undefined ? undefined : { at: 0, alone: false, why: `or its neighbours: ${why}` }
}

async function messageOf(run: () => Promise<void>): Promise<string | undefined> {
  try {
    await run()
    return undefined
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}

/** What came of a session, and of its repetition. */
type Held = { readonly plan: Plan; readonly heard: readonly Heard[] }

async function holdCase({ variant, script, again }: Case): Promise<Held> {
  const plan = planOf(script, variant.rules)
  const scripts = again ? [script, { ...script, salt: ~script.salt }] : [script]
  return { plan, heard: await Promise.all(scripts.map((one) => hold(variant, one, plan))) }
}

async function checkCase({ variant, script }: Case, { plan, heard }: Held): Promise<void> {
  for (const one of heard) await check(variant, script, { plan, heard: one })
  // Queue ids and clients' addresses differ, and so do moments (until when mail may be held).
  const [first, second] = heard.map(({ text }) =>
    text.replace(/queued as \w+|127[.\d]+|\d{4}-\d\d-\d\dT[\d:]+Z/g, ''),
  )
  const eitherWay = plan.model.glued || plan.model.replies.some((code) => code.includes('|'))
  if (second === undefined || eitherWay || plan.model.talksOn || mayMiss(script, plan)) return
  assert.equal(second, first, 'other words for other segments')
}

function count(counts: Counts, { plan, heard }: Held): void {
  counts.replies += plan.model.replies.length * heard.length
  counts.messages += plan.model.delivered.length * heard.length
  counts.repeated += heard.length - 1
  counts.handshakes += plan.acts.filter((act) => act.handshake === 'good').length
}

/** What a client has heard, as text of octets. */
type Heard = { readonly text: string; readonly client: string; readonly stuck: boolean }

/** Whether the client left before it could have heard all. */
function mayMiss(script: Script, plan: Plan): boolean {
  const gone = script.ending === 'destroy' || script.ending === 'reset'
  return gone || (plan.model.tls && script.ending === 'fin')
}

async function check(
  variant: Variant,
  script: Script,
  { plan, heard }: { plan: Plan; heard: Heard },
): Promise<void> {
  const { model } = plan
  assert.ok(!heard.stuck, `stuck; heard ${JSON.stringify(heard.text.slice(-500))}`)
  const replies = repliesOf(heard.text, plan)
  // 421 when that was one error too many.
  const wanted = model.glued ? [...model.replies.slice(0, -1), '220|554|421'] : model.replies
  const gone = mayMiss(script, plan)
  const partly = gone || model.talksOn
  const codes = replies.map((reply) => reply.slice(0, 3))
  if (!matches(codes, wanted, partly)) assert.deepEqual(codes, wanted, 'other replies')
  const expected = model.delivered.map((message) => ({ message, said: replies[message.reply] }))
  await variant.compare(heard.client, expected, gone)
}

function matches(codes: readonly string[], wanted: readonly string[], partly: boolean): boolean {
  if (partly ? codes.length > wanted.length : codes.length !== wanted.length) return false
  return codes.every((code, i) => wanted[i]!.split('|').includes(code))
}

/** Whole replies, in order. After a STARTTLS that went wrong the TLS library may add its alert. */
function repliesOf(text: string, { model, acts }: Plan): string[] {
  const broken = model.glued || model.awaitsTls || acts.some((act) => act.handshake === 'garbage')
  const spoken = broken ? text.replace(/\x15\x03[\s\S]*$/, '') : text
  assert.match(spoken, /^(?:(?:\d{3}-[ -~\x80-\xff]{0,506}\r\n)*\d{3} [ -~\x80-\xff]{0,506}\r\n)*$/)
  return spoken.match(/(?:\d{3}-[^\r]*\r\n)*\d{3} [^\r]*\r\n/g) ?? []
}

async function sessionsEnded(variants: readonly Variant[]): Promise<void> {
  let ticks = 0
  for (const { name, listener } of variants) {
    while (listener.sessions > 0) {
      assert.ok(ticks++ < STUCK_TICKS, `sessions that never end at ${name}`)
      await new Promise((resolve) => setTimeout(resolve, ticks > 20 ? TICK_MS : 1))
    }
  }
}

async function nothingLeft(variants: readonly Variant[]): Promise<void> {
  for (const variant of variants) {
    assert.deepEqual(variant.faults, [])
    await variant.assertEmpty()
  }
}

/** An ordinary session still works everywhere. */
async function healthOf(variants: readonly Variant[], counts: Counts): Promise<string | undefined> {
  const says = ['EHLO a.example', 'MAIL FROM:<>', 'RCPT TO:<b@example.org>', 'NOOP', 'QUIT']
  const items = says.map((line) => ({ say: `${line}\r\n` }))
  const script: Script = { items, ending: 'patient', part: 1, salt: 1 }
  const cases = variants.map((variant) => ({ number: -1, variant, script, again: false }))
  const fault = await faultOf(cases, counts)
  return fault && `not healthy in the end: ${fault.why}`
}

let clients = 0

/** Says a script and listens. */
async function hold(variant: Variant, script: Script, plan: Plan): Promise<Heard> {
  const localAddress = `127.0.0.${1 + (clients++ % 250)}`
  const socket = connect({ host: '127.0.0.1', port: variant.listener.port, localAddress })
  const ear = new Ear(socket)
  await ear.connected
  const client = `${socket.localAddress}:${socket.localPort}`
  const dice = new Dice(script.salt)
  const watch = setInterval(() => ear.tick(), TICK_MS)
  let speaking: Socket = socket
  for (const [i, act] of plan.acts.entries()) {
    await speak(speaking, act, dice)
    if (act.handshake === undefined) break
    if (!(await ear.replies(act.replies))) break
    if (act.handshake === 'garbage') {
      socket.write(Buffer.from(plan.acts[i + 1]!.octets || 'EHLO no TLS here\r\n', 'latin1'))
      break
    }
    const secured = await ear.secure(dice.oneIn(2))
    if (!secured) break
    speaking = secured
  }
  await leave(ear, speaking, { script, plan })
  await ear.closed
  clearInterval(watch)
  return { text: ear.text, client, stuck: ear.stuck }
}

async function speak(socket: Socket, act: Act, dice: Dice): Promise<void> {
  const octets = Buffer.from(act.octets, 'latin1')
  const least = Math.ceil(octets.length / MOST_SEGMENTS)
  const most = dice.oneIn(4) ? octets.length : least + dice.skewed(dice.pick([1, 8, 60, 1_000]))
  socket.setNoDelay(true)
  for (let at = 0; at < octets.length && !socket.destroyed; ) {
    const size = dice.between(least, Math.max(least, most))
    socket.write(octets.subarray(at, at + size))
    at += size
    if (at < octets.length && !dice.oneIn(5)) await new Promise(setImmediate)
  }
}

async function leave(
  ear: Ear,
  socket: Socket,
  { script, plan }: { script: Script; plan: Plan },
): Promise<void> {
  switch (script.ending) {
    case 'patient':
      await ear.replies(plan.model.replies.length)
      socket.end()
      return
    case 'fin':
      socket.end()
      return
    case 'destroy':
      socket.destroy()
      return
    case 'reset':
      // A socket under TLS cannot be reset: Node would lose its handle, or free what OpenSSL reads.
      if (socket === ear.plain) socket.resetAndDestroy()
      else socket.destroy()
  }
}

/** A client's ear: all that is heard, how many replies that is, and when it is over. */
class Ear {
  text = ''
  stuck = false
  readonly plain: Socket
  readonly connected: Promise<void>
  readonly closed: Promise<void>
  #socket: Socket
  #counted = 0
  #count = 0
  #gone = false
  #ticks = 0
  #tickedAt = 0
  #wake = () => {}
  #close = () => {}

  constructor(socket: Socket) {
    this.plain = socket
    this.#socket = socket
    this.connected = new Promise((resolve) => socket.once('connect', resolve))
    this.closed = new Promise((resolve) => {
      this.#close = resolve
    })
    this.#listen(socket)
  }

  /** Resolves when so many replies have come; false when they will not. */
  async replies(wanted: number): Promise<boolean> {
    while (this.#countReplies() < wanted) {
      if (this.#gone) return false
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return true
  }

  /** @param early say nothing yet, but count on commands that go out with the handshake's end */
  async secure(early: boolean): Promise<TLSSocket | undefined> {
    this.plain.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close')
    const secured = connectTls({ socket: this.plain, rejectUnauthorized: false })
    this.#socket = secured
    this.#listen(secured)
    if (early) return secured
    const done = new Promise<boolean>((resolve) => {
      secured.once('secureConnect', () => resolve(true))
      secured.once('close', () => resolve(false))
    })
    return (await done) ? secured : undefined
  }

  /** Gives up after so many turns in which nothing was heard. */
  tick(): void {
    if (this.text.length > this.#tickedAt) this.#ticks = 0
    this.#tickedAt = this.text.length
    if (++this.#ticks < STUCK_TICKS) return
    this.stuck = true
    this.#socket.destroy()
    this.plain.destroy()
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1')
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('end', () => this.#wake())
    socket.on('close', () => {
      this.#gone = true
      this.#wake()
      this.#close()
    })
  }

  #countReplies(): number {
    for (;;) {
      const end = this.text.indexOf('\n', this.#counted)
      if (end < 0) return this.#count
      if (this.text[this.#counted + 3] !== '-') this.#count++
      this.#counted = end + 1
    }
  }
}

/** The script with as few items as still fail. */
async function shrunkScript(one: Case): Promise<Script> {
  const counts: Counts = { replies: 0, messages: 0, repeated: 0, handshakes: 0 }
  let best = one.script
  const deadline = performance.now() + SHRINKING_MS
  for (let smaller = true; smaller; ) {
    smaller = false
    for (let i = best.items.length - 1; i >= 0 && performance.now() < deadline; i--) {
      const script = { ...best, items: best.items.toSpliced(i, 1) }
      if (!(await faultOf([{ ...one, script }], counts))?.alone) continue
      best = script
      smaller = true
    }
  }
  return best
}

function describe(script: Script, variant: Variant): string {
  const { acts, model } = planOf(script, variant.rules)
  const said = acts.map(({ octets, handshake }) => {
    const shown = JSON.stringify(octets.length > 1_500 ? `${octets.slice(0, 1_500)}…` : octets)
    return handshake ? `${shown}, a ${handshake} handshake` : shown
  })
  return `C: ${said.join('\nC: ')}\n(${script.ending})\nexpected: ${model.replies.join(' ')}`
}
