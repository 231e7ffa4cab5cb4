import { type HeaderFault, type HeaderField, splitHeader } from '../mail/header.ts'
import { type Refusal, refuse } from '../mail/reply.ts'

/** Where the header of a message ends and what is in it. */
export type HeaderBlock = {
  readonly fields: readonly HeaderField[]
  /** Octets of the message before the body, the empty line included. */
  readonly octets: number
  /** The header's octets cannot stay as they came: something was cut off, or the empty line is missing. */
  readonly repaired: boolean
}

/** Fields that somebody meant as such, wherever they stand. */
const TELLING =
  /^(from|sender|reply-to|to|cc|bcc|subject|date|message-id|mime-version|content-[a-z-]+)[ \t]*:/i

/**
 * Reads the header at the start of a message. Throws a Refusal for what is no header. Repaired are:
 * a missing empty line, when no field stands after it; content without any header, as people type it
 * into a terminal; and the "From " line of a mailbox file.
 * @param text latin-1, from the first octet up to the empty line with it, or to the end of the message
 */
export function readHeaderBlock(text: string): HeaderBlock {
  const separator = /^>?From [^\r\n]*\r\n/.exec(text)
  const isSeparator = separator !== null && !/^>?From[ \t]*:/.test(separator[0])
  const start = isSeparator ? separator[0].length : 0
  const block = start > 0 ? text.slice(start) : text
  if (block.startsWith('\r\n')) return { fields: [], octets: start + 2, repaired: start > 0 }
  const closed = block.endsWith('\r\n')
  const fields = splitHeader(closed ? block : `${block}\r\n`)
  if (Array.isArray(fields)) {
    const repaired = start > 0 || !block.endsWith('\r\n\r\n')
    return { fields, octets: text.length, repaired }
  }
  return withoutEmptyLine(block, start, fields)
}

/** What stands from the faulty line on is taken for the text, unless there are fields in it. */
function withoutEmptyLine(block: string, start: number, fault: HeaderFault): HeaderBlock {
  const rest = block.slice(fault.position)
  if (fault.position > 0 && rest.split('\r\n').some((line) => TELLING.test(line))) {
    throw notAField(block, fault)
  }
  const fields = fault.position === 0 ? [] : splitHeader(block.slice(0, fault.position))
  if (!Array.isArray(fields)) throw notAField(block, fault)
  return { fields, octets: start + fault.position, repaired: true }
}

function notAField(block: string, fault: HeaderFault): Refusal {
  const line = block.slice(0, fault.position).split('\r\n').length
  const shown = block.slice(fault.position).split('\r\n', 1)[0]!.slice(0, 40)
  return refuse(
    550,
    '5.6.0',
    `Line ${line} of the header is ${fault.fault}: ${shown.replace(/[^ -~]/g, '?')}`,
    'Fix: put an empty line between the header and the text',
  )
}
