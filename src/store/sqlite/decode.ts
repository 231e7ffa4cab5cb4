// Rows from the reader, as the values that the house knows.

import type { DueMessage, QueueEntry } from '../../mail/entry.ts'
import type { Recipient } from '../../mail/envelope.ts'
import { formatMailbox } from '../../mail/mailbox.ts'
import type { Message, MessageId } from '../../mail/message.ts'
import type { AttemptRecord, QueueRow } from '../store.ts'
import type { Packet } from './reader.ts'
import { decodeEntry, decodeMessage } from './rows.ts'

export function decodeMessages(packet: Packet): Map<number, Message> {
  const messages = new Map<number, Message>()
  for (const [id, head, prefix] of packet.messages) {
    messages.set(id, decodeMessage(id, head, prefix))
  }
  return messages
}

/** Entries under their messages, in the order in which each message first appears. */
export function group(packet: Packet, messages: Map<number, Message>): DueMessage[] {
  const groups = new Map<number, { message: Message; entries: QueueEntry[] }>()
  for (const row of packet.entries) {
    let found = groups.get(row[0])
    if (!found) {
      found = { message: messages.get(row[0])!, entries: [] }
      groups.set(row[0], found)
    }
    found.entries.push(decodeEntry(row, found.message.acceptedAt))
  }
  return [...groups.values()]
}

export function decodeRows(packet: Packet): QueueRow[] {
  const messages = decodeMessages(packet)
  return packet.entries.map((row) => {
    const message = messages.get(row[0])!
    return {
      entry: decodeEntry(row, message.acceptedAt),
      from: message.reversePath ? formatMailbox(message.reversePath) : '',
      size: message.size,
      world: message.world,
      ...(message.sender.kind === 'credential' &&
        message.sender.stream && { stream: message.sender.stream }),
    }
  })
}

/** Attempts; a record that does not parse is history lost, not mail, and is left out. */
export function decodeAttempts(message: MessageId, texts: readonly unknown[]): AttemptRecord[] {
  return parseAll<StoredAttempt>(texts).map((stored) => ({
    message,
    ...stored,
    results: stored.results.map(({ recipient, result, text }) => ({
      recipient: formatMailbox(recipient.mailbox),
      result,
      text,
    })),
  }))
}

type StoredAttempt = Omit<AttemptRecord, 'message' | 'results'> & {
  readonly results: readonly {
    readonly recipient: Recipient
    readonly result: AttemptRecord['results'][number]['result']
    readonly text: string
  }[]
}

export function parseAll<T>(texts: readonly unknown[]): T[] {
  const values: T[] = []
  for (const text of texts) {
    try {
      values.push(JSON.parse(String(text)) as T)
    } catch {
      // Damaged: what reads these lists cannot do more than go on without it.
    }
  }
  return values
}
