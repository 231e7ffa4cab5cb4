// What a filter answers: go on, an end of one kind or another, or a change. Foreign octets: whatever
// is not exactly an answer is undefined, and then the filter has failed.

import { type Mailbox, parsePath } from '../mail/mailbox.ts'
import { type Reply, ReplyReader } from '../mail/reply.ts'
import { CHANGES } from './flags.ts'
import type { Packet } from './packet.ts'

/** How a step ends. */
export type Ending =
  | { readonly kind: 'continue' | 'accept' | 'reject' | 'tempfail' | 'discard' | 'skip' }
  | { readonly kind: 'shutdown' | 'failed' }
  | { readonly kind: 'reply'; readonly reply: Reply }

/** What a filter wants changed; only at the end of the message. */
export type Change =
  | { readonly kind: 'add-recipient' | 'delete-recipient'; readonly mailbox: Mailbox }
  | { readonly kind: 'change-from'; readonly mailbox: Mailbox | null }
  | { readonly kind: 'add-header'; readonly name: string; readonly value: string }
  | {
      readonly kind: 'insert-header' | 'change-header'
      /** From 0 among all fields, or from 1 among those of the name. */
      readonly index: number
      readonly name: string
      readonly value: string
    }
  | { readonly kind: 'body'; readonly octets: Buffer }
  | { readonly kind: 'quarantine'; readonly reason: string }

export type Response = Ending | Change | { readonly kind: 'progress' }

const ENDINGS: Readonly<Record<string, Exclude<Ending['kind'], 'reply'>>> = {
  c: 'continue',
  a: 'accept',
  r: 'reject',
  t: 'tempfail',
  d: 'discard',
  s: 'skip',
  '4': 'shutdown',
  f: 'failed',
}

/** Reads a packet of a filter; undefined for what is no answer. */
export function parseResponse({ letter, data }: Packet): Response | undefined {
  if (Object.hasOwn(ENDINGS, letter))
    return data.length === 0 ? { kind: ENDINGS[letter]! } : undefined
  switch (letter) {
    case 'p':
      return { kind: 'progress' }
    case 'y':
      return replyOf(data)
    case '+':
    case '2':
      return recipientOf('add-recipient', data)
    case '-':
      return recipientOf('delete-recipient', data)
    case 'e':
      return fromOf(data)
    case 'h':
      return addedOf(data)
    case 'i':
      return indexedOf('insert-header', data)
    case 'm':
      return indexedOf('change-header', data)
    case 'b':
      return { kind: 'body', octets: data }
    case 'q':
      return quarantineOf(data)
    default:
      return undefined
  }
}

/** The change that must have been agreed on for this. */
export function neededChange(change: Change): number {
  switch (change.kind) {
    case 'add-recipient':
      return CHANGES.addRecipient | CHANGES.addRecipientWithParameters
    case 'delete-recipient':
      return CHANGES.deleteRecipient
    case 'change-from':
      return CHANGES.changeFrom
    case 'add-header':
    case 'insert-header':
      return CHANGES.addHeaders | CHANGES.changeHeaders
    case 'change-header':
      return CHANGES.changeHeaders
    case 'body':
      return CHANGES.changeBody
    case 'quarantine':
      return CHANGES.quarantine
  }
}

/** Texts that each end with NUL; undefined when the last does not. */
function texts(data: Buffer): string[] | undefined {
  if (data.length === 0 || data[data.length - 1] !== 0) return undefined
  return data.toString('latin1', 0, data.length - 1).split('\0')
}

function replyOf(data: Buffer): Ending | undefined {
  const [said, more] = texts(data) ?? []
  if (said === undefined || more !== undefined) return undefined
  const reader = new ReplyReader()
  const lines = said.replace(/\r?\n$/, '').split(/\r?\n/)
  for (const [index, line] of lines.entries()) {
    const read = reader.push(line)
    if (read === undefined) continue
    const whole = !('fault' in read) && index === lines.length - 1 && read.code >= 400
    return whole ? { kind: 'reply', reply: read } : undefined
  }
  return undefined
}

const utf8 = (octets: string): string => Buffer.from(octets, 'latin1').toString('utf8')

function recipientOf(kind: 'add-recipient' | 'delete-recipient', data: Buffer): Change | undefined {
  const [path] = texts(data) ?? []
  const parsed = path === undefined ? undefined : parsePath(utf8(path))
  return parsed?.kind === 'mailbox' ? { kind, mailbox: parsed.mailbox } : undefined
}

function fromOf(data: Buffer): Change | undefined {
  const [path] = texts(data) ?? []
  const parsed = path === undefined ? undefined : parsePath(utf8(path))
  if (parsed?.kind === 'mailbox') return { kind: 'change-from', mailbox: parsed.mailbox }
  return parsed?.kind === 'null' ? { kind: 'change-from', mailbox: null } : undefined
}

function addedOf(data: Buffer): Change | undefined {
  const [name, value, more] = texts(data) ?? []
  if (name === undefined || value === undefined || more !== undefined) return undefined
  return isName(name) && isValue(value) ? { kind: 'add-header', name, value } : undefined
}

function indexedOf(kind: 'insert-header' | 'change-header', data: Buffer): Change | undefined {
  if (data.length < 4) return undefined
  const index = data.readUInt32BE()
  const added = addedOf(data.subarray(4))
  return added?.kind === 'add-header' ? { ...added, kind, index } : undefined
}

function quarantineOf(data: Buffer): Change | undefined {
  const [reason, more] = texts(data) ?? []
  if (reason === undefined || more !== undefined) return undefined
  return { kind: 'quarantine', reason: reason.slice(0, 200).replace(/[^ -~]/g, '?') }
}

const isName = (name: string): boolean => /^[!-9;-~]{1,200}$/.test(name)

/** Lines end with LF, or CR LF; what is in between must fit a line of RFC 5322 §2.1.1 with its name. */
function isValue(value: string): boolean {
  const lines = value.split(/\r?\n/)
  return lines.every((line) => line.length <= 780 && !line.includes('\r'))
}
