// The published key of each selector against ours, on every name server of the zone: a receiver asks
// any of them, and a key that one of them lacks fails some of the mail.

import { createPublicKey } from 'node:crypto'
import { fingerprintOf, txtStrings } from '../../dkim/keys.ts'
import type { AuthoritativeAnswer } from '../../dns/authoritative.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import { dkimTexts } from '../texts/dkim.ts'

const found = findingsOf(dkimTexts)

export type DkimCheckOptions = {
  readonly resolver: Resolver
  readonly domain: string
  /** The keys that should be published, `txt` as keys.ts prints it. */
  readonly keys: readonly {
    readonly selector: string
    readonly txt: string
    /** A retiring key signs no more: that its record is gone concerns only mail on its way. */
    readonly state?: string
  }[]
  /** Mail of the domain leaves unsigned, by the operator's wish. */
  readonly isOff?: boolean
  /** A relay takes all mail, and may sign it. */
  readonly byRelay?: boolean
  /** Asks every name server of a zone; without it the resolver's answer has to do. */
  readonly askAll?: (name: string, signal: AbortSignal) => Promise<AuthoritativeAnswer<'TXT'>>
}

/** Every key that signs is published, whole, once and everywhere. */
export function checkDkim(options: DkimCheckOptions): Check {
  const { domain, keys, isOff, byRelay } = options
  return {
    name: 'dkim',
    group: 'dkim',
    async run(signal) {
      if (isOff) return byRelay ? [] : [found('DKIM_OFF', domain, { domain })]
      if (keys.length === 0) return [found('DKIM_NO_KEY', domain, { domain })]
      return (
        await Promise.all(
          keys.map(async (key) => milder(key, await examineKey(key, options, signal), domain)),
        )
      ).flat()
    },
  }
}

type Key = DkimCheckOptions['keys'][number]

/** What is wrong with a key that signs no more keeps no domain from going live. */
function milder(key: Key, findings: readonly Finding[], domain: string): readonly Finding[] {
  if (key.state !== 'retiring' || !findings.some(({ severity }) => severity === 'error'))
    return findings
  const name = `${key.selector}._domainkey.${domain}`
  return [found('DKIM_RETIRED_EARLY', name, { name, record: txtStrings(key.txt).join('" "') })]
}

async function examineKey(
  key: Key,
  options: DkimCheckOptions,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { resolver, domain, askAll } = options
  const name = `${key.selector}._domainkey.${domain}`
  const everywhere = await askAll?.(name, signal)
  if (everywhere?.kind === 'answers') {
    const told = await onEveryServer(key, name, { ...options, everywhere })
    if (told) return told
  }
  const answer = await resolver.resolve(name, 'TXT')
  if (answer.kind === 'cannot-tell') return [couldNotCheck(name, answer.why)]
  const texts = answer.kind === 'records' ? answer.records : []
  const wrong = await faultOf(key, texts, { name, domain, resolver })
  return wrong ?? [found('DKIM_OK', name, { name, servers: 1, of: 1 }), ...remarks(texts[0]!, name)]
}

/** Undefined when no server answered at all. */
async function onEveryServer(
  key: Key,
  name: string,
  {
    resolver,
    domain,
    everywhere,
  }: DkimCheckOptions & {
    readonly everywhere: Extract<AuthoritativeAnswer<'TXT'>, { kind: 'answers' }>
  },
): Promise<readonly Finding[] | undefined> {
  const told = everywhere.servers.filter(({ answer }) => answer.kind !== 'cannot-tell')
  if (told.length === 0) return undefined
  const textsOf = ({ answer }: (typeof told)[number]) =>
    answer.kind === 'records' ? answer.records : []
  const good = told.filter((server) => holdsKey(textsOf(server), key.txt))
  const silent = everywhere.servers.filter((server) => !told.includes(server))
  const unasked = silent.map(({ host, answer }) =>
    couldNotCheck(host, answer.kind === 'cannot-tell' ? answer.why : ''),
  )
  const bad = told.find((server) => !good.includes(server))
  if (!bad) {
    const facts = { name, servers: good.length, of: everywhere.servers.length }
    return [found('DKIM_OK', name, facts), ...remarks(textsOf(good[0]!)[0]!, name), ...unasked]
  }
  if (good.length === 0)
    return (await faultOf(key, textsOf(bad), { name, domain, resolver })) ?? unasked
  const without = told.filter((server) => !good.includes(server)).map(({ host }) => host)
  const facts = { name, servers: good.length, of: told.length, without: without.join(', ') }
  return [found('DKIM_NOT_EVERYWHERE', name, facts), ...unasked]
}

function holdsKey(texts: readonly string[], wanted: string): boolean {
  return (
    texts.length === 1 && keyOf(texts[0]!) === keyOf(wanted) && faultIn(texts[0]!) === undefined
  )
}

/** What is wrong with what stands at a selector; undefined when it is our key. */
async function faultOf(
  { txt }: Key,
  texts: readonly string[],
  at: { readonly name: string; readonly domain: string; readonly resolver: Resolver },
): Promise<readonly Finding[] | undefined> {
  const { name, domain, resolver } = at
  // As the strings of one record, which a zone file wants.
  const record = txtStrings(txt).join('" "')
  const [text] = texts
  if (text === undefined) {
    // Panels that add the domain themselves add it to a whole name too.
    const doubled = `${name}.${domain}`
    const there = await resolver.resolve(doubled, 'TXT')
    return there.kind === 'records'
      ? [found('DKIM_NAME_DOUBLED', name, { name, doubled })]
      : [found('DKIM_MISSING', name, { name, record })]
  }
  if (texts.length > 1)
    return [found('DKIM_TWO_RECORDS', name, { name, count: texts.length, record })]
  const published = keyOf(text)
  if (published === '') return [found('DKIM_REVOKED', name, { name, record })]
  const fault = faultIn(text)
  const wanted = keyOf(txt)
  if (published === wanted && fault === undefined) return undefined
  if (published && wanted && wanted !== published && wanted.includes(published)) {
    const facts = { name, have: published.length, want: wanted.length, record }
    return [found('DKIM_TRUNCATED', name, facts)]
  }
  if (published === undefined || fault !== undefined)
    return [found('DKIM_INVALID', name, { name, found: short(text), record })]
  const facts = {
    name,
    published: fingerprintOf(text) ?? '-',
    ours: fingerprintOf(txt) ?? '-',
    record,
  }
  return [found('DKIM_MISMATCH', name, facts)]
}

/** `p=` without its white space (RFC 6376 §3.6.1); undefined when the record has none. */
function keyOf(text: string): string | undefined {
  return tagOf(text, 'p')?.replace(/\s+/g, '')
}

function tagOf(text: string, tag: string): string | undefined {
  for (const piece of text.split(';')) {
    const at = piece.indexOf('=')
    if (at > 0 && piece.slice(0, at).trim() === tag) return piece.slice(at + 1).trim()
  }
  return undefined
}

/** Why receivers would not use this record for our signatures (RFC 6376 §3.6.1). */
function faultIn(text: string): string | undefined {
  const version = tagOf(text, 'v')
  if (version !== undefined && (version !== 'DKIM1' || !/^\s*v\s*=/.test(text))) return 'v'
  if (!/^[A-Za-z0-9+/]+=*$/.test(keyOf(text) ?? '')) return 'p'
  const hashes = tagOf(text, 'h')
  if (hashes !== undefined && !hashes.split(':').some((hash) => hash.trim() === 'sha256'))
    return 'h'
  const services = tagOf(text, 's')
  const forMail = (service: string) => /^(\*|email)$/.test(service.trim())
  if (services !== undefined && !services.split(':').some(forMail)) return 's'
  return /^(rsa|ed25519)$/.test(tagOf(text, 'k') ?? 'rsa') ? undefined : 'k'
}

const GOOD_BITS = 2048

/** What works and should be better. */
function remarks(text: string, name: string): Finding[] {
  const findings: Finding[] = []
  const flags = (tagOf(text, 't') ?? '').split(':').map((flag) => flag.trim())
  if (flags.includes('y')) findings.push(found('DKIM_TESTING', name, { name }))
  const bits = rsaBits(text)
  if (bits !== undefined && bits < GOOD_BITS)
    findings.push(found('DKIM_SHORT_KEY', name, { name, bits }))
  return findings
}

function rsaBits(text: string): number | undefined {
  if ((tagOf(text, 'k') ?? 'rsa') !== 'rsa') return undefined
  try {
    const key = Buffer.from(keyOf(text) ?? '', 'base64')
    const publicKey = createPublicKey({ key, format: 'der', type: 'spki' })
    return publicKey.asymmetricKeyDetails?.modulusLength
  } catch {
    return undefined
  }
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
