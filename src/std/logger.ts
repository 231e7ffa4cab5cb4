// The Log that writes: pino's JSON, one object a line, plain lines for people, or such as syslog's
// for programs that read those. Lines are gathered
// and written off the event loop's path; a clean shutdown and process.exit() lose none. When the
// reader of a pipe stalls, memory stays bounded: lines beyond 16 MiB are dropped and counted.
//
// Log lines hold foreign text (replies, names, addresses). No format lets it end a line or reach a
// terminal as a control sequence.

import { pino } from 'pino'
import { type Clock, systemClock } from './clock.ts'
import type { Log, LogFields } from './log.ts'
import { type Masking, maskAddresses } from './mask.ts'
import { plainLine, plainPrefix } from './plain.ts'
import { type SyslogForm, syslogForm } from './syslog.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type LoggerOptions = {
  readonly format: 'json' | 'plain' | 'syslog'
  readonly level: LogLevel
  /** A file descriptor (1 is stdout) or a file's path. */
  readonly destination: number | string
  /** ANSI colours in plain lines; see colourWanted. */
  readonly colour?: boolean
  /** Mail addresses in lines are made unreadable. */
  readonly masking?: Masking
  /** What syslog lines are from. */
  readonly origin?: { readonly host: string; readonly program: string }
  readonly clock?: Clock
}

export type Logger = Log &
  AsyncDisposable & {
    /** Lines that were lost because nobody read. */
    readonly dropped: () => number
    /** Hands what is gathered to the system; resolves when it has been written. */
    readonly flush: () => Promise<void>
  }

const LEVELS: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 }

export function createLogger(options: LoggerOptions): Logger {
  const { clock = systemClock, level } = options
  const sink = new Sink(options.destination, options.masking)
  const log =
    options.format === 'json'
      ? pino({ level, base: null, ...JSON_FORM, timestamp: timestamp(clock) }, sink)
      : lineLog(sink, { clock, least: LEVELS[level], form: formOf(options), fields: '' })
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    child: (fields) => log.child(fields) as Log,
    dropped: () => sink.dropped,
    flush: () => sink.flush(),
    [Symbol.asyncDispose]: () => sink.close(),
  }
}

/**
 * Colours only for a terminal, and not against the user's wish.
 * @param environment the process's, for NO_COLOR (no-color.org), FORCE_COLOR and TERM
 */
export function colourWanted(
  environment: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (environment['NO_COLOR']) return false
  if (environment['FORCE_COLOR']) return environment['FORCE_COLOR'] !== '0'
  return isTerminal && environment['TERM'] !== 'dumb'
}

const JSON_FORM = {
  messageKey: 'message',
  formatters: { level: (label: string) => ({ level: label }) },
  serializers: { error: pino.stdSerializers.err },
}

/** `"time":"2026-11-21T12:00:00.123Z"`; the seconds are formatted once. */
function timestamp(clock: Clock): () => string {
  let second = Number.NaN
  let start = ''
  return () => {
    const now = Math.floor(clock.now())
    const milliseconds = ((now % 1000) + 1000) % 1000
    if (now - milliseconds !== second) {
      second = now - milliseconds
      start = `,"time":"${new Date(second).toISOString().slice(0, 20)}`
    }
    return `${start}${String(milliseconds).padStart(3, '0')}Z"`
  }
}

type LineState = { clock: Clock; least: number; form: SyslogForm; fields: string }

function formOf({ format, colour = false, origin }: LoggerOptions): SyslogForm {
  if (format === 'syslog') return syslogForm(origin ?? { host: 'localhost', program: 'node' })
  return (head, message, about) => plainLine({ ...head, colour }, message, about)
}

function lineLog(sink: Sink, state: LineState): Log {
  const write = (level: LogLevel) => {
    if (LEVELS[level] < state.least) return () => {}
    return (fields: LogFields, message: string) =>
      sink.write(
        state.form({ level, now: state.clock.now() }, message, { fields, inherited: state.fields }),
      )
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => lineLog(sink, { ...state, fields: state.fields + plainPrefix(fields) }),
  }
}

const GATHER_CHARACTERS = 64 * 1024
const GATHER_MS = 50
const MOST_BYTES = 16 * 1024 * 1024
const LONGEST_CLOSE_MS = 2_000
/** What a terminal may take for a command or for another order of the text, in JSON as escapes. */
const DANGEROUS = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/
const ALL_DANGEROUS = new RegExp(DANGEROUS, 'g')

/** Gathers lines into writes. */
class Sink {
  dropped = 0
  #gathered = ''
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** Nobody reads any more. */
  #broken = false
  /** Octets that are handed over and not yet written. */
  #pending = 0
  #waiting: (() => void)[] = []
  readonly #out: ReturnType<typeof pino.destination>
  readonly #masking: Masking | undefined
  readonly #atExit = () => this.#flushNow()

  constructor(destination: number | string, masking: Masking | undefined) {
    this.#masking = masking
    this.#out = pino.destination({
      dest: destination,
      sync: false,
      maxLength: MOST_BYTES,
      mkdir: typeof destination === 'string',
    })
    this.#out.on('write', (octets: number) => this.#wrote(octets))
    this.#out.on('drop', (text: string) => {
      this.dropped += text.split('\n').length - 1
      this.#wrote(Buffer.byteLength(text))
    })
    // A closed pipe or a full disk: mail goes on, the log does not.
    this.#out.on('error', (error: NodeJS.ErrnoException) => {
      this.#broken = error.code === 'EPIPE'
      this.#wrote(this.#pending)
    })
    process.on('exit', this.#atExit)
  }

  write(written: string): void {
    const line = this.#masking ? maskAddresses(written, this.#masking) : written
    this.#gathered += DANGEROUS.test(line) ? line.replace(ALL_DANGEROUS, escaped) : line
    if (this.#gathered.length >= GATHER_CHARACTERS) this.#pass()
    else this.#timer ??= setTimeout(() => this.#pass(), GATHER_MS).unref()
  }

  #pass(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const text = this.#gathered
    this.#gathered = ''
    if (text === '' || this.#closed || this.#broken) return
    this.#pending += Buffer.byteLength(text)
    this.#out.write(text)
  }

  #wrote(octets: number): void {
    this.#pending -= octets
    if (this.#pending > 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  async flush(): Promise<void> {
    this.#pass()
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** A reader that stalls must not keep the server from ending. */
  async close(): Promise<void> {
    if (this.#closed) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LONGEST_CLOSE_MS)
    })
    await Promise.race([this.flush(), late])
    clearTimeout(timer)
    this.#closed = true
    process.off('exit', this.#atExit)
    if (!this.#broken) this.#out.end()
  }

  #flushNow(): void {
    try {
      this.#pass()
      this.#out.flushSync()
    } catch {
      // Too late to tell anybody.
    }
  }
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
