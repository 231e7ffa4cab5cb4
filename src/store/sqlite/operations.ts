// What travels to the writer thread. The two hot operations, commit and settle, are flat arrays of
// numbers and strings, which cost the least to clone; the rest are named calls with an argument.
// Content of a whole batch travels in one ArrayBuffer; an operation holds its offset there.

import type { QueueEntry } from '../../mail/entry.ts'
import { type Attempt, describeCause, type Outcome } from '../../mail/failure.ts'
import { describeReply } from '../../mail/reply.ts'
import type { AttemptRecord, EntryChange, NewMessage, Settlement } from '../store.ts'
import { CHOSEN, encodeHead, encodeProgress } from './rows.ts'

export const COMMIT = 1
export const SETTLE = 2
export const PUT = 3
export const CALL = 4

/** Its first element is the kind, and of COMMIT and PUT the second is the offset of the content. */
export type Operation = unknown[]

/** Numbers before the lists of a COMMIT. */
export const COMMIT_HEAD = 9
/** Elements for an entry in a COMMIT: idx, site, recipient, dueAt, attempts, held, progress. */
export const COMMIT_ENTRY = 7
/** Elements before the changes of a SETTLE. */
export const SETTLE_HEAD = 5
/** Elements for a change: idx, result, text as JSON, dueAt (null: ended), attempts, progress. */
export const SETTLE_CHANGE = 6

/** An operation, and the bytes that go with it or with the notices inside it. */
export type Request = {
  readonly operation: Operation
  readonly loads: readonly Load[]
}
export type Load = { readonly operation: Operation; readonly rows: readonly Uint8Array[] }

const NOTHING: readonly Load[] = []

/** `[COMMIT, offset, id, head, prefix, sandbox, firstRow, rows, entries, …row sizes, …entries]` */
export function commitRequest(message: NewMessage): Request {
  const { message: head, rows, entries } = message
  const operation: Operation = [
    COMMIT,
    0,
    head.id,
    encodeHead(head),
    head.prefix,
    head.world === 'sandbox' ? 1 : 0,
    message.firstRow,
    rows.length,
    entries.length,
  ]
  for (const row of rows) operation.push(row.byteLength)
  for (const entry of entries) pushEntry(operation, entry)
  return { operation, loads: [{ operation, rows }] }
}

function pushEntry(operation: Operation, entry: QueueEntry): void {
  const { state } = entry
  operation.push(
    entry.index,
    entry.site,
    JSON.stringify(entry.recipient),
    state.kind === 'ready' ? state.at : null,
    entry.attempts,
    state.kind === 'held' ? state.why : state.chosen ? CHOSEN : null,
    encodeProgress(entry.delayNoticed, entry.lastFailure),
  )
}

/** `[SETTLE, id, at, record, notices, …changes]`; the record is JSON without its results and its end. */
export function settleRequest(settlement: Settlement): Request {
  const { attempt, changes, notices } = settlement
  const at = attempt?.startedAt ?? settlement.at
  const commits = notices.map(commitRequest)
  const operation: Operation = [
    SETTLE,
    settlement.message.id,
    at,
    recordHead(at, attempt),
    commits.length === 0 ? null : commits.map((commit) => commit.operation),
  ]
  for (const change of changes) pushChange(operation, change, attempt)
  return {
    operation,
    loads: commits.length === 0 ? NOTHING : commits.flatMap((commit) => commit.loads),
  }
}

function pushChange(operation: Operation, change: EntryChange, attempt: Attempt | undefined): void {
  const outcome = attempt?.outcomes.get(change.key.index)
  if (change.kind === 'ended') {
    const text = outcome ? outcomeText(outcome) : ''
    operation.push(change.key.index, resultOf(change), JSON.stringify(text), null, 0, null)
    return
  }
  operation.push(
    change.key.index,
    'deferred',
    JSON.stringify(outcome ? outcomeText(outcome) : describeCause(change.failure.cause)),
    change.nextAt,
    change.attempts,
    encodeProgress(change.delayNoticed, change.failure),
  )
}

type Result = AttemptRecord['results'][number]['result']

function resultOf(change: EntryChange & { kind: 'ended' }): Result {
  return change.end === 'relayed' ? 'delivered' : change.end
}

function outcomeText(outcome: Outcome): string {
  return outcome.kind === 'delivered'
    ? describeReply(outcome.reply)
    : describeCause(outcome.failure.cause)
}

/** The attempt as JSON, open at its end: the writer adds the results with the recipients it finds. */
function recordHead(at: number, attempt: Attempt | undefined): string {
  const tls = attempt?.tls
  const record = JSON.stringify({
    at,
    durationMs: attempt?.durationMs ?? 0,
    host: attempt?.host,
    address: attempt?.address,
    tls: tls && `${tls.version} ${tls.cipher} ${tls.verified ? 'verified' : 'not verified'}`,
  })
  return record.slice(0, -1)
}

/** `[PUT, offset, message, row, size]` */
export function putRequest(message: number, row: number, bytes: Uint8Array): Request {
  const operation: Operation = [PUT, 0, message, row, bytes.byteLength]
  return { operation, loads: [{ operation, rows: [bytes] }] }
}

/** `[CALL, name, argument]` */
export function callRequest(name: string, argument: unknown): Request {
  return { operation: [CALL, name, argument], loads: NOTHING }
}

/** What the writer answers to a batch. */
export type Answer = {
  /** By position, only of operations that return something. */
  readonly values?: readonly unknown[]
  readonly failures?: readonly {
    readonly index: number
    readonly kind: 'full' | 'failed'
    readonly text: string
  }[]
  /** The database is damaged: nothing was done. */
  readonly corrupt?: { readonly text: string }
  readonly stats?: WriterStats
}

export type WriterStats = {
  readonly commits: number
  readonly commitSeconds: number
  readonly checkpoints: number
  readonly walBytes: number
  readonly freeBytes: number
  readonly isFull: boolean
}

export type CommitHead = [
  kind: number,
  offset: number,
  id: number,
  head: string,
  prefix: string,
  sandbox: number,
  firstRow: number,
  rows: number,
  entries: number,
]

export type SettleHead = [
  kind: number,
  id: number,
  at: number,
  record: string,
  notices: Operation[] | null,
]
