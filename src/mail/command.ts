// SMTP commands as values: RFC 5321 §4.1.1 and the extensions that we offer. The session switches
// over `verb`; a line that is no command is a value too, with the reply that it earns.

import { upperCase } from './ascii.ts'
import type { Recipient, ReversePath } from './envelope.ts'
import {
  describeBadMailbox,
  endOfQuotedString,
  formatMailbox,
  type Mailbox,
  parseBareName,
  parsePath,
} from './mailbox.ts'
import {
  formatMailParameters,
  formatRcptParameters,
  type MailParameters,
  parseMailParameters,
  parseRcptParameters,
  type RcptParameters,
} from './parameters.ts'
import { type Reply, reply } from './reply.ts'
import { parseXclient, type XclientAttributes } from './xclient.ts'

export type Command =
  | { readonly verb: 'XCLIENT'; readonly attributes: XclientAttributes }
  | { readonly verb: 'EHLO'; readonly name: string }
  | { readonly verb: 'HELO'; readonly name: string }
  | {
      readonly verb: 'MAIL'
      readonly reversePath: ReversePath
      readonly parameters: MailParameters
    }
  | {
      readonly verb: 'RCPT'
      /** 'postmaster' is `<Postmaster>` without a domain: ours (RFC 5321 §4.5.1). */
      readonly mailbox: Mailbox | 'postmaster'
      readonly parameters: RcptParameters
    }
  | { readonly verb: 'DATA' }
  | { readonly verb: 'BDAT'; readonly size: number; readonly last: boolean }
  | { readonly verb: 'RSET' }
  | { readonly verb: 'NOOP' }
  | { readonly verb: 'VRFY'; readonly text: string }
  | { readonly verb: 'HELP'; readonly topic: string }
  | { readonly verb: 'QUIT' }
  | { readonly verb: 'STARTTLS' }
  | {
      readonly verb: 'AUTH'
      /** In upper case. */
      readonly mechanism: string
      /** Still base64; `=` (an empty one, RFC 4954 §4) is ''. */
      readonly initialResponse?: string
    }

/** What a line was that is no command that can be obeyed. */
export type CommandFault = {
  readonly verb: 'FAULT'
  /**
   * 'unknown': no such verb; 'refused': a verb that we do not offer; 'syntax': a known verb with a
   * bad argument; 'foreign': another protocol talks to our port, hang up after the reply.
   */
  readonly fault: 'unknown' | 'refused' | 'syntax' | 'foreign'
  readonly reply: Reply
  /** Only the domain is missing: a command after all, for who can complete the name. */
  readonly bare?: BareName
}

export type BareName = {
  readonly localPart: string
  readonly role: 'sender' | 'recipient'
  completed(mailbox: Mailbox): Command
}

/**
 * Reads one command line.
 * @param line without its line end, decoded as UTF-8 (bad octets as U+FFFD, which no argument may hold)
 */
export function parseCommand(line: string): Command | CommandFault {
  const text = trimEnd(line) // RFC 5321 §4.1.1 asks to tolerate white space at the end
  const space = text.indexOf(' ')
  const verb = upperCase(space < 0 ? text : text.slice(0, space))
  const rest = space < 0 ? '' : text.slice(space + 1)
  switch (verb) {
    case 'MAIL':
      return parseMail(rest)
    case 'RCPT':
      return parseRcpt(rest)
    case 'EHLO':
    case 'HELO':
      return parseHello(verb, rest.trim())
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS':
      return rest.trim() === '' ? { verb } : syntax(`${verb} takes no argument`, verb)
    case 'BDAT':
      return parseBdat(rest)
    case 'NOOP':
      return NOOP
    case 'VRFY':
      return rest.trim() === ''
        ? syntax('VRFY needs an address', 'VRFY user@example.com')
        : { verb, text: rest.trim() }
    case 'HELP':
      return { verb, topic: rest.trim() }
    case 'AUTH':
      return parseAuth(rest)
    case 'XCLIENT': {
      const attributes = parseXclient(rest)
      if (typeof attributes !== 'string') return { verb, attributes }
      return syntax(attributes, 'XCLIENT ADDR=192.0.2.1 PORT=1025')
    }
    default:
      return notACommand(verb)
  }
}

const NOOP: Command = { verb: 'NOOP' }

function trimEnd(line: string): string {
  let end = line.length
  while (end > 0 && isBlank(line.charCodeAt(end - 1))) end--
  return end === line.length ? line : line.slice(0, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

function syntax(why: string, rightForm: string): CommandFault {
  return fault('syntax', reply(501, '5.5.4', `${why}; the form is: ${rightForm}`))
}

function fault(kind: CommandFault['fault'], answer: Reply): CommandFault {
  return { verb: 'FAULT', fault: kind, reply: answer }
}

/** Any name without spaces will do: RFC 5321 §4.1.4 forbids to refuse mail because of it. */
function parseHello(verb: 'EHLO' | 'HELO', name: string): Command | CommandFault {
  if (name === '') return syntax(`${verb} needs your host's name`, `${verb} host.example.com`)
  if (name.length > 255 || !/^[!-~\u00a0-\ufffc]+$/.test(name)) {
    return syntax(`${verb} takes one name of printable characters`, `${verb} host.example.com`)
  }
  return { verb, name }
}

const MAIL_FORM = 'MAIL FROM:<sender@example.com>'
const RCPT_FORM = 'RCPT TO:<recipient@example.com>'

function parseMail(rest: string): Command | CommandFault {
  const start = argumentStart(rest, 'FROM:')
  if (start < 0) return syntax('FROM: is missing after MAIL', MAIL_FORM)
  const end = pathEnd(rest, start)
  if (end <= start) return syntax('the sender is missing after FROM:', MAIL_FORM)
  const path = parsePath(rest.slice(start, end))
  if (!path) return bareSender(rest, { start, end })
  if (path.kind === 'postmaster') return badAddress('postmaster', '5.1.7', MAIL_FORM)
  const parameters = parseMailParameters(rest.slice(end + 1))
  if ('fault' in parameters) return fault('syntax', parameters.fault)
  return { verb: 'MAIL', reversePath: path.kind === 'null' ? null : path.mailbox, parameters }
}

function parseRcpt(rest: string): Command | CommandFault {
  const start = argumentStart(rest, 'TO:')
  if (start < 0) return syntax('TO: is missing after RCPT', RCPT_FORM)
  const end = pathEnd(rest, start)
  if (end <= start) return syntax('the recipient is missing after TO:', RCPT_FORM)
  const path = parsePath(rest.slice(start, end))
  if (!path) return bareRecipient(rest, { start, end })
  if (path.kind === 'null') return badAddress(rest.slice(start, end), '5.1.3', RCPT_FORM)
  const parameters = parseRcptParameters(rest.slice(end + 1))
  if ('fault' in parameters) return fault('syntax', parameters.fault)
  return {
    verb: 'RCPT',
    mailbox: path.kind === 'postmaster' ? 'postmaster' : path.mailbox,
    parameters,
  }
}

type Span = { readonly start: number; readonly end: number }

function bareSender(rest: string, { start, end }: Span): CommandFault {
  const text = rest.slice(start, end)
  const refused = badAddress(text, '5.1.7', MAIL_FORM)
  const localPart = parseBareName(text)
  const parameters = parseMailParameters(rest.slice(end + 1))
  if (localPart === undefined || 'fault' in parameters) return refused
  const completed = (reversePath: Mailbox): Command => ({ verb: 'MAIL', reversePath, parameters })
  return { ...refused, bare: { localPart, role: 'sender', completed } }
}

function bareRecipient(rest: string, { start, end }: Span): CommandFault {
  const text = rest.slice(start, end)
  const refused = badAddress(text, '5.1.3', RCPT_FORM)
  const localPart = parseBareName(text)
  const parameters = parseRcptParameters(rest.slice(end + 1))
  if (localPart === undefined || 'fault' in parameters) return refused
  const completed = (mailbox: Mailbox): Command => ({ verb: 'RCPT', mailbox, parameters })
  return { ...refused, bare: { localPart, role: 'recipient', completed } }
}

/** Where the path starts after `FROM:` or `TO:` and the spaces that some clients put there; -1 without the word. */
function argumentStart(rest: string, word: 'FROM:' | 'TO:'): number {
  let at = 0
  while (rest.charCodeAt(at) === 0x20) at++
  if (!rest.startsWith(word, at)) {
    if (rest.slice(at, at + word.length).toUpperCase() !== word) return -1
  }
  at += word.length
  while (rest.charCodeAt(at) === 0x20) at++
  return at
}

/**
 * The place after the path: a space or the end. A `>` that does not belong to a quoted string ends
 * a path in brackets; what follows it without a space is then no parameter, and no path either.
 */
function pathEnd(rest: string, start: number): number {
  const bracket = rest.charCodeAt(start) === 0x3c
  if (!rest.includes('"', start)) {
    const space = rest.indexOf(' ', bracket ? Math.max(rest.indexOf('>', start), start) : start)
    return space < 0 ? rest.length : space
  }
  for (let i = start; i < rest.length; i++) {
    const code = rest.charCodeAt(i)
    if (code === 0x20 && (!bracket || rest.charCodeAt(i - 1) === 0x3e)) return i
    if (code !== 0x22) continue
    const end = endOfQuotedString(rest, i)
    if (end < 0) return rest.length
    i = end - 1
  }
  return rest.length
}

/** RFC 3463 §3.2: 5.1.3 for a recipient's syntax, 5.1.7 for the sender's. */
function badAddress(path: string, enhanced: '5.1.3' | '5.1.7', form: string): CommandFault {
  const who = enhanced === '5.1.7' ? 'sender' : 'recipient'
  const why =
    path.startsWith('<') && !path.endsWith('>') ? unclosed(path) : describeBadMailbox(path)
  return fault('syntax', reply(501, enhanced, `Bad ${who} address: ${why}; the form is: ${form}`))
}

function unclosed(path: string): string {
  return path.includes('>') ? 'text follows its > without a space' : 'its < is never closed'
}

function parseBdat(rest: string): Command | CommandFault {
  const match = /^ *([0-9]{1,15})(?: +(LAST))?$/i.exec(rest)
  if (!match) return syntax('BDAT needs a number of octets', 'BDAT 1000 or BDAT 1000 LAST')
  return { verb: 'BDAT', size: Number(match[1]), last: match[2] !== undefined }
}

function parseAuth(rest: string): Command | CommandFault {
  const form = 'AUTH PLAIN or AUTH PLAIN initial-response'
  const words = rest.split(' ').filter((word) => word !== '')
  const mechanism = upperCase(words[0] ?? '')
  if (!mechanism) return syntax('AUTH needs a mechanism', form)
  if (words.length > 2) return syntax('AUTH takes a mechanism and at most one response', form)
  if (!/^[A-Z0-9_-]{1,20}$/.test(mechanism)) return syntax('that is no mechanism', form)
  const response = words[1]
  if (response === undefined) return { verb: 'AUTH', mechanism }
  if (response === '=') return { verb: 'AUTH', mechanism, initialResponse: '' }
  // RFC 4954 §6
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(response))
    return fault('syntax', reply(501, '5.5.2', 'Cannot decode: the response is not base64'))
  return { verb: 'AUTH', mechanism, initialResponse: response }
}

const NOT_OFFERED = new Set(['EXPN', 'TURN', 'ETRN', 'ATRN', 'SEND', 'SOML', 'SAML'])
const HTTP_VERBS = new Set(
  'GET POST HEAD PUT DELETE CONNECT OPTIONS PATCH TRACE PRI PROPFIND'.split(' '),
)

/** Web pages and TLS hellos that reach an SMTP port are answered once and cut off (ALPACA, CVE-2021-3618). */
function notACommand(verb: string): CommandFault {
  if (NOT_OFFERED.has(verb)) {
    return fault('refused', reply(502, '5.5.1', `${verb} is not offered by this server`))
  }
  if (HTTP_VERBS.has(verb) || (verb !== '' && !/^[A-Z]/i.test(verb))) {
    return fault('foreign', reply(500, '5.5.2', 'This is a mail server: it speaks only SMTP'))
  }
  if (verb === 'PROXY') {
    return fault('foreign', reply(554, '5.7.0', 'A PROXY header is not taken from your address'))
  }
  if (verb === '') return fault('unknown', reply(500, '5.5.2', 'An empty line is no command'))
  const shown = /^[A-Z0-9:-]{1,20}$/.test(verb) ? `: ${verb}` : ''
  return fault('unknown', reply(500, '5.5.2', `Unknown command${shown}; try HELP`))
}

/** `MAIL FROM:<…> …`, a line without CRLF; the caller leaves out parameters that the peer does not take. */
export function formatMail(reversePath: ReversePath, parameters: MailParameters): string {
  const address = reversePath ? formatMailbox(reversePath) : ''
  return oneLine(`MAIL FROM:<${address}>${formatMailParameters(parameters)}`)
}

/** `RCPT TO:<…> …`, a line without CRLF; pass a recipient without notify and originalRecipient to a peer without DSN. */
export function formatRcpt(recipient: Recipient): string {
  return oneLine(`RCPT TO:<${formatMailbox(recipient.mailbox)}>${formatRcptParameters(recipient)}`)
}

/** Nothing in a command may start another one: throws a TypeError. */
function oneLine(command: string): string {
  if (/[\r\n\0]/.test(command)) throw new TypeError('a command with a line break or NUL')
  return command
}
