// A delivery room for tests: real sockets, a map for DNS, short limits of time.

import { createDelivery, type Delivery, type DeliveryDeps } from '../../src/delivery/deliver.ts'
import type { RouteConfig } from '../../src/delivery/route.ts'
import type { Batch } from '../../src/mail/batch.ts'
import { type Domain, parseDomain } from '../../src/mail/domain.ts'
import type { Recipient } from '../../src/mail/envelope.ts'
import type { Attempt, Outcome } from '../../src/mail/failure.ts'
import { type Mailbox, parseMailbox } from '../../src/mail/mailbox.ts'
import type { Content, Message, MessageId } from '../../src/mail/message.ts'
import { formatStatus } from '../../src/mail/status.ts'
import type { ClientTimeouts } from '../../src/smtp/client.ts'
import { systemClock } from '../../src/std/clock.ts'
import { silentLog } from '../../src/std/log.ts'
import { testAuthority } from './certificate.ts'
import { type FakeAnswer, mapResolver } from './dns.ts'

/** Long enough for a busy machine, short enough for a test that waits for the end. */
export const shortTimeouts: ClientTimeouts = {
  connect: 2_000,
  banner: 2_500,
  hello: 2_500,
  tls: 2_500,
  auth: 2_500,
  mail: 2_500,
  rcpt: 2_500,
  data: 2_500,
  commands: 30_000,
  block: 1_000,
  content: 2_500,
  reset: 2_500,
  quit: 200,
}

export type RoomOptions = Partial<Omit<DeliveryDeps, 'routes'>> & {
  readonly routes?: Partial<RouteConfig>
  /** Where direct mail goes. */
  readonly port?: number
  readonly dns?: Readonly<Record<string, FakeAnswer>>
  /** Names whose records DNSSEC proves. */
  readonly authentic?: readonly string[]
}

/** `example.com` has one host, mx.example.com at 127.0.0.1, unless `dns` says otherwise. */
export function makeRoom(options: RoomOptions = {}): Delivery {
  const dns = options.dns ?? {
    'example.com MX': ['10 mx.example.com'],
    'mx.example.com A': ['127.0.0.1'],
  }
  return createDelivery({
    clock: systemClock,
    log: silentLog,
    identity: { hostname: domain('posthorn.example.org') },
    resolvers: { live: mapResolver(dns, { authentic: options.authentic ?? [] }) },
    random: () => 0.999, // shuffles nothing
    timeouts: shortTimeouts,
    trust: [testAuthority],
    ...options,
    routes: {
      routes: new Map(),
      protocol: 'both',
      allowPrivate: true,
      ...(options.port !== undefined && { port: options.port }),
      ...options.routes,
    },
  })
}

export function domain(text: string): Domain {
  const parsed = parseDomain(text)
  if (!parsed) throw new Error(`no domain: ${text}`)
  return parsed
}

export function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text)
  if (!parsed) throw new Error(`no mailbox: ${text}`)
  return parsed
}

export type LetterOptions = {
  readonly to?: readonly (string | Recipient)[]
  readonly message?: Partial<Message>
  readonly text?: string | Uint8Array
  /** Rows instead of a whole. */
  readonly rows?: readonly Uint8Array[]
  readonly attempts?: number
}

export const TEXT = 'From: a@example.org\r\nSubject: hi\r\n\r\nHello\r\n.dot\r\n..two\r\n'

export function makeBatch(options: LetterOptions = {}): Batch {
  const recipients = (options.to ?? ['bob@example.com']).map((to) =>
    typeof to === 'string' ? { mailbox: mailbox(to) } : to,
  )
  const content = makeContent(options)
  const prefix = 'Received: from test\r\n'
  const message: Message = {
    id: 1 as MessageId,
    reversePath: mailbox('alice@example.org'),
    body: '7bit',
    smtputf8: false,
    requireTls: false,
    fromDomain: domain('example.org'),
    world: 'live',
    sender: { kind: 'posthorn' },
    prefix,
    size: prefix.length + content.size,
    acceptedAt: 0,
    ...options.message,
  }
  const entries = recipients.map((recipient, index) => ({
    message: message.id,
    index,
    recipient,
    site: recipient.mailbox.domain,
    state: { kind: 'ready', at: 0 } as const,
    attempts: options.attempts ?? 0,
    acceptedAt: 0,
    delayNoticed: false,
  }))
  return { site: entries[0]!.site, message, entries, content: async () => content }
}

function makeContent(options: LetterOptions): Content {
  const { rows } = options
  if (rows) {
    const size = rows.reduce((sum, row) => sum + row.length, 0)
    return {
      size,
      async *rows() {
        yield* rows
      },
    }
  }
  const text = options.text ?? TEXT
  const whole = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
  return {
    size: whole.length,
    whole,
    async *rows() {
      yield whole
    },
  }
}

export async function send(
  room: Delivery,
  options: LetterOptions = {},
  signal = new AbortController().signal,
): Promise<Attempt> {
  return await room.deliver(makeBatch(options), signal)
}

/** `delivered`, or `transient session 4.4.2`: one for each entry. */
export function ends(attempt: Attempt): string[] {
  return [...attempt.outcomes].sort(([a], [b]) => a - b).map(([, outcome]) => describe(outcome))
}

export function describe(outcome: Outcome): string {
  if (outcome.kind === 'delivered') return 'delivered'
  const { permanence, scope, status } = outcome.failure
  return `${permanence} ${scope} ${formatStatus(status)}`
}
