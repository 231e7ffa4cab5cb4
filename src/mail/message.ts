import type { Brand } from '../std/brand.ts'
import type { Domain } from './domain.ts'
import type { BodyType, DeliverBy, Ret, ReversePath } from './envelope.ts'

/**
 * Identifies a message; grows with time and never repeats on one data folder.
 * 53 bits: milliseconds since 2020 times 4096 plus a counter, so it is a safe integer and a
 * database key; `formatMessageId` gives the short text that clients and logs see.
 */
export type MessageId = Brand<number, 'MessageId'>

/** What a credential's mail is for: letters that somebody waits for, or one of many. */
export type Stream = 'transactional' | 'broadcast'

/** Who submitted: a credential's name, or the reason why none was needed. */
export type Sender =
  | {
      readonly kind: 'credential'
      readonly name: string
      /** What the credential is for; absent: it does not say. */
      readonly stream?: Stream
    }
  | { readonly kind: 'network'; readonly address: string }
  | { readonly kind: 'posthorn' } // our own: bounces, notices

/** Where the message travels: the real Internet, or the small one inside Posthorn. */
export type World = 'live' | 'sandbox'

/** An accepted message; its content is in the store and is never rewritten. */
export type Message = {
  readonly id: MessageId
  readonly reversePath: ReversePath
  readonly body: BodyType
  readonly smtputf8: boolean
  readonly requireTls: boolean
  readonly ret?: Ret
  readonly envelopeId?: string
  /** Not tried before (RFC 4865); it is as old as the time since then. */
  readonly holdUntil?: number
  readonly deliverBy?: DeliverBy
  /** -9 to 9, absent: 0 (RFC 6710). */
  readonly priority?: number
  /** `TLS-Required: No`: it would rather travel in the clear than not at all (RFC 8689 §4.2.2). */
  readonly tlsOptional?: true
  /** The From domain that the signature is aligned with. */
  readonly fromDomain: Domain
  readonly world: World
  readonly sender: Sender
  /** Fields that we put above the content: DKIM-Signature, Received, Date, Message-ID. Latin-1 or UTF-8 text with CRLF. */
  readonly prefix: string
  /** Octets of prefix and content together. */
  readonly size: number
  readonly acceptedAt: number
}

/** A message's octets after the prefix. Rows of at most 256 KiB, in order. */
export type Content = {
  readonly size: number
  /** Reads the rows one by one; each call starts over. */
  rows(): AsyncIterable<Uint8Array>
  /** Present when the whole content is in memory anyway. */
  readonly whole?: Uint8Array
  /**
   * Its lines were looked at in this process: DATA may carry it as it is, for no line begins with a
   * dot, all end in CRLF, and there is no NUL.
   */
  readonly asIs?: boolean
}

const EPOCH_MS = 1_577_836_800_000 // 2020-01-01
const PER_MS = 4096
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The text form: base 32 without I, L, O, U; sorts like the number. */
export function formatMessageId(id: MessageId): string {
  let rest: number = id
  let text = ''
  for (let i = 0; i < 11; i++) {
    text = ALPHABET[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** The inverse of formatMessageId; undefined for anything else. */
export function parseMessageId(text: string): MessageId | undefined {
  if (text.length !== 11) return undefined
  let id = 0
  for (const letter of text.toUpperCase()) {
    const digit = ALPHABET.indexOf(letter)
    if (digit < 0) return undefined
    id = id * 32 + digit
  }
  return Number.isSafeInteger(id) ? (id as MessageId) : undefined
}

/**
 * Makes ids that grow even when the clock steps back.
 * @param last the newest id that the data folder has seen, 0 for none
 */
export function messageIds(now: () => number, last: number): () => MessageId {
  let previous = last
  return () => {
    previous = Math.max(previous + 1, (now() - EPOCH_MS) * PER_MS)
    return previous as MessageId
  }
}
