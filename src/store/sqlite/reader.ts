// The reader: runs in its own thread with a read-only connection, so that no long read delays a
// commit or the event loop. Every call returns a bounded amount. It checks the checksum of what it
// hands out; what fails is named in the answer (`aside`) and left out.

import type { DueOptions, QueueFilter } from '../store.ts'
import { CONTENT_ROW_BYTES } from '../store.ts'
import type { Aside } from './aside.ts'
import { type Database, openForReading, prepare, troubleOf } from './driver.ts'
import type { Answer } from './operations.ts'
import {
  contentChecksum,
  type EntryRow,
  entryIsWhole,
  headFacts,
  headIsWhole,
  progressIsWhole,
} from './rows.ts'

export type Query = readonly [name: string, argument: unknown]

export type MessageRow = readonly [id: number, head: string, prefix: string]

/** Entries with their messages, each message once. */
export type Packet = {
  readonly entries: readonly EntryRow[]
  readonly messages: readonly MessageRow[]
  readonly aside?: Aside
  /** The last row that was looked at, when there may be more. */
  readonly last?: readonly [message: number, idx: number, dueAt: number | null]
}

export type ContentPacket =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  | { readonly kind: 'rows'; readonly rows: number; readonly size: number }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'none' }

export type RoutePacket = {
  readonly entries: readonly (readonly [
    message: number,
    idx: number,
    site: string,
    sandbox: number,
    recipient: string,
  ])[]
  readonly more: boolean
}

/** More than anybody needs at once. */
const LARGEST_PAGE = 10_000
/** A site with no more entries than this is listed by its index, a larger one by walking the queue. */
const SMALL_SITE = 5000
/** Entries that one call looks at when it passes some over: a few milliseconds. */
const MOST_LOOKED_AT = 5000

const ENTRY_COLUMNS =
  'message, idx, site, recipient, due_at, attempts, held, progress, sandbox, crc'
type FullRow = [...EntryRow, sandbox: unknown, crc: unknown]

type QueryFunction = (reader: ReaderState, argument: never) => unknown

export class Reader {
  readonly #state: ReaderState

  constructor(path: string) {
    const database = openForReading(path)
    this.#state = { database, ...prepareAll(database) }
  }

  /** Answers every query of a batch as of one moment; a damaged database fails the batch as a whole. */
  run(queries: readonly Query[], transfer: ArrayBuffer[]): Answer {
    const { begin, end } = this.#state
    try {
      begin.run()
      const answer = this.#answer(queries, transfer)
      if (answer.corrupt) this.#rollback()
      else end.run()
      return answer
    } catch (error) {
      this.#rollback()
      if (troubleOf(error) === 'corrupt') return { corrupt: { text: String(error) } }
      return { failures: queries.map((_, index) => ({ index, kind: 'failed', text: `${error}` })) }
    }
  }

  #rollback(): void {
    try {
      if (this.#state.database.isTransaction) this.#state.database.exec('ROLLBACK')
    } catch {
      // The next batch meets the same trouble and tells it.
    }
  }

  #answer(queries: readonly Query[], transfer: ArrayBuffer[]): Answer {
    const values: unknown[] = []
    const failures: { index: number; kind: 'failed'; text: string }[] = []
    for (let index = 0; index < queries.length; index++) {
      const [name, argument] = queries[index]!
      try {
        const value = queryNamed(name)(this.#state, argument as never)
        values[index] = value
        collectBuffers(value, transfer)
      } catch (error) {
        if (troubleOf(error) === 'corrupt') return { corrupt: { text: String(error) } }
        failures.push({ index, kind: 'failed', text: String(error) })
      }
    }
    return failures.length === 0 ? { values } : { values, failures }
  }

  close(): void {
    this.#state.database.close()
  }
}

function queryNamed(name: string): QueryFunction {
  const query = QUERIES[name]
  if (!query) throw new Error(`no such query: ${name}`)
  return query
}

/** Content leaves the thread without another copy. */
function collectBuffers(value: unknown, transfer: ArrayBuffer[]): void {
  const bytes = value instanceof Uint8Array ? value : (value as { bytes?: unknown } | null)?.bytes
  if (bytes instanceof Uint8Array && bytes.byteLength === bytes.buffer.byteLength) {
    transfer.push(bytes.buffer as ArrayBuffer)
  }
}

type ReaderState = { readonly database: Database } & ReturnType<typeof prepareAll>

function prepareAll(database: Database) {
  const entries = (where: string) =>
    prepare(database, `SELECT ${ENTRY_COLUMNS} FROM entries WHERE ${where}`)
  return {
    begin: prepare(database, 'BEGIN'),
    end: prepare(database, 'COMMIT'),
    due: entries(
      'due_at <= ? AND (due_at, message, idx) > (?, ?, ?) ORDER BY due_at, message, idx LIMIT ?',
    ),
    dueAt: entries('site = ? AND due_at <= ? ORDER BY due_at, message, idx LIMIT ?'),
    ofMessage: entries('message = ? AND idx > ? ORDER BY idx LIMIT ?'),
    page: entries('(message, idx) > (?, ?) ORDER BY message, idx LIMIT ?'),
    pageHeld: entries('due_at IS NULL AND (message, idx) > (?, ?) ORDER BY message, idx LIMIT ?'),
    pageOfSite: entries('+site = ? AND (message, idx) > (?, ?) ORDER BY message, idx LIMIT ?'),
    pageOfSmallSite: prepare(
      database,
      `SELECT ${ENTRY_COLUMNS} FROM entries INDEXED BY entries_site
       WHERE site = ? AND (message, idx) > (?, ?) ORDER BY message, idx LIMIT ?`,
    ),
    siteSize: prepare(
      database,
      `SELECT count(*) FROM (SELECT 1 FROM entries WHERE site = ? LIMIT ${SMALL_SITE + 1})`,
    ),
    nextDue: prepare(database, 'SELECT min(due_at) FROM entries WHERE due_at > ?'),
    message: prepare(
      database,
      'SELECT id, head, prefix, roster, head_crc FROM messages WHERE id = ?',
    ),
    content: prepare(
      database,
      'SELECT rows, content_crc, content, head FROM messages WHERE id = ?',
    ),
    contentRow: prepare(database, 'SELECT crc, bytes FROM content WHERE message = ? AND row = ?'),
    countReady: prepare(database, 'SELECT count(*) FROM entries WHERE due_at IS NOT NULL'),
    countHeld: prepare(database, 'SELECT count(*) FROM entries WHERE due_at IS NULL'),
    oldest: prepare(
      database,
      'SELECT id, head, prefix, roster, head_crc FROM messages ORDER BY id LIMIT 1',
    ),
    route: prepare(
      database,
      `SELECT message, idx, site, sandbox, recipient FROM entries
       WHERE (message, idx) > (?, ?) ORDER BY message, idx LIMIT ?`,
    ),
    attempts: prepare(
      database,
      'SELECT data FROM (SELECT n, data FROM attempts WHERE message = ? ORDER BY n DESC LIMIT ?) ORDER BY n',
    ),
    domains: prepare(database, 'SELECT data FROM domains ORDER BY name'),
    credentials: prepare(database, 'SELECT data FROM credentials ORDER BY name'),
    usage: prepare(database, "SELECT value FROM meta WHERE name = 'usage'"),
    captured: prepare(
      database,
      'SELECT data FROM captured WHERE n < coalesce((SELECT n FROM captured WHERE id = ?), ?) ORDER BY n DESC LIMIT ?',
    ),
    capturedRaw: prepare(database, 'SELECT raw FROM captured WHERE id = ?'),
    damaged: prepare(database, "SELECT value FROM meta WHERE name = 'damaged'"),
  }
}

/** Checks rows and adds the messages that they belong to. */
function packet(state: ReaderState, rows: readonly FullRow[], limit: number): Packet {
  const entries: EntryRow[] = []
  const messages = new Map<number, MessageRow | undefined>()
  const damagedMessages = new Set<number>()
  const damagedEntries: (readonly [number, number])[] = []
  for (const row of rows) {
    const [message, idx, site, recipient, dueAt, attempts, held, progress, sandbox, crc] = row
    if (
      !entryIsWhole(message, idx, site, sandbox, recipient, crc) ||
      !progressIsWhole(dueAt, attempts, held, progress)
    ) {
      damagedEntries.push([message, idx])
      continue
    }
    if (!messages.has(message)) messages.set(message, readMessage(state, message))
    if (messages.get(message)) {
      entries.push([message, idx, site, recipient, dueAt, attempts, held, progress])
    } else damagedMessages.add(message)
  }
  const last = rows.at(-1)
  const whole = [...messages.values()].filter((message) => message !== undefined)
  const hurt = damagedMessages.size + damagedEntries.length > 0
  return {
    entries,
    messages: whole,
    ...(hurt ? { aside: { messages: [...damagedMessages], entries: damagedEntries } } : undefined),
    ...(last && rows.length === limit ? { last: [last[0], last[1], last[4]] } : undefined),
  }
}

function readMessage(state: ReaderState, id: number): MessageRow | undefined {
  const row = state.message.get(id) as unknown as
    | [number, string, string, string, number]
    | undefined
  if (!row || !headIsWhole(...row)) return undefined
  return [row[0], row[1], row[2]]
}

function due(state: ReaderState, { now, after, limit, except = [] }: DueOptions): Packet {
  const wanted = bounded(limit)
  const from = [after?.at ?? -1, after?.key.message ?? -1, after?.key.index ?? -1] as const
  if (except.length === 0) {
    return packet(state, state.due.all(now, ...from, wanted) as unknown as FullRow[], wanted)
  }
  const passedOver = new Set<unknown>(except)
  const rows: FullRow[] = []
  let looked = 0
  let last: FullRow | undefined
  for (const row of state.due.iterate(now, ...from, MOST_LOOKED_AT) as Iterable<unknown>) {
    last = row as FullRow
    looked++
    if (!passedOver.has(last[2])) rows.push(last)
    if (rows.length === wanted) break
  }
  const found = packet(state, rows, wanted)
  const more = rows.length === wanted || looked === MOST_LOOKED_AT
  return more && last ? { ...found, last: [last[0], last[1], last[4]] } : found
}

function dueAt(state: ReaderState, argument: { site: string; now: number; limit: number }): Packet {
  const limit = bounded(argument.limit)
  const rows = state.dueAt.all(argument.site, argument.now, limit)
  return packet(state, rows as unknown as FullRow[], limit)
}

function page(
  state: ReaderState,
  argument: { filter: QueueFilter; after: readonly [number, number]; limit: number },
): Packet {
  const { filter, after } = argument
  const limit = bounded(argument.limit)
  const rows = pageRows(state, filter, after, limit) as unknown as FullRow[]
  const found = packet(state, rows, limit)
  // A filter by message and more is applied to the few rows that one message has.
  const entries = found.entries.filter(
    ([, , site, , at]) =>
      (filter.site === undefined || site === filter.site) &&
      (filter.state === undefined || (filter.state === 'held') === (at === null)),
  )
  return { ...found, entries }
}

function pageRows(
  state: ReaderState,
  filter: QueueFilter,
  after: readonly [number, number],
  limit: number,
): unknown {
  const { message, site } = filter
  if (message !== undefined) {
    const idx = after[0] < message ? -1 : after[0] > message ? Number.MAX_SAFE_INTEGER : after[1]
    return state.ofMessage.all(message, idx, limit)
  }
  if (site !== undefined) {
    const [size] = state.siteSize.get(site) as unknown as [number]
    const statement = size > SMALL_SITE ? state.pageOfSite : state.pageOfSmallSite
    return statement.all(site, ...after, limit)
  }
  return (filter.state === 'held' ? state.pageHeld : state.page).all(...after, limit)
}

function content(state: ReaderState, id: number): ContentPacket {
  const row = state.content.get(id) as unknown as [number, number, unknown, string] | undefined
  if (!row) return { kind: 'none' }
  const [rows, crc, bytes, head] = row
  if (!(bytes instanceof Uint8Array) || contentChecksum(id, 0, bytes) !== crc) {
    return { kind: 'damaged' }
  }
  if (rows === 0) return { kind: 'whole', bytes }
  const size = contentSize(state, id, head)
  if (size === undefined) return { kind: 'damaged' }
  if (size > CONTENT_ROW_BYTES) return { kind: 'rows', rows, size }
  const parts: Uint8Array[] = []
  for (let n = 0; n < rows; n++) {
    const part = contentRow(state, { message: id, row: n })
    if (!part) return { kind: 'damaged' }
    parts.push(part)
  }
  return { kind: 'whole', bytes: new Uint8Array(Buffer.concat(parts)) }
}

/** Octets of the content alone: the head tells them with the prefix. */
function contentSize(state: ReaderState, id: number, head: string): number | undefined {
  const message = readMessage(state, id)
  return message && headFacts(head).size - Buffer.byteLength(message[2])
}

function contentRow(
  state: ReaderState,
  { message, row }: { message: number; row: number },
): Uint8Array | undefined {
  const found = state.contentRow.get(message, row) as unknown as [number, unknown] | undefined
  if (!found) return undefined
  const [crc, bytes] = found
  if (!(bytes instanceof Uint8Array)) return undefined
  return contentChecksum(message, row, bytes) === crc ? bytes : undefined
}

function nextDue(state: ReaderState, after: number): number | undefined {
  const [at] = state.nextDue.get(after) as unknown as [number | null]
  return at ?? undefined
}

function counts(state: ReaderState): { ready: number; held: number; oldest?: number } {
  const [ready] = state.countReady.get() as unknown as [number]
  const [held] = state.countHeld.get() as unknown as [number]
  const [id, ...head] = (state.oldest.get() ?? []) as unknown as [
    number,
    string,
    string,
    string,
    number,
  ]
  if (!headIsWhole(id, ...head)) return { ready, held }
  return { ready, held, oldest: headFacts(head[0]).acceptedAt }
}

function queued(state: ReaderState, message: number): Packet {
  const rows = state.ofMessage.all(message, -1, LARGEST_PAGE) as unknown as FullRow[]
  return packet(state, rows, LARGEST_PAGE)
}

function routes(
  state: ReaderState,
  argument: { after: readonly [number, number]; limit: number },
): RoutePacket {
  const limit = bounded(argument.limit)
  const entries = state.route.all(...argument.after, limit) as unknown as RoutePacket['entries']
  return { entries, more: entries.length === limit }
}

function captured(
  state: ReaderState,
  { before, limit }: { before?: string; limit: number },
): unknown[] {
  const newest = before === undefined ? Number.MAX_SAFE_INTEGER : 0
  return texts(state.captured.all(before ?? '', newest, bounded(limit)))
}

function texts(rows: unknown): unknown[] {
  return (rows as [unknown][]).map(([text]) => text)
}

function bounded(limit: number): number {
  return Math.max(1, Math.min(limit, LARGEST_PAGE))
}

const QUERIES: Readonly<Record<string, QueryFunction>> = {
  __proto__: null as never,
  due,
  dueAt,
  page,
  content,
  contentRow,
  nextDue,
  counts,
  queued,
  routes,
  captured,
  attempts: (state, message: number) => texts(state.attempts.all(message, LARGEST_PAGE)),
  domains: (state) => texts(state.domains.all()),
  credentials: (state) => texts(state.credentials.all()),
  usage: (state) => texts(state.usage.all()),
  capturedRaw: (state, id: string) =>
    (state.capturedRaw.get(id) as unknown as [Uint8Array] | undefined)?.[0],
  damaged: (state) => Number((state.damaged.get() as unknown as [number] | undefined)?.[0] ?? 0),
}
