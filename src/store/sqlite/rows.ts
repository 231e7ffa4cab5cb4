// How messages and entries look in their rows, and the checksums that guard them. Both threads and
// the salvage use these functions, so that there is one opinion of what a whole row is.

import { crc32 } from 'node:zlib'
import type { Domain } from '../../mail/domain.ts'
import type { EntryState, QueueEntry } from '../../mail/entry.ts'
import type { BodyType, Recipient, Ret, ReversePath } from '../../mail/envelope.ts'
import type { Failure } from '../../mail/failure.ts'
import type { Message, MessageId, Sender, World } from '../../mail/message.ts'

/** A message without prefix and content, as a JSON array: short, and quick both ways. */
type Head = [
  reversePath: ReversePath,
  body: BodyType,
  smtputf8: boolean,
  requireTls: boolean,
  ret: Ret | null,
  envelopeId: string | null,
  fromDomain: Domain,
  world: World,
  sender: Sender,
  size: number,
  acceptedAt: number,
  wishes?: Wishes,
]

/** What few messages have; a row without it is shorter, and as it was before there were any. */
type Wishes = Pick<Message, 'holdUntil' | 'deliverBy' | 'priority' | 'tlsOptional'>

function wishesOf({ holdUntil, deliverBy, priority, tlsOptional }: Message): Wishes | undefined {
  if (!holdUntil && !deliverBy && !priority && !tlsOptional) return undefined
  return {
    ...(holdUntil !== undefined && { holdUntil }),
    ...(deliverBy && { deliverBy }),
    ...(priority !== undefined && { priority }),
    ...(tlsOptional && { tlsOptional }),
  }
}

export function encodeHead(message: Message): string {
  const head: Head = [
    message.reversePath,
    message.body,
    message.smtputf8,
    message.requireTls,
    message.ret ?? null,
    message.envelopeId ?? null,
    message.fromDomain,
    message.world,
    message.sender,
    message.size,
    message.acceptedAt,
  ]
  const wishes = wishesOf(message)
  if (wishes) head.push(wishes)
  return JSON.stringify(head)
}

export function decodeMessage(id: number, head: string, prefix: string): Message {
  const [reversePath, body, smtputf8, requireTls, ret, envelopeId, ...rest] = JSON.parse(
    head,
  ) as Head
  const [fromDomain, world, sender, size, acceptedAt, wishes] = rest
  return {
    id: id as MessageId,
    reversePath,
    body,
    smtputf8,
    requireTls,
    ...(ret === null ? undefined : { ret }),
    ...(envelopeId === null ? undefined : { envelopeId }),
    fromDomain,
    world,
    sender,
    prefix,
    size,
    acceptedAt,
    ...wishes,
  }
}

/** Who was to get a message when it was accepted; `recipient` is JSON again. */
export type RosterEntry = {
  readonly idx: number
  readonly site: string
  readonly recipient: string
}

export function decodeRoster(roster: string): RosterEntry[] {
  const items = JSON.parse(roster) as [number, string, Recipient][]
  return items.map(([idx, site, recipient]) => ({
    idx,
    site,
    recipient: JSON.stringify(recipient),
  }))
}

/** What the reader wants of a head that is whole. */
export function headFacts(head: string): { size: number; acceptedAt: number; world: World } {
  const parsed = JSON.parse(head) as Head
  return { size: parsed[9], acceptedAt: parsed[10], world: parsed[7] }
}

/** What changes with attempts; null for an entry that was never tried. */
export function encodeProgress(delayNoticed: boolean, failure: Failure | undefined): string | null {
  if (!delayNoticed && failure === undefined) return null
  return JSON.stringify([delayNoticed, failure ?? null])
}

/** Why a ready entry waits, in the column that tells it of held ones. */
export const CHOSEN = 'chosen'

/** An entry's row as the reader sends it. */
export type EntryRow = [
  message: number,
  idx: number,
  site: string,
  recipient: string,
  dueAt: number | null,
  attempts: number,
  held: string | null,
  progress: string | null,
]

export function decodeEntry(row: EntryRow, acceptedAt: number): QueueEntry {
  const [message, index, site, recipient, dueAt, attempts, held, progress] = row
  const [delayNoticed, failure] = progress
    ? (JSON.parse(progress) as [boolean, Failure | null])
    : [false, null]
  const state: EntryState =
    dueAt === null
      ? { kind: 'held', why: held ?? '' }
      : { kind: 'ready', at: dueAt, ...(held === CHOSEN && { chosen: true }) }
  return {
    message: message as MessageId,
    index,
    recipient: JSON.parse(recipient) as Recipient,
    site,
    state,
    attempts,
    acceptedAt,
    ...(failure ? { lastFailure: failure } : undefined),
    delayNoticed,
  }
}

export function headChecksum(id: number, head: string, prefix: string, roster: string): number {
  return crc32(roster, crc32(prefix, crc32(head, id >>> 0)))
}

export function contentChecksum(id: number, row: number, bytes: Uint8Array): number {
  return crc32(bytes, (id + row) >>> 0)
}

export function entryChecksum(
  message: number,
  idx: number,
  site: string,
  sandbox: number,
  recipient: string,
): number {
  return crc32(`${sandbox} ${site} ${recipient}`, (message + idx) >>> 0)
}

/** Is this entry's row what was once written? Columns as in the table, of any type. */
export function entryIsWhole(
  message: unknown,
  idx: unknown,
  site: unknown,
  sandbox: unknown,
  recipient: unknown,
  crc: unknown,
): boolean {
  return (
    typeof message === 'number' &&
    typeof idx === 'number' &&
    typeof site === 'string' &&
    typeof sandbox === 'number' &&
    typeof recipient === 'string' &&
    entryChecksum(message, idx, site, sandbox, recipient) === crc
  )
}

/** Is what changes with attempts of the types that decodeEntry needs? */
export function progressIsWhole(
  dueAt: unknown,
  attempts: unknown,
  held: unknown,
  progress: unknown,
): boolean {
  if (typeof attempts !== 'number' || attempts < 0) return false
  if (dueAt === null ? typeof held !== 'string' : typeof dueAt !== 'number') return false
  if (progress === null) return true
  if (typeof progress !== 'string') return false
  try {
    const parsed: unknown = JSON.parse(progress)
    return Array.isArray(parsed) && typeof parsed[0] === 'boolean'
  } catch {
    return false
  }
}

export function headIsWhole(
  id: unknown,
  head: unknown,
  prefix: unknown,
  roster: unknown,
  crc: unknown,
): boolean {
  return (
    typeof id === 'number' &&
    typeof head === 'string' &&
    typeof prefix === 'string' &&
    typeof roster === 'string' &&
    headChecksum(id, head, prefix, roster) === crc
  )
}
