// Log lines for people: time, level, message, then `name=value`. Colour only repeats what the words
// say, so nothing is lost without it.

import type { LogFields } from './log.ts'

const NAMES = { debug: 'debug', info: 'info ', warn: 'WARN ', error: 'ERROR' } as const
const COLOURS = { debug: 90, info: 32, warn: 33, error: 31 } as const
/** Values longer than this are cut: the whole of it is in the JSON form. */
const LONGEST_VALUE = 2_000

type Head = {
  readonly level: keyof typeof NAMES
  readonly now: number
  readonly colour: boolean
}

/** One line with its line feed. */
export function plainLine(
  head: Head,
  message: string,
  { fields, inherited }: { fields: LogFields; inherited: string },
): string {
  const time = clockTime(head.now)
  const name = NAMES[head.level]
  const start = head.colour
    ? `\u001b[2m${time}\u001b[22m \u001b[${COLOURS[head.level]}m${name}\u001b[39m `
    : `${time} ${name} `
  const { error, ...rest } = fields
  const trouble = error === undefined ? '' : `  ${describeError(error)}`
  return `${start}${harmless(message)}${inherited}${plainPrefix(rest)}${trouble}\n`
}

/** ` name=value name="two words"`; nothing for values that are undefined. */
export function plainPrefix(fields: LogFields): string {
  let text = ''
  for (const name in fields) {
    const value = fields[name]
    if (value !== undefined) text += ` ${name}=${plainValue(value)}`
  }
  return text
}

function plainValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text =
    typeof value === 'string' ? value : value instanceof Error ? value.message : json(value)
  const short = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text
  return /^[^\s"=]+$/.test(short) ? harmless(short) : `"${harmless(short).replaceAll('"', "'")}"`
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}

/** An error with its causes, and where the innermost came from. */
function describeError(error: unknown): string {
  const parts: string[] = []
  let place = ''
  for (let at = error, depth = 0; at !== undefined && depth < 5; depth++) {
    if (!(at instanceof Error)) {
      parts.push(typeof at === 'string' ? at : json(at))
      break
    }
    parts.push(`${at.name}: ${at.message}`)
    place = /\n\s+(at .*)/.exec(at.stack ?? '')?.[1] ?? place
    at = at.cause
  }
  return harmless(`${parts.join(' <- ')}${place && ` (${place})`}`.slice(0, LONGEST_VALUE))
}

/** Controls become spaces or escapes: foreign text stays on its line and cannot command a terminal. */
export function harmless(text: string): string {
  if (!/[\u0000-\u001f]/.test(text)) return text
  return text.replace(/[\r\n\t]+/g, ' ').replace(/[\u0000-\u001f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}

/** Local time, `14:03:07.123`. */
function clockTime(now: number): string {
  const date = new Date(now)
  const two = (part: number) => (part < 10 ? `0${part}` : String(part))
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
