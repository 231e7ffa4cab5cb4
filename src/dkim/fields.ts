// Which header fields a signature covers (RFC 6376 §5.4.1), and how a domain may have more signed.

import type { HeaderField } from '../mail/header.ts'
import { type Canonicalization, canonicalField } from './canonical.ts'

/** Signed as often as they stand in the message and once more, so that none can be put on top unseen. */
const OVERSIGNED = [
  'From',
  'To',
  'Cc',
  'Subject',
  'Date',
  'Message-ID',
  'Reply-To',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
]
/** Signed where they stand; a later one does no harm (RFC 6376 §5.4.1). */
const SIGNED = [
  'Sender',
  'In-Reply-To',
  'References',
  'List-Id',
  'List-Help',
  'List-Subscribe',
  'List-Post',
  'List-Owner',
  'List-Archive',
  'Feedback-ID',
]
const NAMES = [...OVERSIGNED, ...SIGNED]
const PLACES: ReadonlyMap<string, number> = new Map(
  NAMES.map((name, place) => [name.toLowerCase(), place]),
)

/** What relays add or change on the way: signed, it would break the signature (RFC 6376 §5.4). */
const NEVER = new Set([
  'received',
  'return-path',
  'dkim-signature',
  'comments',
  'keywords',
  'bcc',
  'resent-bcc',
  'authentication-results',
  'delivered-to',
])

/** Fields that a domain wants signed besides: whole names, and beginnings such as `x-`. */
export type ExtraFields = {
  readonly names: ReadonlySet<string>
  readonly beginnings: readonly string[]
}

/**
 * Reads a list of names, `X-*` for all that begin so; undefined when nothing is left to sign besides
 * the usual fields. What must never be signed is left out.
 */
export function extraFields(patterns: readonly string[]): ExtraFields | undefined {
  const lower = patterns.map((pattern) => pattern.toLowerCase())
  const names = lower.filter((name) => !name.endsWith('*') && !NEVER.has(name) && !PLACES.has(name))
  const beginnings = lower.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1))
  if (names.length === 0 && beginnings.length === 0) return undefined
  return { names: new Set(names), beginnings }
}

/** The names for `h=`, in order, and the canonical text of the fields that they name. */
export type Selection = { readonly names: readonly string[]; readonly text: string }

/** Which fields are signed, and their canonical text; of several with one name the lowest comes first (RFC 6376 §5.4.2). */
export function selectFields(
  fields: readonly HeaderField[],
  header: Canonicalization,
  extra?: ExtraFields,
): Selection {
  const found: (string | undefined)[] = new Array(NAMES.length).fill(undefined)
  const counts: number[] = new Array(NAMES.length).fill(0)
  for (let i = fields.length - 1; i >= 0; i--) {
    const place = PLACES.get(fields[i]!.lowerName)
    if (place === undefined) continue
    found[place] = `${found[place] ?? ''}${canonicalField(fields[i]!.raw, header)}\r\n`
    counts[place]!++
  }
  const names: string[] = []
  let text = ''
  for (let place = 0; place < NAMES.length; place++) {
    const times = counts[place]! + (place < OVERSIGNED.length ? 1 : 0)
    for (let i = 0; i < times; i++) names.push(NAMES[place]!)
    if (found[place] !== undefined) text += found[place]
  }
  return extra === undefined
    ? { names, text }
    : withExtra({ names, text }, fields, { extra, header })
}

/** The extra fields after the usual ones, lowest first: names of one kind keep their order that way. */
function withExtra(
  { names, text }: Selection,
  fields: readonly HeaderField[],
  { extra, header }: { readonly extra: ExtraFields; readonly header: Canonicalization },
): Selection {
  const more = fields.filter(({ lowerName }) => isExtra(lowerName, extra)).reverse()
  return {
    names: [...names, ...more.map(({ name }) => name)],
    text: text + more.map(({ raw }) => `${canonicalField(raw, header)}\r\n`).join(''),
  }
}

function isExtra(name: string, { names, beginnings }: ExtraFields): boolean {
  if (names.has(name)) return true
  if (PLACES.has(name) || NEVER.has(name)) return false
  return beginnings.some((beginning) => name.startsWith(beginning))
}
