// What filters change, applied to a message as one filter's answer: all of it or, when the filter
// fails before its end, nothing.

import { isUtf8 } from 'node:buffer'
import { encodeWords } from '../mail/encoded-word.ts'
import type { Envelope } from '../mail/envelope.ts'
import { formatField, type HeaderField } from '../mail/header.ts'
import { type Mailbox, sameMailbox } from '../mail/mailbox.ts'
import { unreachable } from '../std/assert.ts'
import type { Change } from './response.ts'

/** A message between two filters. */
export type Draft = {
  readonly envelope: Envelope
  readonly fields: readonly HeaderField[]
  readonly body: Body
  /** Why it should wait; undefined lets it go. */
  readonly hold?: string
}

/** What follows the header; may be read several times. */
export type Body = {
  readonly size: number
  chunks(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

export type ChangeOptions = {
  /** The filter writes the space after the colon itself. */
  readonly leadingSpace: boolean
}

type Writing = ChangeOptions & Pick<Envelope, 'smtputf8'>

/** The message as the filter wants it. A body comes in pieces, in order. */
export function applyChanges(
  draft: Draft,
  changes: readonly Change[],
  options: ChangeOptions,
): Draft {
  const writing = { ...options, smtputf8: draft.envelope.smtputf8 }
  const fields = [...draft.fields]
  const body: Buffer[] = []
  let { envelope, hold } = draft
  let replaced = false
  for (const change of changes) {
    switch (change.kind) {
      case 'add-recipient':
        envelope = addRecipient(envelope, change.mailbox)
        break
      case 'delete-recipient':
        envelope = deleteRecipient(envelope, change.mailbox)
        break
      case 'change-from':
        envelope = { ...envelope, reversePath: change.mailbox }
        break
      case 'add-header':
        fields.push(fieldOf(change, writing))
        break
      case 'insert-header':
        fields.splice(Math.min(change.index, fields.length), 0, fieldOf(change, writing))
        break
      case 'change-header':
        changeField(fields, change, writing)
        break
      case 'body':
        replaced = true
        body.push(change.octets)
        break
      case 'quarantine':
        hold ??= change.reason || 'a filter asks for it'
        break
      default:
        unreachable(change)
    }
  }
  const result = { envelope, fields, body: replaced ? bodyOf(body) : draft.body }
  return hold === undefined ? result : { ...result, hold }
}

function addRecipient(envelope: Envelope, mailbox: Mailbox): Envelope {
  if (envelope.recipients.some((one) => sameMailbox(one.mailbox, mailbox))) return envelope
  return { ...envelope, recipients: [...envelope.recipients, { mailbox, notify: 'never' }] }
}

function deleteRecipient(envelope: Envelope, mailbox: Mailbox): Envelope {
  const recipients = envelope.recipients.filter((one) => !sameMailbox(one.mailbox, mailbox))
  return { ...envelope, recipients }
}

type Named = { readonly name: string; readonly value: string }

/** Folded where the filter folded; a line that would begin a new field is made to continue this one. */
function fieldOf({ name, value }: Named, { leadingSpace, smtputf8 }: Writing): HeaderField {
  const words = smtputf8 ? undefined : inWords(name, value)
  if (words !== undefined) return { name, lowerName: name.toLowerCase(), raw: words }
  const [first = '', ...rest] = value.split(/\r?\n/)
  const lines = rest.filter((line) => line.trim() !== '')
  const folded = lines.map((line) => `\r\n${/^[ \t]/.test(line) ? '' : '\t'}${line}`).join('')
  const blank = leadingSpace ? '' : ' '
  return { name, lowerName: name.toLowerCase(), raw: `${name}:${blank}${first}${folded}\r\n` }
}

/** Fields whose text has a grammar, where an encoded word must not stand just anywhere (RFC 2047 §5). */
const STRUCTURED =
  /^(from|sender|reply-to|to|b?cc|message-id|in-reply-to|references|date|received|return-path)$/i
const STRUCTURED_KIND =
  /^(resent-|content-|list-|arc-|mime-version$|dkim-signature$|authentication-results$)/i

/** Of what we write ourselves. */
const LONGEST_NAME = 76

/** 8-bit text beside a client that did not ask for SMTPUTF8 is carried as encoded words. */
function inWords(name: string, value: string): string | undefined {
  if (!/[\x80-\xff]/.test(value) || name.length > LONGEST_NAME) return undefined
  if (STRUCTURED.test(name) || STRUCTURED_KIND.test(name)) return undefined
  const octets = Buffer.from(value, 'latin1')
  if (!isUtf8(octets)) return undefined
  const text = octets
    .toString()
    .replaceAll('\0', '')
    .replace(/\s*\r?\n\s*/g, ' ')
    .trim()
  return formatField(name, encodeWords(text))
}

/** Changes the n-th field of the name; an empty value removes it; beyond the last one is added. */
function changeField(
  fields: HeaderField[],
  change: Named & { readonly index: number },
  writing: Writing,
): void {
  const lowerName = change.name.toLowerCase()
  let seen = 0
  const at = fields.findIndex((field) => {
    if (field.lowerName !== lowerName) return false
    seen++
    return seen === Math.max(1, change.index)
  })
  if (change.value === '') {
    if (at >= 0) fields.splice(at, 1)
  } else if (at >= 0) fields[at] = fieldOf(change, writing)
  else fields.push(fieldOf(change, writing))
}

/** Filters forget the CR now and then; our own check would refuse the client's mail for it. */
function bodyOf(pieces: readonly Buffer[]): Body {
  const whole = Buffer.concat(pieces)
    .toString('latin1')
    .replace(/\r?\n|\r/g, '\r\n')
  const octets = Buffer.from(whole, 'latin1')
  return { size: octets.length, chunks: () => [octets] }
}
