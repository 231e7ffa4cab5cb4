// A message in the drop folder: the SMTP transaction as text, then the content to the end of the
// file. `DATA` says how long that is, so that half a file is known for one.
//
//   MAIL FROM:<root@web1> BODY=8BITMIME
//   RCPT TO:<root@web1>
//   DATA 1234
//   (1234 octets)

import { type Command, parseCommand } from '../mail/command.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import { formatReply } from '../mail/reply.ts'

/** A file's name: when it was left, and what nobody guesses. */
export const DROP_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
/** Being written. */
export const DRAFT_NAME = /\.new$/

/** The lines before the content may take this much. */
export const LONGEST_HEAD = 512 * 1024

export type DropHead = {
  readonly envelope: Envelope
  /** Octets of content that DATA promises. */
  readonly size: number
  /** Where the content begins. */
  readonly start: number
}

/** Reads the lines before the content; `bytes` may be more. A text says what is wrong. */
export function parseDropHead(bytes: Buffer): DropHead | string {
  let mail: (Command & { verb: 'MAIL' }) | undefined
  const recipients: Recipient[] = []
  let start = 0
  for (;;) {
    const end = bytes.indexOf(0x0a, start)
    if (end < 0) return 'no DATA line'
    const line = bytes.toString('utf8', start, end).replace(/\r$/, '')
    start = end + 1
    const [, size] = /^DATA (\d{1,15})$/.exec(line) ?? []
    if (size !== undefined) {
      if (!mail) return 'no MAIL line'
      if (recipients.length === 0) return 'no RCPT line'
      const { declaredSize: _, ...parameters } = mail.parameters
      const envelope = { ...parameters, reversePath: mail.reversePath, recipients }
      return { envelope, size: Number(size), start }
    }
    const command = parseCommand(line)
    if (command.verb === 'MAIL' && !mail) mail = command
    else if (command.verb === 'RCPT' && command.mailbox !== 'postmaster')
      recipients.push({ mailbox: command.mailbox, ...command.parameters })
    else return why(command, line)
  }
}

function why(command: ReturnType<typeof parseCommand>, line: string): string {
  const shown = line.slice(0, 80).replace(/[^ -~]/g, '?')
  const says = command.verb === 'FAULT' ? `: ${formatReply(command.reply).trim()}` : ''
  return `an unexpected line: ${shown}${says}`
}
