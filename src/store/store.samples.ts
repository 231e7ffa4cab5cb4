// Messages and settlements for the tests of the store.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { QueueEntry } from '../mail/entry.ts'
import type { Failure, Outcome } from '../mail/failure.ts'
import type { Message, MessageId } from '../mail/message.ts'
import { reply } from '../mail/reply.ts'
import { status } from '../mail/status.ts'
import type { EntryChange, NewMessage, Settlement, Store } from './store.ts'

/** Tells one test of the contract with a store on a fresh folder. */
export type Story = (title: string, tell: (store: Store) => Promise<void>) => void

export const NOON = Date.UTC(2026, 10, 21, 12)

/** A message to `recipients`, due at NOON, with content of one row. */
export function sample(
  store: Store,
  options: {
    content?: Uint8Array | string
    recipients?: readonly string[]
    site?: string
    at?: number
    held?: string
    world?: 'live' | 'sandbox'
  } = {},
): NewMessage {
  const content = Buffer.from(options.content ?? 'Subject: hi\r\n\r\nHello.\r\n')
  const message = sampleMessage(store.nextMessageId(), content.length, options.world ?? 'live')
  const recipients = options.recipients ?? ['bob@example.com']
  return {
    message,
    entries: recipients.map((address, index) => ({
      ...sampleEntry(message, index, address),
      site: options.site ?? address.split('@')[1]!,
      state: options.held
        ? { kind: 'held', why: options.held }
        : { kind: 'ready', at: options.at ?? NOON },
    })),
    rows: content.length === 0 ? [] : [content],
    firstRow: 0,
  }
}

function sampleMessage(id: MessageId, contentSize: number, world: 'live' | 'sandbox'): Message {
  const prefix = 'Received: from café\r\nDKIM-Signature: v=1; …\r\n'
  return {
    id,
    reversePath: { localPart: 'ann', domain: 'sender.example' as never },
    body: '8bitmime',
    smtputf8: true,
    requireTls: false,
    envelopeId: 'QQ314159',
    fromDomain: 'sender.example' as never,
    world,
    sender: { kind: 'credential', name: 'app' },
    prefix,
    size: Buffer.byteLength(prefix) + contentSize,
    acceptedAt: NOON,
  }
}

function sampleEntry(message: Message, index: number, address: string): QueueEntry {
  const [localPart, domain] = address.split('@') as [string, string]
  return {
    message: message.id,
    index,
    recipient: {
      mailbox: { localPart, domain: domain as never },
      notify: { success: false, failure: true, delay: true },
      originalRecipient: `x-local;${address}`,
    },
    site: domain,
    state: { kind: 'ready', at: NOON },
    attempts: 0,
    acceptedAt: message.acceptedAt,
    delayNoticed: false,
  }
}

export const GREYLISTED: Failure = {
  permanence: 'transient',
  scope: 'recipient',
  status: status('4.7.1'),
  cause: {
    kind: 'reply',
    stage: 'rcpt',
    host: 'mx.example.com',
    reply: reply(451, '4.7.1', 'Greylisted'),
  },
}

/** All recipients of a message delivered by one attempt. */
export function delivered(message: NewMessage): Settlement {
  return settlement(message, {
    changes: message.entries.map((entry) => ({ kind: 'ended', key: entry, end: 'delivered' })),
    outcome: { kind: 'delivered', reply: reply(250, '2.0.0', 'ok') },
  })
}

export function deferred(entry: QueueEntry, nextAt: number): EntryChange {
  return {
    kind: 'deferred',
    key: entry,
    attempts: 1,
    nextAt,
    failure: GREYLISTED,
    delayNoticed: true,
  }
}

export function settlement(
  message: NewMessage,
  options: { changes: readonly EntryChange[]; outcome?: Outcome; notices?: NewMessage[] },
): Settlement {
  const { changes, outcome, notices = [] } = options
  const outcomes = new Map(outcome ? changes.map((change) => [change.key.index, outcome]) : [])
  return {
    message: message.message,
    changes,
    ...(outcome
      ? {
          attempt: {
            startedAt: NOON + 10,
            durationMs: 25,
            host: 'mx.example.com',
            address: '192.0.2.1',
            tls: { version: 'TLSv1.3', cipher: 'AES', verified: true },
            peerReports: false,
            outcomes,
          },
        }
      : undefined),
    notices,
    at: NOON + 40,
  }
}

export async function contentOf(store: Store, id: MessageId): Promise<Buffer> {
  const content = await store.content(id)
  const parts: Uint8Array[] = []
  for await (const row of content.rows()) parts.push(row)
  const whole = Buffer.concat(parts)
  assert.equal(whole.length, content.size)
  if (content.whole) assert.deepEqual(Buffer.from(content.whole), whole)
  return whole
}

export async function allDue(store: Store, limit: number): Promise<number[]> {
  const ids: number[] = []
  let batch = await store.due({ now: NOON, limit })
  for (;;) {
    ids.push(...batch.messages.map(({ message }) => message.id))
    if (!batch.next) return ids
    batch = await store.due({ now: NOON, limit, after: batch.next })
  }
}

/** Runs `story` with a fresh folder and a way to open (and reopen) the store in it. */
export async function withFolder(story: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-store-'))
  try {
    await story(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
