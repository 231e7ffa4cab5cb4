// Addresses and fields made fit for the world, as a send-only relay needs it: names of this machine
// become names of a domain, local recipients become people, secrets of the header stay at home. The
// room is pure: files are read and watched elsewhere (server/rewriting.ts) and come here as tables
// (lookup.ts, aliases.ts, header-rules.ts). Intake applies a Rewriter before it judges rights and
// signs, so that what is judged and signed is what leaves.
//
// The order is one and fixed, that of Postfix: canonical maps (the sender's or recipient's own, then
// the one for both), local names, masquerading; then, for the envelope only, virtual aliases, aliases and always_bcc;
// then, for the header only, removal and the rules of header_rules. What can go wrong is a table with
// a mistake: its loader names file and line, and the last good one stays in force.

import type { Domain } from '../mail/domain.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import { type HeaderField, LONGEST_LINE } from '../mail/header.ts'
import { formatMailbox, type Mailbox, sameMailbox } from '../mail/mailbox.ts'
import { refuse } from '../mail/reply.ts'
import { rewriteAddresses } from './address-field.ts'
import { type Aliases, type Expanded, expand } from './aliases.ts'
import { canonical } from './canonical.ts'
import { applyHeaderRules, type HeaderRule } from './header-rules.ts'
import { isRemoved, type Removal, redactReceived } from './hide.ts'
import { type LocalNames, localToDomain, type Masquerade, masquerade } from './local.ts'
import type { Lookup } from './lookup.ts'
import { expandVirtual } from './virtual.ts'

/** What the operator wants; each part may be absent, and then costs nothing. */
export type RewriteTables = {
  readonly local: LocalNames
  /** What stands behind a name without a domain, to begin with. */
  readonly hostname: Domain
  readonly senderCanonical?: Lookup
  readonly recipientCanonical?: Lookup
  readonly canonical?: Lookup
  /** Senders at local names leave under this domain. */
  readonly localDomain?: Domain
  readonly masquerade?: Masquerade
  /** The From field's old value is kept in X-Original-From. */
  readonly keepOriginal: boolean
  readonly virtualAliases?: Lookup
  readonly aliases?: Aliases
  readonly alwaysBcc: readonly Mailbox[]
  readonly removal?: Removal
  readonly headerRules?: readonly HeaderRule[]
  /** An alias may lead to this many recipients at most. */
  readonly mostRecipients: number
}

/** Whose address it is, and whether it stands in the envelope or in the header. */
export type Place = { readonly role: 'sender' | 'recipient'; readonly envelope: boolean }

/** One change of an address, for people who ask what became of it. */
export type Change = { readonly step: StepName; readonly to: string }

export type StepName =
  | 'sender_canonical'
  | 'recipient_canonical'
  | 'canonical'
  | 'local_domain'
  | 'masquerade'
  | 'virtual_aliases'
  | 'aliases'
  | 'always_bcc'

type Step = {
  readonly name: StepName
  readonly applies: (place: Place) => boolean
  /** The address that it becomes; undefined when the tables say nothing. */
  readonly map: (mailbox: Mailbox, tables: RewriteTables) => Mailbox | undefined
}

const everywhere = () => true
/** Where mail goes is never guessed from a shortened name. */
const notWhereMailGoes = ({ role, envelope }: Place) => role === 'sender' || !envelope

const STEPS: readonly Step[] = [
  {
    name: 'sender_canonical',
    applies: ({ role }) => role === 'sender',
    map: (mailbox, { senderCanonical, local }) => canonical(mailbox, senderCanonical, local),
  },
  {
    name: 'recipient_canonical',
    applies: ({ role }) => role === 'recipient',
    map: (mailbox, { recipientCanonical, local }) => canonical(mailbox, recipientCanonical, local),
  },
  {
    name: 'canonical',
    applies: everywhere,
    map: (mailbox, tables) => canonical(mailbox, tables.canonical, tables.local),
  },
  {
    name: 'local_domain',
    applies: notWhereMailGoes,
    map: (mailbox, { localDomain, local }) => localToDomain(mailbox, localDomain, local),
  },
  {
    name: 'masquerade',
    applies: notWhereMailGoes,
    map: (mailbox, tables) => masquerade(mailbox, tables.masquerade),
  },
]

export type RewrittenHeader = {
  readonly fields: readonly HeaderField[]
  /** A rule wants the message held, for this reason. */
  readonly hold?: string
  /** What rules only wanted to have noted. */
  readonly remarks: readonly string[]
}

export type Rewriter = {
  /** Throws a Refusal when an alias leads nowhere or to too many. */
  envelope(envelope: Envelope): Envelope
  /** Throws a Refusal where a rule says so. */
  header(fields: readonly HeaderField[]): RewrittenHeader
  /** Our own Received field does not tell of the client. */
  readonly hidesClient: boolean
  /** The mailbox that a name without a domain stands for; undefined where nothing says so. */
  completes(localPart: string, role: Place['role']): Mailbox | undefined
  /** What becomes of one address, step by step. */
  explain(mailbox: Mailbox, role: Place['role']): Explanation
}

export type Explanation = {
  readonly changes: readonly Change[]
  /** In the envelope; none for a recipient that is thrown away. */
  readonly result: readonly Mailbox[]
}

/** Puts the tables into force. */
export function createRewriter(tables: RewriteTables): Rewriter {
  return {
    hidesClient: tables.removal?.received ?? false,
    envelope: (envelope) => rewriteEnvelope(envelope, tables),
    header: (fields) => rewriteHeader(fields, tables),
    completes: (localPart, role) => completes(localPart, role, tables),
    explain: (mailbox, role) => explain(mailbox, role, tables),
  }
}

/**
 * A name of this machine, for the tables to change; a recipient that no table knows is one of the
 * domain that stands behind those names.
 */
function completes(
  localPart: string,
  role: Place['role'],
  tables: RewriteTables,
): Mailbox | undefined {
  const { localDomain } = tables
  if (!completesNames(tables)) return undefined
  const mailbox = here(localPart, tables)
  if (role === 'sender' || !localDomain) return mailbox
  return explain(mailbox, role, tables).changes.length > 0
    ? mailbox
    : { localPart, domain: localDomain }
}

const completesNames = ({ localDomain, masquerade, aliases, virtualAliases }: RewriteTables) =>
  Boolean(localDomain || masquerade || aliases || virtualAliases)

const here = (localPart: string, { hostname }: RewriteTables): Mailbox => ({
  localPart,
  domain: hostname,
})

function explain(mailbox: Mailbox, role: Place['role'], tables: RewriteTables): Explanation {
  const changes: Change[] = []
  const mapped = mapAddress(mailbox, { role, envelope: true }, tables, (step, to) =>
    changes.push({ step, to: formatMailbox(to) }),
  )
  if (role === 'sender') return { changes, result: [mapped] }
  const result = destinations(mapped, tables, (step, to) =>
    changes.push({ step, to: to.map(formatMailbox).join(', ') }),
  )
  return { changes, result }
}

function mapAddress(
  mailbox: Mailbox,
  place: Place,
  tables: RewriteTables,
  tell?: (step: StepName, to: Mailbox) => void,
): Mailbox {
  let now = mailbox
  for (const step of STEPS) {
    if (!step.applies(place)) continue
    const next = step.map(now, tables)
    if (next === undefined || sameMailbox(next, now)) continue
    now = next
    tell?.(step.name, now)
  }
  return now
}

function rewriteEnvelope(envelope: Envelope, tables: RewriteTables): Envelope {
  const { reversePath } = envelope
  const sender = { role: 'sender', envelope: true } as const
  const recipients: Recipient[] = []
  for (const recipient of envelope.recipients)
    for (const one of rewriteRecipient(recipient, tables)) recipients.push(one)
  for (const mailbox of tables.alwaysBcc)
    if (!recipients.some((one) => sameMailbox(one.mailbox, mailbox)))
      recipients.push({ mailbox, notify: 'never' })
  if (recipients.length > tables.mostRecipients) throw tooMany(tables)
  return {
    ...envelope,
    reversePath: reversePath && mapAddress(reversePath, sender, tables),
    recipients,
  }
}

/** Who was asked for first is told as ORCPT, for notices of failure (RFC 3461 §4.2). */
function rewriteRecipient(recipient: Recipient, tables: RewriteTables): Recipient[] {
  const mapped = mapAddress(recipient.mailbox, { role: 'recipient', envelope: true }, tables)
  const mailboxes = destinations(mapped, tables)
  const [only, second] = mailboxes
  if (only && !second && sameMailbox(only, recipient.mailbox)) return [recipient]
  const originalRecipient =
    recipient.originalRecipient ?? `rfc822;${formatMailbox(recipient.mailbox)}`
  return mailboxes.map((mailbox) => ({ ...recipient, originalRecipient, mailbox }))
}

/** Where a recipient's mail goes in the end: virtual aliases first, then those of this machine. */
function destinations(
  mailbox: Mailbox,
  tables: RewriteTables,
  tell?: (step: StepName, to: readonly Mailbox[]) => void,
): readonly Mailbox[] {
  const { aliases, virtualAliases } = tables
  let now: readonly Mailbox[] = [mailbox]
  if (virtualAliases) {
    const { mailboxes, found } = orRefuse(
      expandVirtual(mailbox, virtualAliases, tables),
      mailbox,
      tables,
    )
    now = mailboxes
    if (found) tell?.('virtual_aliases', now)
  }
  if (!aliases) return now
  const expanded = now.map((one) => orRefuse(expand(one, aliases, tables), one, tables))
  now = expanded.flatMap(({ mailboxes }) => mailboxes)
  if (expanded.some(({ found }) => found)) tell?.('aliases', now)
  return now
}

function orRefuse(expanded: Expanded, mailbox: Mailbox, tables: RewriteTables) {
  if ('mailboxes' in expanded) return expanded
  if (expanded.fault === 'too many') throw tooMany(tables)
  throw refuse(
    550,
    '5.4.6',
    `${formatMailbox(mailbox)}: its alias runs in circles at ${expanded.at}. Fix: correct the alias file`,
  )
}

const tooMany = ({ mostRecipients }: RewriteTables) =>
  refuse(550, '5.5.3', `Aliases lead to more than ${mostRecipients} recipients`)

const HEADER_ROLES: ReadonlyMap<string, Place['role']> = new Map([
  ['from', 'sender'],
  ['sender', 'sender'],
  ['reply-to', 'sender'],
  ['to', 'recipient'],
  ['cc', 'recipient'],
])

function rewriteHeader(fields: readonly HeaderField[], tables: RewriteTables): RewrittenHeader {
  let rewritten: HeaderField[] = []
  for (const field of fields) {
    const role = HEADER_ROLES.get(field.lowerName)
    const next = role === undefined ? field : rewriteField(field, role, tables)
    rewritten.push(next)
    if (next !== field && field.lowerName === 'from' && tables.keepOriginal)
      rewritten.push(...originalOf(field))
  }
  const { removal } = tables
  if (removal)
    rewritten = rewritten.flatMap((field) => {
      if (removal.received && field.lowerName === 'received') return [redactReceived(field)]
      return isRemoved(field, removal) ? [] : [field]
    })
  return tables.headerRules
    ? applyHeaderRules(rewritten, tables.headerRules)
    : { fields: rewritten, remarks: [] }
}

function rewriteField(field: HeaderField, role: Place['role'], tables: RewriteTables): HeaderField {
  const place = { role, envelope: false }
  return rewriteAddresses(field, {
    map: (mailbox) => mapAddress(mailbox, place, tables),
    ...(completesNames(tables) && { complete: (name) => here(name, tables) }),
  })
}

/** The whole old field under another name, its folds kept; none when its first line has no room for that. */
function originalOf(from: HeaderField): HeaderField[] {
  const name = 'X-Original-From'
  const raw = name + from.raw.slice(from.raw.indexOf(':'))
  const fits = raw.indexOf('\r\n') <= LONGEST_LINE
  return fits ? [{ name, lowerName: name.toLowerCase(), raw }] : []
}
