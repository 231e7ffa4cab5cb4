// What went wrong with an attempt, as a value: seen by the protocol, judged by delivery/classify.ts,
// settled, logged, stored and told in bounces without being changed on the way.

import { describeReply, type Reply } from './reply.ts'
import type { EnhancedStatus } from './status.ts'

/** How far a failure reaches, and so what is tried next: this recipient, this message, this session (next host), this site (rest). */
export type Scope = 'recipient' | 'message' | 'session' | 'site'

export type Permanence = 'transient' | 'permanent'

/** The step of the conversation at which it happened. */
export type Stage =
  | 'lookup'
  | 'connect'
  | 'banner'
  | 'hello'
  | 'tls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'content'
  | 'quit'

/** What was seen. `host` is the name of the server, when one was reached. */
export type Cause =
  | { readonly kind: 'reply'; readonly stage: Stage; readonly host: string; readonly reply: Reply }
  | {
      readonly kind: 'network'
      readonly stage: Stage
      readonly host?: string
      readonly code: string // ECONNREFUSED, timeout, closed …
      readonly text: string
    }
  | { readonly kind: 'dns'; readonly name: string; readonly code: string; readonly text: string }
  | { readonly kind: 'tls'; readonly host: string; readonly text: string }
  | { readonly kind: 'local'; readonly text: string }

export type Failure = {
  readonly permanence: Permanence
  readonly scope: Scope
  /** What a bounce reports: the peer's own status where it gave one. */
  readonly status: EnhancedStatus
  readonly cause: Cause
}

export type Outcome =
  | { readonly kind: 'delivered'; readonly reply: Reply }
  | { readonly kind: 'failed'; readonly failure: Failure }

export type TlsInfo = {
  readonly version: string
  readonly cipher: string
  readonly verified: boolean
}

/** One try at one site for some recipients of one message. */
export type Attempt = {
  readonly startedAt: number
  readonly durationMs: number
  readonly host?: string
  readonly address?: string
  readonly port?: number
  readonly tls?: TlsInfo
  /** The peer announced DSN, so it will report success itself (RFC 3461 §5.2). */
  readonly peerReports: boolean
  /** It announced DELIVERBY, so it knows until when delivery is of use (RFC 2852). */
  readonly peerDeliversBy?: true
  /** By the recipient's index in the envelope; every entry of the batch has one. */
  readonly outcomes: ReadonlyMap<number, Outcome>
}

/** One sentence for logs, pages and bounces. */
export function describeCause(cause: Cause): string {
  switch (cause.kind) {
    case 'reply':
      return `${cause.host} said at ${cause.stage}: ${describeReply(cause.reply)}`
    case 'network':
      return cause.host ? `${cause.host}: ${cause.text} (${cause.stage})` : cause.text
    case 'dns':
      return `${cause.name}: ${cause.text}`
    case 'tls':
      return `${cause.host}: TLS: ${cause.text}`
    case 'local':
      return cause.text
  }
}
