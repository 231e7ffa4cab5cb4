// Password files of other mail servers: a line a user, `user:{SCHEME}hash`, and what follows as in
// Dovecot's passwd-file (`user:password:uid:gid:gecos:home:shell:allow_nets=…`); and lists in one text,
// `user:password,user2:password2`, as containers take them in SMTPD_SASL_USERS. Whatever is wrong is
// found at once, with its line; a reader uses all of a file or nothing.

import { formatScram, parseScram } from '../mail/scram.ts'
import { networkList } from './networks.ts'
import { isReadable } from './password.ts'

export type FileEntry = {
  readonly line: number
  readonly name: string
  /** Either the password itself or its hash. */
  readonly password?: string
  readonly hash?: string
  readonly scram?: string
  readonly networks: readonly string[]
}

export type FileFaultReason =
  | 'no-colon'
  | 'bad-name'
  | 'no-password'
  | 'no-scheme'
  | 'unknown-scheme'
  | 'bad-hash'
  | 'bad-network'
  | 'given-twice'

export type FileFault = {
  readonly line: number
  readonly reason: FileFaultReason
  /** The name, scheme or network in question; never a password or a hash. */
  readonly about: string
}

export type PasswordFile = {
  readonly entries: readonly FileEntry[]
  readonly faults: readonly FileFault[]
}

/** SASLprep leaves these names as they are (RFC 4013), and a terminal shows them. */
const NAME = /^[\w.@+-]{1,100}$/
const LONGEST_SHOWN = 60

/** Reads a file; empty lines and those that begin with # are skipped. */
export function parsePasswordFile(text: string): PasswordFile {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  return collect(
    lines.flatMap((line, i) =>
      /^\s*(#|$)/.test(line) ? [] : [{ line: i + 1, text: line.trim() }],
    ),
    ({ line, text }) => readLine(line, text),
  )
}

/** Reads `user:password,user2:password2`; `line` counts the users. */
export function parseUserList(text: string): PasswordFile {
  const users = text.split(/[,\n]/).map((user, i) => ({ line: i + 1, text: user.trim() }))
  return collect(
    users.filter((user) => user.text !== ''),
    ({ line, text }) => readUser(line, text),
  )
}

type Line = { readonly line: number; readonly text: string }

function collect(
  lines: readonly Line[],
  read: (line: Line) => FileEntry | FileFault,
): PasswordFile {
  const entries: FileEntry[] = []
  const faults: FileFault[] = []
  const seen = new Set<string>()
  for (const line of lines) {
    const found = read(line)
    if ('reason' in found) faults.push(found)
    else if (seen.has(found.name)) faults.push(fault(line.line, 'given-twice', found.name))
    else {
      seen.add(found.name)
      entries.push(found)
    }
  }
  return { entries, faults }
}

function fault(line: number, reason: FileFaultReason, about = ''): FileFault {
  return { line, reason, about: about.slice(0, LONGEST_SHOWN) }
}

function readLine(line: number, text: string): FileEntry | FileFault {
  const colon = text.indexOf(':')
  if (colon < 0) return fault(line, 'no-colon')
  const name = text.slice(0, colon)
  if (!NAME.test(name)) return fault(line, 'bad-name', name)
  const rest = text.slice(colon + 1)
  // A password in the clear may hold colons, but then no fields can follow it: uid and gid are numbers.
  const [, secret = rest, extra = ''] =
    /^(.*?):\d*:\d*:[^:]*:[^:]*:[^:]*(?::(.*))?$/.exec(rest) ?? []
  const networks = /(?:^|\s)allow_nets=(\S+)/.exec(extra)?.[1]?.split(',') ?? []
  const bad = networks.find((network) => !isNetwork(network))
  if (bad !== undefined) return fault(line, 'bad-network', bad)
  const read = readSecret(secret)
  return 'reason' in read
    ? fault(line, read.reason, read.about ?? name)
    : { line, name, networks, ...read }
}

function isNetwork(text: string): boolean {
  try {
    networkList([text])
    return true
  } catch {
    return false
  }
}

function readUser(line: number, text: string): FileEntry | FileFault {
  const colon = text.indexOf(':')
  if (colon < 0) return fault(line, 'no-colon')
  const name = text.slice(0, colon)
  const password = text.slice(colon + 1)
  if (!NAME.test(name)) return fault(line, 'bad-name', name)
  if (password === '') return fault(line, 'no-password', name)
  if (!password.startsWith('{')) return { line, name, networks: [], password }
  const read = readSecret(password)
  return 'reason' in read
    ? fault(line, read.reason, read.about ?? name)
    : { line, name, networks: [], ...read }
}

type Secret = Pick<FileEntry, 'password' | 'hash' | 'scram'>
type Fault = { readonly reason: FileFaultReason; readonly about?: string }

/** `{SCHEME}…`, or crypt(3)'s own `$6$…`. Without either it could be anything. */
function readSecret(text: string): Secret | Fault {
  if (text === '') return { reason: 'no-password' }
  const [, scheme, rest = ''] = /^\{([A-Za-z0-9.-]{1,30})\}(.*)$/s.exec(text) ?? []
  if (scheme === undefined) return text.startsWith('$') ? readHash(text) : { reason: 'no-scheme' }
  // Dovecot's encodings behind a dot: digestOf() tells them apart itself.
  const name = scheme.toUpperCase().replace(/\.(HEX|B64|BASE64)$/, '')
  switch (name) {
    case 'PLAIN':
    case 'CLEAR':
    case 'CLEARTEXT':
      return rest === '' ? { reason: 'no-password' } : { password: rest }
    case 'SHA256':
    case 'SSHA256':
    case 'SHA512':
    case 'SSHA512':
      return readHash(`{${name}}${rest}`)
    case 'SHA256-CRYPT':
    case 'SHA512-CRYPT':
    case 'CRYPT':
    case 'ARGON2I':
    case 'ARGON2ID':
      return readHash(rest)
    // The one secret does for SCRAM and, with the password, for PLAIN.
    case 'SCRAM-SHA-256': {
      const secret = parseScram(rest)
      if (!secret) return { reason: 'bad-hash' }
      const scram = formatScram(secret)
      return { hash: scram, scram }
    }
    default:
      return { reason: 'unknown-scheme', about: scheme }
  }
}

/** `$2y$`, `$1$` and the like are not read: say so by name. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/^\$2[abxy]?\$/, 'BLF-CRYPT'],
  [/^\$(1|apr1)\$/, 'MD5-CRYPT'],
  [/^\$y\$/, 'YESCRYPT'],
]

function readHash(hash: string): Secret | Fault {
  const [, other] = OTHERS.find(([form]) => form.test(hash)) ?? []
  if (other !== undefined) return { reason: 'unknown-scheme', about: other }
  return isReadable(hash) ? { hash } : { reason: 'bad-hash' }
}

const SAYS: Readonly<Record<FileFaultReason, (about: string) => string>> = {
  'no-colon': () => 'no colon: a line is user:{SCHEME}hash',
  'bad-name': (about) => `"${about}" is no user name: letters, digits and . @ + - _, at most 100`,
  'no-password': (about) => `${about} has no password`,
  'no-scheme': (about) =>
    `the password of ${about} has no scheme: write {PLAIN} before a password in the clear`,
  'unknown-scheme': (about) => `the scheme ${about} is not read here`,
  'bad-hash': (about) => `the hash of ${about} is malformed, or asks for too much`,
  'bad-network': (about) => `"${about}" is no network`,
  'given-twice': (about) => `${about} is given twice`,
}

/** For logs and the API. */
export function describeFileFault({ line, reason, about }: FileFault): string {
  return `line ${line}: ${SAYS[reason](about)}`
}
