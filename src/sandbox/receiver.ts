// The sandbox's receiver: an ordinary service behind our own SMTP server that behaves as a big
// receiver does. It checks SPF, DKIM and DMARC, puts its fields on top and keeps message and
// verdict. It is told that the connection comes from the server's public address, although it comes
// from loopback: as if a router stood between.

import type { Resolver } from '../dns/resolver.ts'
import { decodeWords } from '../mail/encoded-word.ts'
import type { Envelope } from '../mail/envelope.ts'
import {
  bodyStart,
  fieldValue,
  findField,
  formatField,
  type HeaderField,
  splitHeader,
} from '../mail/header.ts'
import type { Identity } from '../mail/identity.ts'
import { formatMailbox } from '../mail/mailbox.ts'
import { formatMessageId } from '../mail/message.ts'
import { formatReceivedValue } from '../mail/trace.ts'
import type { Client, SmtpService } from '../smtp/service.ts'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'
import type { CapturedMessage, Store } from '../store/store.ts'
import type { Behaviours } from './behaviours.ts'
import { type Verdict, verifyMessage } from './verify.ts'
import { receiverDomain } from './world.ts'

export type ReceiverOptions = {
  readonly store: Pick<Store, 'capture' | 'nextMessageId'>
  readonly resolver: Resolver
  readonly behaviours: Behaviours
  readonly identity: Identity
  /** Where mail seems to come from. */
  readonly seenAddress: string
  /** So many messages are kept. */
  readonly keep: number
  readonly clock: Clock
  readonly log: Log
}

const LONGEST_SUBJECT = 1000

/** Makes the service. Its 250 comes after the verdict is known and the message is in the store. */
export function sandboxReceiver(options: ReceiverOptions): SmtpService {
  const { behaviours } = options
  return {
    mail() {},
    recipient(_client, request, recipient) {
      behaviours.atRecipient(request.reversePath, recipient)
      return recipient
    },
    async accept(client, envelope, content) {
      const chunks: Uint8Array[] = []
      await content((chunk) => {
        chunks.push(chunk)
        return undefined
      })
      await behaviours.atContent(envelope.recipients)
      const id = await capture(Buffer.concat(chunks), { client, envelope }, options)
      behaviours.taken(envelope.reversePath, envelope.recipients)
      return `Ok: captured as ${id}`
    },
  }
}

type Transfer = { readonly client: Client; readonly envelope: Envelope }

async function capture(
  content: Buffer,
  transfer: Transfer,
  options: ReceiverOptions,
): Promise<string> {
  const { store, clock } = options
  const id = formatMessageId(store.nextMessageId())
  const verdict = await verdictOf(content, transfer, options)
  const raw = Buffer.concat([
    Buffer.from(traceFields(id, transfer, { ...options, verdict })),
    content,
  ])
  const { reversePath, recipients } = transfer.envelope
  const { dkim, spf, dmarc } = verdict
  const record: CapturedMessage = {
    id,
    envelope: {
      from: reversePath ? formatMailbox(reversePath) : '',
      to: recipients.map(({ mailbox }) => formatMailbox(mailbox)),
    },
    subject: subjectOf(content),
    authentication: { dkim, spf, dmarc },
    size: raw.length,
    receivedAt: clock.now(),
  }
  await store.capture(record, raw, options.keep)
  return id
}

async function verdictOf(
  content: Buffer,
  { client, envelope }: Transfer,
  { resolver, identity, seenAddress, log }: ReceiverOptions,
): Promise<Verdict> {
  const { reversePath } = envelope
  const receiver = receiverDomain(envelope.recipients[0]?.mailbox.domain, identity)
  try {
    return await verifyMessage(
      content,
      {
        address: seenAddress,
        helloName: client.helloName,
        sender: reversePath ? formatMailbox(reversePath) : '',
        receiver,
      },
      resolver,
    )
  } catch (error) {
    // The library met something that it did not expect; the message is worth keeping all the same.
    log.warn({ err: error }, 'the sandbox could not verify a message')
    const fields = formatField('Authentication-Results', `${receiver}; none`)
    return { dkim: 'temperror', spf: 'temperror', dmarc: 'temperror', fields }
  }
}

/** What a receiver puts on top, newest first (RFC 5321 §4.4, RFC 8601 §4.1). */
function traceFields(
  id: string,
  { client, envelope }: Transfer,
  options: ReceiverOptions & { readonly verdict: Verdict },
): string {
  const { reversePath, recipients, smtputf8 } = envelope
  const single = recipients.length === 1 ? recipients[0]?.mailbox : undefined
  const { tls } = client
  const received = formatReceivedValue({
    helloName: client.helloName,
    address: options.seenAddress,
    by: receiverDomain(recipients[0]?.mailbox.domain, options.identity),
    protocol: `${smtputf8 ? 'UTF8SMTP' : client.esmtp ? 'ESMTP' : 'SMTP'}${tls ? 'S' : ''}`,
    ...(tls ? { tls: `${tls.version} ${tls.cipher}` } : {}),
    id,
    ...(single ? { recipient: single } : {}),
    at: options.clock.now(),
  })
  const returnPath = formatField(
    'Return-Path',
    `<${reversePath ? formatMailbox(reversePath) : ''}>`,
  )
  return returnPath + options.verdict.fields + formatField('Received', received)
}

/** The subject for people, decoded; empty when there is none. */
function subjectOf(content: Buffer): string {
  const end = bodyStart(content)
  const fields = splitHeader(content.toString('latin1', 0, end < 0 ? content.length : end))
  if (!Array.isArray(fields)) return ''
  const field: HeaderField | undefined = findField(fields, 'subject')
  if (!field) return ''
  const text = Buffer.from(fieldValue(field), 'latin1').toString('utf8')
  return decodeWords(text).slice(0, LONGEST_SUBJECT)
}
