// AUTH exchanges (RFC 4954): PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256 with and without channel binding
// (RFC 7677), CRAM-MD5 (RFC 2195) and EXTERNAL (RFC 4422 §A). A dialogue is a few awaits in a row;
// what a credential is, and whether it may be used, is asked of the service.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { refuse } from '../mail/reply.ts'
import { prepare } from '../mail/saslprep.ts'
import type { ScramSecret } from '../mail/scram.ts'
import {
  type ChannelBindings,
  checkBinding,
  finish,
  readClientFirst,
  serverFirst,
} from './scram.ts'

/** In the order in which they are offered: some clients take the first that they know. */
export const MECHANISMS = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'EXTERNAL',
  'PLAIN',
  'LOGIN',
  'CRAM-MD5',
] as const

export type Mechanism = (typeof MECHANISMS)[number]

/** What the mechanisms beyond a password in the clear need to know of credentials. */
export type SaslService = {
  /** Those that the operator wants and that credentials can use. */
  mechanisms(): ReadonlySet<Mechanism>
  /** Made up, always the same, for names that are unknown or have none. */
  scram(username: string): ScramSecret
  /** The password of one who may use CRAM-MD5; undefined for everybody else. */
  cram(username: string): string | undefined
  /** The credential that a certificate with one of these names stands for; `username` when it is wished. */
  certificate(names: readonly string[], username: string | undefined): string | undefined
}

export type Exchange = {
  /** Sends `334 text` and resolves to the client's line. */
  readonly challenge: (text: string) => string | Promise<string>
  readonly password: (username: string, password: string) => Promise<boolean>
  readonly sasl: SaslService | undefined
  readonly bindings: ChannelBindings
  /** The names in the client's certificate, when an authority of ours signed it. */
  readonly certificate: readonly string[]
  readonly hostname: string
}

/** What a client has shown, not judged yet. */
export type Claim = {
  /** Empty when nobody is named, as in a certificate that is nobody's. */
  readonly username: string
  prove(): Promise<boolean>
  /** Our own proof, which the client hears before it hears success. */
  finale?(): string
}

/**
 * Runs one exchange. Throws a Refusal when the client cancels or cannot spell.
 * @param initial base64 as it came with the command (RFC 4954 §4)
 */
export async function exchange(
  mechanism: Mechanism,
  initial: string | undefined,
  so: Exchange,
): Promise<Claim> {
  switch (mechanism) {
    case 'PLAIN':
      return passwordClaim(readPlain(decode(initial ?? (await so.challenge('')))), so)
    case 'LOGIN':
      return login(initial, so)
    case 'CRAM-MD5':
      return cramMd5(initial, so)
    case 'EXTERNAL':
      return external(decode(initial ?? (await so.challenge(''))), so)
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-256-PLUS':
      return scram(mechanism === 'SCRAM-SHA-256-PLUS', initial, so)
  }
}

type Credentials = { readonly username: string; readonly password: string }

/** A name that SASLprep forbids is no name of ours, and is refused as an unknown one is. */
function passwordClaim({ username, password }: Credentials, so: Exchange): Claim {
  const name = prepare(username) ?? username
  return { username: name, prove: () => so.password(name, password) }
}

/** What clients of LOGIN expect to be asked, in base64. */
const USERNAME = 'VXNlcm5hbWU6'
const PASSWORD = 'UGFzc3dvcmQ6'

async function login(initial: string | undefined, so: Exchange): Promise<Claim> {
  const username = decode(initial ?? (await so.challenge(USERNAME)))
  return passwordClaim({ username, password: decode(await so.challenge(PASSWORD)) }, so)
}

/** `authzid NUL authcid NUL password`; who acts for another must be that other (RFC 4616 §2). */
function readPlain(message: string): Credentials {
  const [actingAs, username, password, ...rest] = message.split('\0')
  if (password === undefined || rest.length > 0 || !username) {
    throw refuse(501, '5.5.2', 'PLAIN needs NUL, the user name, NUL, the password')
  }
  if (actingAs !== '' && actingAs !== username) {
    throw refuse(535, '5.7.8', 'One credential cannot act as another')
  }
  return { username, password }
}

async function scram(plus: boolean, initial: string | undefined, so: Exchange): Promise<Claim> {
  const { sasl, bindings } = so
  const first = readClientFirst(decode(initial ?? (await so.challenge(''))))
  checkBinding(first, { plus, bindings })
  const secret = sasl!.scram(first.username)
  const ourNonce = randomBytes(18).toString('base64')
  const challenge = serverFirst(first, secret, { ourNonce })
  const final = decode(await so.challenge(encode(challenge)))
  const ours = finish(final, secret, { first, serverFirst: challenge, bindings })
  return {
    username: first.username,
    prove: async () => ours !== undefined,
    finale: () => encode(ours ?? ''),
  }
}

/** The server speaks first, so there is nothing that a client could say at once (RFC 4954 §4). */
async function cramMd5(initial: string | undefined, so: Exchange): Promise<Claim> {
  if (initial !== undefined) throw refuse(501, '5.5.2', 'CRAM-MD5 has no initial response')
  const challenge = `<${randomBytes(12).toString('hex')}@${so.hostname}>`
  const answer = decode(await so.challenge(encode(challenge)))
  const [, name = '', digest = ''] = /^(.*) ([0-9a-f]{32})$/is.exec(answer) ?? []
  if (name === '' || name.includes('\0'))
    throw refuse(501, '5.5.2', 'CRAM-MD5 needs the user name, a blank, the digest')
  const username = prepare(name) ?? name
  const password = so.sasl!.cram(username)
  const wanted = createHmac('md5', password ?? randomBytes(16))
    .update(challenge)
    .digest()
  const right = timingSafeEqual(wanted, Buffer.from(digest, 'hex')) && password !== undefined
  return { username, prove: async () => right }
}

function external(wanted: string, { sasl, certificate }: Exchange): Claim {
  const found = sasl!.certificate(certificate, wanted === '' ? undefined : wanted)
  return { username: found ?? wanted, prove: async () => found !== undefined }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
/** A password may begin with what looks like a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}

function decode(response: string): string {
  if (response === '*') throw refuse(501, '5.7.0', 'Authentication cancelled')
  if (!BASE64.test(response))
    throw refuse(501, '5.5.2', 'Cannot decode: the response is not base64')
  try {
    return utf8.decode(Buffer.from(response, 'base64'))
  } catch {
    throw refuse(501, '5.5.2', 'Cannot decode: the response is not UTF-8')
  }
}
