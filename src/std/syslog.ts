// Log lines as a syslog daemon writes them to a file (RFC 3164 §4.1): time, host, program[number]: text.
// Programs that read mail.log find what they look for by these columns.

import type { LogFields } from './log.ts'
import { harmless, plainPrefix } from './plain.ts'

/** Fields with these names are columns: who writes, and in the place of the process, which of them. */
export type SyslogColumns = { readonly daemon?: string; readonly number?: number }

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const LEVELS = { debug: 'debug: ', info: '', warn: 'warning: ', error: 'error: ' } as const

export type SyslogForm = (
  head: { readonly level: keyof typeof LEVELS; readonly now: number },
  message: string,
  about: { readonly fields: LogFields & SyslogColumns; readonly inherited: string },
) => string

/**
 * Makes lines with their line feed, for a machine and a program. A line that names a `daemon` is its
 * message alone; others are told with their level and fields.
 */
export function syslogForm({ host, program }: { host: string; program: string }): SyslogForm {
  const stamp = stamps()
  const name = harmless(host).replace(/\s/g, '') || 'localhost'
  return ({ level, now }, message, { fields, inherited }) => {
    const { daemon, number = process.pid, ...rest } = fields
    const start = `${stamp(now)} ${name} ${daemon ?? program}[${number}]: `
    if (daemon !== undefined) return `${start}${harmless(message)}\n`
    return `${start}${LEVELS[level]}${harmless(message)}${inherited}${plainPrefix(rest)}\n`
  }
}

/** `Nov  1 14:03:07`, local time; each second is formatted once. */
function stamps(): (now: number) => string {
  let second = Number.NaN
  let text = ''
  const two = (part: number) => String(part).padStart(2, '0')
  return (now) => {
    const at = Math.floor(now / 1000)
    if (at === second) return text
    second = at
    const date = new Date(now)
    const day = String(date.getDate()).padStart(2, ' ')
    const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
    text = `${MONTHS[date.getMonth()]} ${day} ${time}`
    return text
  }
}
