// The log as people and machines see it: one line for each, on standard error.

import { stripVTControlCharacters, styleText } from 'node:util'
import { destination, pino, stdSerializers, stdTimeFunctions } from 'pino'
import type { Log } from '../std/log.ts'
import type { Output } from './world.ts'

export type LogOptions = {
  readonly format: 'auto' | 'plain' | 'json'
  readonly level: 'debug' | 'info' | 'warn' | 'error'
}

/** JSON lines are gathered and written every so often; a crash may lose this much of the log. */
const FLUSH_MS = 100

const base = {
  base: null,
  timestamp: stdTimeFunctions.isoTime,
  errorKey: 'error',
  serializers: { error: stdSerializers.err },
  formatters: { level: (label: string) => ({ level: label }) },
}

/** Makes the log; `flush` writes what is gathered, for the end of the process. */
export function makeLog(options: LogOptions, output: Output): { log: Log; flush(): void } {
  const plain = options.format === 'plain' || (options.format === 'auto' && output.isTTY)
  if (plain) {
    const sink = { write: (line: string) => output.write(plainLine(line, output.isTTY)) }
    return { log: pino({ ...base, level: options.level }, sink), flush: () => {} }
  }
  const file = destination({ fd: 2, sync: false, minLength: 8192, periodicFlush: FLUSH_MS })
  return {
    log: pino({ ...base, level: options.level }, file),
    flush: () => file.flushSync(),
  }
}

const colours = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const

/** `12:00:01 info  accepted  id=… from=…` */
export function plainLine(json: string, colour: boolean): string {
  const { time, level, msg, error, ...fields } = JSON.parse(json) as Record<string, unknown>
  const word = String(level)
  const shown = word.padEnd(5)
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${plainValue(value)}`)
  if (error) pairs.push(`error=${plainValue((error as { message?: string }).message ?? error)}`)
  const painted =
    colour && word in colours ? styleText(colours[word as keyof typeof colours], shown) : shown
  return `${[String(time).slice(11, 19), painted, stripVTControlCharacters(String(msg ?? '')), ...pairs].join(' ')}\n`
}

function plainValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[^\s"=\u0000-\u001f\u007f-\u009f]+$/.test(text) ? text : JSON.stringify(text)
}
