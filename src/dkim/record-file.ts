import { createPublicKey } from 'node:crypto'
import { publicText } from './keys.ts'
import type { KeyFlag } from './lifecycle.ts'
import { parseSelector } from './selector.ts'
import { parseTags } from './signature.ts'

/** What a file that was printed for a zone says of a key: opendkim-genkey's `.txt`, an image's `dkim.public`. */
export type RecordFile = {
  readonly selector?: string
  /** In lower case, unchecked. */
  readonly domain?: string
  readonly flags: readonly KeyFlag[]
  /** What `p=` holds. */
  readonly publicKey: string
}

/**
 * Reads a TXT record as zone files have it (RFC 1035 §5.1), or a public key in PEM; undefined for
 * anything else. The domain may stand in the owner's name or in the comment of opendkim-genkey.
 */
export function parseRecordFile(text: string): RecordFile | undefined {
  if (text.length > 20_000) return undefined
  if (/-----BEGIN (RSA )?PUBLIC KEY-----/.test(text)) return fromPem(text)
  const tags = parseTags(recordText(text))
  const publicKey = tags?.get('p')?.replace(/\s+/g, '')
  if (!tags || !publicKey) return undefined
  const [, owner, below] =
    /(?:^|\s)([\w.-]+?)\._domainkey(?:\.([\w.-]*\w))?\.?(?=\s)/.exec(text) ?? []
  const [, told] = /;[^"\n]*\bDKIM key \S+ for (\S+)/.exec(text) ?? []
  const selector = owner === undefined ? undefined : parseSelector(owner)
  const domain = (below ?? told)?.replace(/\.$/, '').toLowerCase()
  const flags = (tags.get('t') ?? '').split(':').map((flag) => flag.trim())
  return {
    ...(selector && { selector }),
    ...(domain && { domain }),
    flags: (['y', 's'] as const).filter((flag) => flags.includes(flag)),
    publicKey,
  }
}

/** The quoted strings joined, or what follows TXT; `\;` is a plain semicolon. */
function recordText(text: string): string {
  const quoted = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]!)
  const bare = /\bTXT\s+([^"()\n]+)/i.exec(text)?.[1] ?? text.trim()
  return (quoted.length > 0 ? quoted.join('') : bare).replace(/\\(.)/g, '$1')
}

function fromPem(pem: string): RecordFile | undefined {
  try {
    const publicKey = parseTags(publicText(createPublicKey(pem)))?.get('p')
    return publicKey === undefined ? undefined : { flags: [], publicKey }
  } catch {
    return undefined
  }
}
