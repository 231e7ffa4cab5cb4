// A message's header as somebody pasted it, read for what it tells: the way it came, what the
// receiver found, and whether our signature still fits. Pasted text is never quite a message: lines
// of a web page stand above, line ends are others, the body is missing or not; nothing here throws.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { discoverDmarc, isAligned } from '../auth/dmarc.ts'
import { BodyHasher, hashingScratch } from '../dkim/canonical.ts'
import { parseSignature, parseTags } from '../dkim/signature.ts'
import { verifySignature } from '../dkim/verify.ts'
import type { Resolver } from '../dns/resolver.ts'
import { parseAddressList } from '../mail/address-list.ts'
import { fieldText, type HeaderField } from '../mail/header.ts'

/** One Received field (RFC 5321 §4.4). */
export type Hop = {
  readonly from: string
  readonly by: string
  readonly isEncrypted: boolean
  /** The receiving server's own number for the message. */
  readonly id: string
  /** Milliseconds since 1970; undefined when the date cannot be read. */
  readonly at: number | undefined
}

/** One method of an Authentication-Results field (RFC 8601 §2.2). */
export type MethodResult = {
  readonly method: string
  readonly result: string
  /** The domain that was proved, where it is said. */
  readonly domain: string
}

export type SignatureState =
  /** The header fits, and the body, if there is one. */
  'good' | 'header-changed' | 'body-changed' | 'no-key' | 'unreadable' | 'cannot-tell'

export type SignatureSeen = {
  readonly domain: string
  readonly selector: string
  readonly state: SignatureState
  /** Whether DMARC would count it for the author's domain; undefined when DNS does not tell. */
  readonly isAligned: boolean | undefined
}

export type HeaderStory = {
  /** Of From, when it is one. */
  readonly author: string | undefined
  /** The oldest first. */
  readonly hops: readonly Hop[]
  /** Who judged it, and how; undefined when nobody said. */
  readonly judged: { readonly by: string; readonly results: readonly MethodResult[] } | undefined
  readonly signatures: readonly SignatureSeen[]
  readonly hasBody: boolean
}

const MOST_OCTETS = 2 ** 20
const MOST_SIGNATURES = 10
const FIELD = /^[\x21-\x39\x3b-\x7e]{1,77}:/

/** Undefined: there is nothing in the text that a message's header has. */
export async function readHeaders(
  pasted: string,
  resolver: Resolver,
): Promise<HeaderStory | undefined> {
  const { fields, body } = fieldsIn(pasted.slice(0, MOST_OCTETS))
  const named = (name: string) => fields.filter(({ lowerName }) => lowerName === name)
  const hops = named('received').map(hopOf).reverse()
  const judged = named('authentication-results')
  const signed = named('dkim-signature').slice(0, MOST_SIGNATURES)
  if (hops.length + judged.length + signed.length === 0) return undefined
  const author = authorOf(named('from'))
  const signatures = await Promise.all(
    signed.map((field) => examine(field, { fields, body, author, resolver })),
  )
  return { author, hops, judged: verdictOf(judged), signatures, hasBody: body !== undefined }
}

/** Whatever stands above the first field is not the message's. */
function fieldsIn(pasted: string): { fields: HeaderField[]; body: string | undefined } {
  // Octets, as signatures count them.
  const text = Buffer.from(pasted.replace(/\r\n?|\n/g, '\r\n'), 'utf8').toString('latin1')
  const lines = text.split('\r\n')
  const fields: { name: string; raw: string }[] = []
  for (const [i, line] of lines.entries()) {
    const last = fields.at(-1)
    if (last && /^[ \t]/.test(line)) last.raw += `${line}\r\n`
    else if (FIELD.test(line))
      fields.push({ name: line.slice(0, line.indexOf(':')), raw: `${line}\r\n` })
    else if (line === '' && fields.length > 1) {
      const body = lines.slice(i + 1).join('\r\n')
      return { fields: fields.map(named), body: body.trim() === '' ? undefined : body }
    }
  }
  return { fields: fields.map(named), body: undefined }
}

const named = ({ name, raw }: { name: string; raw: string }): HeaderField => ({
  name,
  lowerName: name.toLowerCase(),
  raw,
})

function authorOf(from: readonly HeaderField[]): string | undefined {
  const [field, ...others] = from
  if (!field || others.length > 0) return undefined
  const list = parseAddressList(fieldText(field))
  const [first] = Array.isArray(list) ? list : []
  return first?.mailbox.domain.toLowerCase()
}

function hopOf(field: HeaderField): Hop {
  const text = fieldText(field).replace(/\s+/g, ' ').trim()
  const word = (name: string) => new RegExp(`(?:^|\\s)${name}\\s+([^\\s;]+)`, 'i').exec(text)?.[1]
  const date = Date.parse(text.slice(text.lastIndexOf(';') + 1).replace(/\(.*?\)/g, ''))
  // RFC 3848, RFC 6531 §4.3; others write it in a comment only.
  const isEncrypted = /\bwith (UTF8)?E?SMTPSA?\b|TLS/i.test(text)
  return {
    from: word('from') ?? '',
    by: word('by') ?? '',
    isEncrypted,
    id: word('id') ?? '',
    at: Number.isNaN(date) ? undefined : date,
  }
}

/** The topmost is the last server's; further ones of the same server belong to it (RFC 8601 §5). */
function verdictOf(fields: readonly HeaderField[]): HeaderStory['judged'] {
  const read = fields.map((field) => {
    const [by = '', ...parts] = withoutComments(fieldText(field)).split(';')
    return { by: by.trim().split(/\s+/)[0] ?? '', results: parts.flatMap(methodOf) }
  })
  const [top] = read
  if (!top) return undefined
  const own = read.filter(({ by }) => by === top.by)
  return { by: top.by, results: own.flatMap(({ results }) => results) }
}

function methodOf(part: string): MethodResult[] {
  const [, method = '', result = ''] = /^\s*(dkim|spf|dmarc)\s*=\s*(\w+)/i.exec(part) ?? []
  if (method === '') return []
  const proved = /\b(?:header\.(?:d|i|from)|smtp\.(?:mailfrom|helo))=(?:"?[^@\s";]*@)?([^\s";]+)/i
  const [, domain = ''] = proved.exec(part) ?? []
  return [{ method: method.toLowerCase(), result: result.toLowerCase(), domain }]
}

/** Comments do not nest in what receivers write here. */
function withoutComments(text: string): string {
  return text.replace(/\([^()]*\)/g, ' ')
}

type Around = {
  readonly fields: readonly HeaderField[]
  readonly body: string | undefined
  readonly author: string | undefined
  readonly resolver: Resolver
}

async function examine(field: HeaderField, around: Around): Promise<SignatureSeen> {
  const { resolver, author } = around
  const value = field.raw.slice(field.raw.indexOf(':') + 1)
  const signature = parseSignature(value)
  if (!signature) {
    const tags = parseTags(value)
    const domain = tags?.get('d') ?? ''
    const selector = tags?.get('s') ?? ''
    return { domain, selector, state: 'unreadable', isAligned: undefined }
  }
  const { domain, selector } = signature
  const [state, aligned] = await Promise.all([
    stateOf(field, signature, around),
    author === undefined ? undefined : alignment(domain, author, resolver),
  ])
  return { domain, selector, state, isAligned: aligned }
}

async function stateOf(
  field: HeaderField,
  signature: NonNullable<ReturnType<typeof parseSignature>>,
  { fields, body, resolver }: Around,
): Promise<SignatureState> {
  const { domain, selector } = signature
  const answer = await resolver.resolve(`${selector}._domainkey.${domain}`, 'TXT')
  if (answer.kind === 'cannot-tell') return 'cannot-tell'
  const records = answer.kind === 'records' ? answer.records : []
  const publicKey = keyIn(records)
  if (!publicKey) return 'no-key'
  const { bodyHash } = signature
  const { kind } = verifySignature(fields, field, { bodyHash, publicKey })
  if (kind === 'fail') return 'header-changed'
  if (body === undefined) return 'good'
  const hasher = new BodyHasher(signature.body, hashingScratch())
  hasher.update(Buffer.from(body, 'latin1'))
  return hasher.digest() === bodyHash ? 'good' : 'body-changed'
}

/** RFC 6376 §3.6.1, RFC 8463 §4: an Ed25519 key stands there without its wrapping. */
function keyIn(records: readonly string[]): KeyObject | undefined {
  const tags = records.length === 1 ? parseTags(records[0]!) : undefined
  const p = tags?.get('p')?.replace(/\s+/g, '')
  if (!p) return undefined
  try {
    const octets = Buffer.from(p, 'base64')
    if (tags?.get('k') !== 'ed25519')
      return createPublicKey({ key: octets, format: 'der', type: 'spki' })
    const key = { kty: 'OKP', crv: 'Ed25519', x: octets.toString('base64url') }
    return createPublicKey({ key, format: 'jwk' })
  } catch {
    return undefined
  }
}

async function alignment(
  signer: string,
  author: string,
  resolver: Resolver,
): Promise<boolean | undefined> {
  if (signer === author) return true
  const found = await discoverDmarc(author, resolver)
  if (found.kind !== 'policy') return undefined
  const to = { author, organizational: found.organizational }
  const aligned = await isAligned(signer, to, { mode: found.record.adkim, resolver })
  return typeof aligned === 'object' ? undefined : aligned
}
