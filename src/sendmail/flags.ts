import { EXIT, SendmailFault } from './exit.ts'

/** What one call asks for. */
export type Wish = {
  readonly mode: Mode
  /** The configuration file that -C names. */
  readonly config?: string
  /** -f or -r, as it was given; empty for the null reverse-path. */
  readonly from?: string
  /** -F, the author's name where the message has no From field. */
  readonly fullName?: string
  /** -t: recipients stand in the header, too. */
  readonly headerRecipients: boolean
  /** A line with only a dot ends the message: without -i. */
  readonly dotEnds: boolean
  /** -N, as NOTIFY of RCPT. */
  readonly notify?: string
  /** -R, as RET of MAIL. */
  readonly ret?: 'FULL' | 'HDRS'
  /** -V, as it was given. */
  readonly envelopeId?: string
  /** -O requiretls=yes (RFC 8689). */
  readonly requireTls: boolean
  /** What stands behind the flags: addresses. */
  readonly operands: readonly string[]
}

/**
 * `send` reads a message (-bm), `smtp` speaks SMTP on standard input (-bs), `verify` asks for the
 * addresses only (-bv), `queue` lists (-bp), `aliases` checks them (-bi), `flush` is -q: nothing to do.
 */
export type Mode = 'send' | 'smtp' | 'verify' | 'queue' | 'aliases' | 'flush'

const MODES: Readonly<Record<string, Mode>> = {
  m: 'send',
  s: 'smtp',
  v: 'verify',
  p: 'queue',
  i: 'aliases',
}

type Draft = { -readonly [K in keyof Wish]: Wish[K] }

type Take = (draft: Draft, value: string) => void
const ignore: Take = () => {}

/** Letters with a value, in the same word or the next one, as Postfix takes them. */
const VALUED: Readonly<Record<string, Take>> = {
  A: ignore,
  B: ignore, // what the body is counts, not what is said of it
  C: (draft, value) => (draft.config = value),
  F: (draft, value) => (draft.fullName = value),
  L: ignore,
  M: ignore,
  N: (draft, value) => (draft.notify = notifyOf(value)),
  O: (draft, value) => takeOption(value, draft),
  R: (draft, value) => (draft.ret = retOf(value)),
  V: (draft, value) => (draft.envelopeId = value),
  X: ignore,
  b: (draft, value) => (draft.mode = modeOf(value)),
  e: ignore,
  f: (draft, value) => (draft.from = value),
  h: ignore,
  o: (draft, value) => (draft.dotEnds &&= value !== 'i' && value !== 'i=true'),
  p: ignore,
  r: (draft, value) => (draft.from = value),
}

/** These have nothing behind them and change nothing here: -G -U -m -n -v -c -x -a -E. */
const IGNORED = new Set('GUmnvcxaE')

/**
 * Reads a command line. What other mailers know and what makes no difference here is passed over in
 * silence, as callers expect. Throws a SendmailFault.
 * @param name how we were called: `mailq` and `newaliases` are modes
 */
export function readFlags(name: string, words: readonly string[]): Wish {
  const draft: Draft = {
    mode: name === 'mailq' ? 'queue' : name === 'newaliases' ? 'aliases' : 'send',
    headerRecipients: false,
    dotEnds: true,
    requireTls: false,
    operands: [],
  }
  let next = 0
  while (next < words.length) {
    const word = words[next]!
    if (word === '--') {
      next++
      break
    }
    if (!word.startsWith('-') || word === '-') break
    next += readWord(word, words[next + 1], draft)
  }
  draft.operands = words.slice(next)
  return draft
}

/** Reads the letters of one word; returns how many words that took. */
function readWord(word: string, following: string | undefined, draft: Draft): 1 | 2 {
  for (let i = 1; i < word.length; i++) {
    const letter = word[i]!
    const rest = word.slice(i + 1)
    if (letter === 'q') {
      // -q, -q30m, -qRname: never the next word.
      if (draft.mode === 'send') draft.mode = 'flush'
      return 1
    }
    if (letter === 'd') return 1 // -d0.1 of Sendmail
    const take = Object.hasOwn(VALUED, letter) ? VALUED[letter] : undefined
    if (take) {
      const value = rest === '' ? following : rest
      if (value === undefined)
        throw new SendmailFault(EXIT.usage, `option -${letter} needs a value`)
      take(draft, value)
      return rest === '' ? 2 : 1
    }
    takeLetter(letter, draft)
  }
  return 1
}

function takeLetter(letter: string, draft: Draft): void {
  if (letter === 't') draft.headerRecipients = true
  else if (letter === 'i') draft.dotEnds = false
  else if (letter === 'I') draft.mode = 'aliases'
  else if (!IGNORED.has(letter))
    throw new SendmailFault(EXIT.usage, `unknown option -${printable(letter)}`)
}

/** -O name=value: two that mean something to us. */
function takeOption(text: string, draft: Draft): void {
  const [, name = '', value = ''] = /^(\w+)\s*=?\s*(.*)$/.exec(text) ?? []
  const on = /^(?:yes|true|y|t|1|)$/i.test(value)
  if (/^requiretls$/i.test(name)) draft.requireTls = on
  if (/^IgnoreDots$/i.test(name)) draft.dotEnds = !on
}

function modeOf(value: string): Mode {
  const mode = MODES[value]
  if (mode) return mode
  const daemon = /^[dDlhHt]/.test(value) ? ': the server is started by `posthorn serve`' : ''
  throw new SendmailFault(EXIT.usage, `unsupported option -b${printable(value)}${daemon}`)
}

/** RFC 3461 §4.1 */
function notifyOf(value: string): string {
  const words = value.toUpperCase().split(/\s*,\s*/)
  const known = words.every((word) => ['SUCCESS', 'FAILURE', 'DELAY'].includes(word))
  if (value.toUpperCase() === 'NEVER' || known) return words.join(',')
  throw new SendmailFault(
    EXIT.usage,
    `option -N takes never, or success, failure and delay with commas between: ${printable(value)}`,
  )
}

/** RFC 3461 §4.3 */
function retOf(value: string): 'FULL' | 'HDRS' {
  const word = value.toUpperCase()
  if (word === 'FULL' || word === 'HDRS') return word
  throw new SendmailFault(EXIT.usage, `option -R takes full or hdrs: ${printable(value)}`)
}

const printable = (text: string): string => text.slice(0, 60).replace(/[^ -~]/g, '?')
