import type { Canonicalization } from './canonical.ts'

/** RFC 6376 §3.3 and RFC 8463 §3; rsa-sha1 is never used (RFC 8301 §3.1). */
export type Algorithm = 'rsa-sha256' | 'ed25519-sha256'

/** A DKIM-Signature field as a value (RFC 6376 §3.5). There is no `l=`: it lets anyone append text. */
export type Signature = {
  readonly algorithm: Algorithm
  readonly header: Canonicalization
  readonly body: Canonicalization
  readonly domain: string
  readonly selector: string
  /** `t=` and `x=`, seconds since 1970. */
  readonly signedAt?: number
  readonly expiresAt?: number
  /** `h=`, in order; a name may stand more often than the field does. */
  readonly fieldNames: readonly string[]
  /** Base64 of the body's hash. */
  readonly bodyHash: string
}

const WIDTH = 76

/** Writes the field up to and with `b=`; the signature itself goes after it. Folded to 78 where names allow. */
export function formatUnsigned(signature: Signature): string {
  const times =
    (signature.signedAt === undefined ? '' : ` t=${signature.signedAt};`) +
    (signature.expiresAt === undefined ? '' : ` x=${signature.expiresAt};`)
  const first = `DKIM-Signature: v=1; a=${signature.algorithm}; c=${signature.header}/${signature.body};`
  const who = foldTags(`d=${signature.domain};`, `s=${signature.selector};${times}`)
  return `${first}\r\n ${who}\r\n bh=${signature.bodyHash};\r\n ${foldNames(signature.fieldNames)}\r\n b=`
}

function foldTags(domain: string, rest: string): string {
  return domain.length + rest.length < WIDTH ? `${domain} ${rest}` : `${domain}\r\n ${rest}`
}

function foldNames(names: readonly string[]): string {
  let text = 'h='
  let width = 3
  for (let i = 0; i < names.length; i++) {
    const word = i < names.length - 1 ? `${names[i]}:` : `${names[i]};`
    if (width + word.length > WIDTH) {
      text += '\r\n  '
      width = 2
    }
    text += word
    width += word.length
  }
  return text
}

/** Completes a field from formatUnsigned: base64 in lines, and the final CRLF. */
export function appendSignature(unsigned: string, base64: string): string {
  let text = unsigned + base64.slice(0, WIDTH - 3)
  for (let at = WIDTH - 3; at < base64.length; at += WIDTH - 2) {
    text += `\r\n  ${base64.slice(at, at + WIDTH - 2)}`
  }
  return `${text}\r\n`
}

/** Reads what stands after `DKIM-Signature:`; undefined when a required tag is missing or wrong. */
export function parseSignature(value: string): (Signature & { signature: string }) | undefined {
  const tags = parseTags(value)
  if (tags?.get('v') !== '1') return undefined
  const algorithm = tags.get('a')
  if (algorithm !== 'rsa-sha256' && algorithm !== 'ed25519-sha256') return undefined
  const [header = 'simple', body = 'simple'] = (tags.get('c') ?? 'simple').split('/')
  if (!isCanonicalization(header) || !isCanonicalization(body)) return undefined
  const domain = tags.get('d')
  const selector = tags.get('s')
  const names = tags.get('h')
  const bodyHash = tags.get('bh')
  const signature = tags.get('b')
  if (!domain || !selector || !names || !bodyHash || !signature || tags.has('l')) return undefined
  const signedAt = readSeconds(tags.get('t'))
  const expiresAt = readSeconds(tags.get('x'))
  return {
    algorithm,
    header,
    body,
    domain: domain.toLowerCase(),
    selector,
    ...(signedAt === undefined ? {} : { signedAt }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    fieldNames: names.split(':').map((name) => name.trim()),
    bodyHash: withoutSpace(bodyHash),
    signature: withoutSpace(signature),
  }
}

/** A tag list (RFC 6376 §3.2); undefined when it is malformed or names a tag twice. */
export function parseTags(text: string): Map<string, string> | undefined {
  const tags = new Map<string, string>()
  const parts = text.split(';')
  if (parts.at(-1)?.trim() === '') parts.pop()
  for (const part of parts) {
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(equals, 0)).trim()
    if (!/^[a-zA-Z]\w*$/.test(name) || tags.has(name)) return undefined
    tags.set(name, part.slice(equals + 1).trim())
  }
  return tags
}

function isCanonicalization(text: string): text is Canonicalization {
  return text === 'simple' || text === 'relaxed'
}

function readSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined
}

function withoutSpace(text: string): string {
  return text.replace(/\s+/g, '')
}
