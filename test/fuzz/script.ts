// Sessions to hold: what a client says, where it stops, how it leaves. The model goes along while a
// script is made, so that most of what is said leads somewhere.

import type { Dice } from './dice.ts'
import {
  contents,
  hellos,
  lastCommands,
  logins,
  lookAlikes,
  plainCommands,
  recipients,
  responses,
  senders,
} from './dictionary.ts'
import { Model, type Rules } from './model.ts'

/** Something to say, octets as text; or what comes after 220 to STARTTLS. */
export type Item = { readonly say: string } | { readonly handshake: 'good' | 'garbage' }

/**
 * How a client leaves: `patient` waits for every reply, `fin` closes its side with its last octets,
 * `destroy` and `reset` are gone at once.
 */
export type Ending = 'patient' | 'fin' | 'destroy' | 'reset'

export type Script = {
  readonly items: readonly Item[]
  readonly ending: Ending
  /** Only this part of the last octets is sent. */
  readonly part: number
  /** Decides how octets are cut into segments. */
  readonly salt: number
}

/** What is sent in one go, and how many replies have come when all of it is answered. */
export type Act = {
  readonly octets: string
  readonly replies: number
  readonly handshake?: 'good' | 'garbage'
}

export type Plan = { readonly acts: readonly Act[]; readonly model: Model }

/** What a script comes to; handshakes that nobody invited to are left out. */
export function planOf(script: Script, rules: Rules): Plan {
  const model = new Model(rules)
  const acts: Act[] = []
  let octets = ''
  const items = script.items.filter((item, i) => 'say' in item || invites(script.items, i, rules))
  const lastSaid = items.findLastIndex((item) => 'handshake' in item) + 1
  const tail = items.slice(lastSaid).map((item) => ('say' in item ? item.say : ''))
  const whole = tail.join('')
  for (const item of items.slice(0, lastSaid)) {
    if ('say' in item) {
      octets += item.say
      model.feed(item.say)
      continue
    }
    acts.push({ octets, replies: model.replies.length, handshake: item.handshake })
    octets = ''
    if (item.handshake === 'good') model.secured()
    else model.over = true
  }
  const sent = whole.slice(0, Math.round(whole.length * script.part))
  model.feed(sent)
  acts.push({ octets: octets + sent, replies: model.replies.length })
  return { acts, model }
}

/** Whether the server awaits a handshake after the items before this one. */
function invites(items: readonly Item[], at: number, rules: Rules): boolean {
  const model = new Model(rules)
  for (const item of items.slice(0, at)) {
    if ('say' in item) model.feed(item.say)
    else if (model.awaitsTls && !model.over && item.handshake === 'good') model.secured()
    else if (model.awaitsTls) return false
  }
  return model.awaitsTls && !model.over
}

/** A script for a listener with these rules. */
export function scriptFor(dice: Dice, rules: Rules): Script {
  const model = new Model(rules)
  const items: Item[] = []
  const lineEnd = rules.trusted && dice.oneIn(2) ? '\n' : '\r\n'
  const length = 2 + dice.skewed(40)
  // Some say one more thing after the server has hung up.
  for (let after = 0; items.length < length && after < 2; after += model.over ? 1 : 0) {
    if (model.awaitsTls && !model.over && !dice.oneIn(4)) {
      const handshake = dice.oneIn(6) ? 'garbage' : 'good'
      items.push({ handshake })
      if (handshake === 'garbage') break
      model.secured()
      continue
    }
    const say = latin1(nextSaid(dice, model, { rules, lineEnd }))
    items.push({ say })
    if (!model.over) model.feed(say)
  }
  const ending = dice.pick<Ending>(['patient', 'patient', 'fin', 'fin', 'fin', 'destroy', 'reset'])
  const part = dice.oneIn(3) ? dice.below(1_000) / 1_000 : 1
  return { items, ending, part, salt: dice.next() }
}

const latin1 = (text: string) => (isWide(text) ? Buffer.from(text).toString('latin1') : text)
const isWide = (text: string) => /[^\u0000-\u00ff]/.test(text)

type Manner = { readonly rules: Rules; readonly lineEnd: string }

/** The next thing to say: mostly what fits, sometimes anything. */
function nextSaid(dice: Dice, model: Model, manner: Manner): string {
  const { lineEnd } = manner
  if (dice.oneIn(60)) return noise(dice)
  if (model.reading === 'content') return contentSaid(dice, manner)
  if (model.reading === 'login') return `${dice.pick(responses)}${lineEnd}`
  const line = dice.oneIn(5) ? anyLine(dice, manner) : fittingLine(dice, model, manner)
  if (line.startsWith('BDAT ') || line.endsWith('\n')) return line
  const odd = dice.oneIn(80)
  return `${inAnyCase(dice, line)}${odd ? dice.pick(['\n', '\r\n', '\r\r\n', '\0\r\n', '\r']) : lineEnd}`
}

function fittingLine(dice: Dice, model: Model, manner: Manner): string {
  const { transaction } = model
  if (!model.greeted) return model.tls && dice.oneIn(2) ? anyLine(dice, manner) : dice.pick(hellos)
  if (!transaction) {
    if (manner.rules.tls === 'starttls' && !model.tls && dice.oneIn(3)) return 'STARTTLS'
    if (dice.oneIn(5)) return dice.oneIn(2) ? logins[0]! : dice.pick(logins)
    return `MAIL ${dice.pick([...senders.keys()])}`
  }
  if (transaction.chunks !== undefined) return chunkSaid(dice, manner)
  if (transaction.to.length === 0 || dice.oneIn(3))
    return `RCPT ${dice.pick([...recipients.keys()])}`
  return dice.oneIn(2) ? 'DATA' : chunkSaid(dice, manner)
}

function anyLine(dice: Dice, manner: Manner): string {
  switch (dice.below(10)) {
    case 0:
      return dice.pick(hellos)
    case 1:
      return `MAIL ${dice.pick([...senders.keys()])}`
    case 2:
      return `RCPT ${dice.pick([...recipients.keys()])}`
    case 3:
      return dice.pick(logins)
    case 4:
      return chunkSaid(dice, manner)
    case 5:
      return dice.oneIn(3) ? dice.pick(lastCommands) : 'RSET'
    case 6:
      return utf8Broken(dice)
    default:
      return dice.pick(plainCommands)
  }
}

/** Octets that are no UTF-8, as text. */
const utf8Broken = (dice: Dice) => `NOOP ${dice.pick(['\u00ff', '\u00c3', '\u00e2\u0082'])}`

function inAnyCase(dice: Dice, line: string): string {
  if (!dice.oneIn(10)) return line
  const verb = /^[A-Za-z]+/.exec(line)?.[0] ?? ''
  return (
    [...verb].map((c) => (dice.oneIn(2) ? c.toLowerCase() : c)).join('') + line.slice(verb.length)
  )
}

function noise(dice: Dice): string {
  const octets = Buffer.allocUnsafe(dice.skewed(300))
  for (let i = 0; i < octets.length; i++) octets[i] = dice.below(256)
  // A line that begins with what may be a verb of the dictionary is not for noise to make.
  return `~${octets.toString('latin1').replaceAll('\n', '\n~')}`
}

function contentSaid(dice: Dice, { rules, lineEnd }: Manner): string {
  let text = dice.pick(contents)
  if (dice.oneIn(8)) text += lookAlike(dice)
  if (dice.oneIn(40)) text += '0123456789\r\n'.repeat(1_000)
  if (rules.judged && dice.oneIn(15))
    text += `${'0123456789 '.repeat(80)}\r\n`.repeat(dice.between(200, 800))
  const stuffed = dice.oneIn(10) ? text : text.replace(/^\./gm, '..')
  const ended = stuffed === '' || stuffed.endsWith('\n') ? stuffed : `${stuffed}\r\n`
  const end = dice.oneIn(15) ? '' : '.\r\n'
  const content = `${ended}${end}`
  return lineEnd === '\n' && !dice.oneIn(10) ? content.replaceAll('\r\n', '\n') : content
}

function lookAlike(dice: Dice): string {
  return `first${dice.pick(lookAlikes)}MAIL FROM:<evil@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n`
}

/** A chunk with its command; its size may be wrong. */
function chunkSaid(dice: Dice, { rules, lineEnd }: Manner): string {
  if (rules.judged) return soundChunk(dice, lineEnd)
  const text = dice.pick(contents)
  const from = dice.oneIn(3) ? dice.below(text.length + 1) : 0
  const chunk = latin1(dice.oneIn(20) ? `${text}${lookAlike(dice)}` : text.slice(from))
  const error = dice.oneIn(25) ? dice.pick([-3, -1, 1, 2, 10, 100_000]) : 0
  const size = Math.max(0, chunk.length + error)
  return `BDAT ${size}${dice.oneIn(2) ? ' LAST' : ''}${lineEnd}${chunk}`
}

/** A chunk that a service which judges content can only refuse at its end: with a header, of sound lines. */
function soundChunk(dice: Dice, lineEnd: string): string {
  const text = dice.pick(contents.filter((one) => one.startsWith('From: ')))
  const chunk = dice.oneIn(15) ? `${text}${'x'.repeat(700)}\r\n`.repeat(dice.between(1, 400)) : text
  return `BDAT ${chunk.length}${dice.oneIn(2) ? ' LAST' : ''}${lineEnd}${chunk}`
}
