// The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): three messages and
// an order that must hold. Who the user is, and what is kept of his password, is asked of others.

import { createHash, timingSafeEqual } from 'node:crypto'
import { refuse } from '../mail/reply.ts'
import { prepare } from '../mail/saslprep.ts'
import { hmac, type ScramSecret } from '../mail/scram.ts'

/** Channel bindings of this connection, by their name (RFC 5929, RFC 9266); empty without TLS. */
export type ChannelBindings = ReadonlyMap<string, Buffer>

export type ClientFirst = {
  readonly username: string
  /** As it came, `n,,` and the like. */
  readonly gs2: string
  readonly binding: Binding
  readonly bare: string
  readonly nonce: string
}

/** `none`: the client has none; `unused`: it has, and believes that we have not; else the name of one. */
type Binding =
  | { readonly kind: 'none' }
  | { readonly kind: 'unused' }
  | { readonly kind: 'used'; readonly name: string }

const NAME = '(?:[^,=\\0]|=2C|=3D)'
const PRINTABLE = '[\\x21-\\x2b\\x2d-\\x7e]'
const EXTENSIONS = '(?:,[A-Za-z]=[^,\\0]*)*'
const FLAG = 'n|y|p=([A-Za-z0-9.-]{1,64})'
const FIRST = new RegExp(
  `^((${FLAG}),(?:a=(${NAME}{0,1024}))?,)(n=(${NAME}{1,1024}),r=(${PRINTABLE}{1,512})${EXTENSIONS})$`,
)
const FINAL =
  /^(c=([A-Za-z0-9+/=]{1,1024}),r=([\x21-\x2b\x2d-\x7e]{1,1024})(?:,[A-Za-z]=[^,\0]*)*),p=([A-Za-z0-9+/]{43}=)$/

/** Reads the client's first message; throws a 501 Refusal for what is none, 535 for another's name. */
export function readClientFirst(message: string): ClientFirst {
  const [, gs2, flag, name, authzid, bare, saslname, nonce] = FIRST.exec(message) ?? []
  if (!gs2 || !bare || !saslname || !nonce) {
    throw refuse(501, '5.5.2', 'SCRAM: the first message is malformed')
  }
  const username = prepare(unescaped(saslname)) ?? ''
  if (username === '') throw refuse(501, '5.5.2', 'SCRAM: the user name is malformed')
  if (authzid && prepare(unescaped(authzid)) !== username) {
    throw refuse(535, '5.7.8', 'One credential cannot act as another')
  }
  return { username, gs2, binding: bindingOf(flag!, name), bare, nonce }
}

function bindingOf(flag: string, name: string | undefined): Binding {
  if (name !== undefined) return { kind: 'used', name }
  return { kind: flag === 'y' ? 'unused' : 'none' }
}

/** RFC 5802 §5.1 */
function unescaped(saslname: string): string {
  return saslname.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

/**
 * May this binding be used with that mechanism? Throws a Refusal where it is a fault of the client or
 * somebody between us has struck -PLUS from our list (RFC 5802 §6).
 */
export function checkBinding(
  { binding }: ClientFirst,
  options: { readonly plus: boolean; readonly bindings: ChannelBindings },
): void {
  const { plus, bindings } = options
  if (binding.kind === 'unused' && bindings.size > 0) {
    throw refuse(
      535,
      '5.7.8',
      'SCRAM: the list of mechanisms was changed on its way: channel binding is offered here',
    )
  }
  if (plus !== (binding.kind === 'used')) {
    throw refuse(501, '5.5.2', 'SCRAM: -PLUS and a channel binding belong together')
  }
  if (binding.kind === 'used' && !bindings.has(binding.name)) {
    const known = [...bindings.keys()].join(' and ')
    throw refuse(501, '5.5.2', `SCRAM: not a channel binding of this connection (${known} are)`)
  }
}

export function serverFirst(
  first: ClientFirst,
  secret: ScramSecret,
  { ourNonce }: { readonly ourNonce: string },
): string {
  return `r=${first.nonce}${ourNonce},s=${secret.salt.toString('base64')},i=${secret.iterations}`
}

/**
 * Checks the client's final message.
 * @returns our own final message when the proof is right; undefined when it is wrong. Throws a 501
 * Refusal for a malformed one.
 */
export function finish(
  message: string,
  secret: ScramSecret,
  so: {
    readonly first: ClientFirst
    readonly serverFirst: string
    readonly bindings: ChannelBindings
  },
): string | undefined {
  const [, withoutProof, binding = '', nonce, proofText = ''] = FINAL.exec(message) ?? []
  if (!withoutProof) throw refuse(501, '5.5.2', 'SCRAM: the final message is malformed')
  const { first, bindings } = so
  const name = first.binding.kind === 'used' ? first.binding.name : undefined
  const data = name === undefined ? Buffer.alloc(0) : bindings.get(name)!
  const wanted = Buffer.concat([Buffer.from(first.gs2), data])
  const sameNonce = so.serverFirst.startsWith(`r=${nonce},`)
  const sameChannel = wanted.equals(Buffer.from(binding, 'base64'))
  const text = `${first.bare},${so.serverFirst},${withoutProof}`
  const signature = hmac(secret.storedKey, text)
  const proof = Buffer.from(proofText, 'base64')
  const clientKey = Buffer.from(proof.map((octet, i) => octet ^ signature[i]!))
  const right = timingSafeEqual(createHash('sha256').update(clientKey).digest(), secret.storedKey)
  if (!right || !sameNonce || !sameChannel) return undefined
  return `v=${hmac(secret.serverKey, text).toString('base64')}`
}
