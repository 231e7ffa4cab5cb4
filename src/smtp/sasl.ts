// AUTH exchanges (RFC 4954): PLAIN (RFC 4616) and LOGIN, nothing else. A dialogue is two awaits in a
// row; whether the password is right is not decided here.

import { refuse } from '../mail/reply.ts'

export type Mechanism = 'PLAIN' | 'LOGIN'

export type Credentials = { readonly username: string; readonly password: string }

/** Sends `334 text` and resolves to the client's line. */
export type Challenge = (text: string) => string | Promise<string>

export function isMechanism(name: string): name is Mechanism {
  return name === 'PLAIN' || name === 'LOGIN'
}

/**
 * Runs one exchange. Throws a Refusal when the client cancels or cannot spell base64.
 * @param initialResponse base64 as it came with the command (RFC 4954 §4)
 */
export async function exchange(
  mechanism: Mechanism,
  initialResponse: string | undefined,
  challenge: Challenge,
): Promise<Credentials> {
  const first = initialResponse ?? (await challenge(mechanism === 'PLAIN' ? '' : USERNAME))
  if (mechanism === 'PLAIN') return readPlain(decode(first))
  const username = decode(first)
  return { username, password: decode(await challenge(PASSWORD)) }
}

/** What clients of LOGIN expect to be asked, in base64. */
const USERNAME = 'VXNlcm5hbWU6'
const PASSWORD = 'UGFzc3dvcmQ6'

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
/** A password may begin with what looks like a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

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
