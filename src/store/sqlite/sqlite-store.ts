// The embedded engine, as the main thread sees it: it turns verbs into requests for two worker
// threads (lane.ts), rows into values, and sees to what the threads find damaged. No SQL runs here.

import type { Domain } from '../../mail/domain.ts'
import type { DueMessage, EntryKey, SiteName } from '../../mail/entry.ts'
import type { Mailbox } from '../../mail/mailbox.ts'
import {
  type Content,
  formatMessageId,
  type MessageId,
  messageIds,
  type World,
} from '../../mail/message.ts'
import { assert } from '../../std/assert.ts'
import type { Clock } from '../../std/clock.ts'
import type { Log } from '../../std/log.ts'
import {
  type AttemptRecord,
  type CapturedMessage,
  CONTENT_ROW_BYTES,
  ContentDamaged,
  type CredentialRecord,
  type DomainRecord,
  type DueBatch,
  type DueOptions,
  type NewMessage,
  type QueueCounts,
  type QueueFilter,
  type QueueRow,
  type Settlement,
  StorageFailed,
  type Store,
  type StoreStats,
} from '../store.ts'
import type { Aside } from './aside.ts'
import type { Slice } from './calls.ts'
import { decodeAttempts, decodeMessages, decodeRows, group, parseAll } from './decode.ts'
import type { FolderLock } from './lock.ts'
import { commitRequest, putRequest, settleRequest } from './operations.ts'
import type { ContentPacket, Packet, RoutePacket } from './reader.ts'
import type { Ready } from './thread-data.ts'
import { Threads } from './threads.ts'

const ROUTE_SLICE = 2000
const START: readonly [number, number] = [-1, -1]

export type SqliteOptions = {
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  readonly reserveBytes: number
  readonly lock: FolderLock
}

export class SqliteStore implements Store {
  readonly #options: SqliteOptions
  readonly #threads: Threads
  #nextId: () => MessageId
  #newest = 0
  #damaged = 0
  #closing: Promise<void> | undefined
  readonly #repaired: (() => void)[] = []

  private constructor(options: SqliteOptions) {
    this.#options = options
    this.#nextId = messageIds(options.clock.now, 0)
    this.#threads = new Threads({ ...options, onReady: (ready) => this.#ready(ready) })
  }

  /** Opens the folder, recovering whatever the last end has left. */
  static async open(options: SqliteOptions): Promise<SqliteStore> {
    const store = new SqliteStore(options)
    await store.#threads.start()
    return store
  }

  onRepair(then: () => void): void {
    this.#repaired.push(then)
  }

  nextMessageId(): MessageId {
    this.#newest = this.#nextId()
    return this.#newest as MessageId
  }

  async putContent(message: MessageId, row: number, bytes: Uint8Array): Promise<void> {
    assert(bytes.byteLength <= CONTENT_ROW_BYTES, 'a row of content is too long')
    await this.#threads.write(putRequest(message, row, bytes))
  }

  async discardContent(message: MessageId): Promise<void> {
    await this.#threads.call('discard', message)
  }

  commit(message: NewMessage): Promise<void> {
    assert(message.entries.length > 0, 'a message without recipients cannot be queued')
    return this.#threads.write(commitRequest(message)) as Promise<void>
  }

  settle(settlement: Settlement): Promise<void> {
    return this.#threads.write(settleRequest(settlement), 'soon') as Promise<void>
  }

  async content(message: MessageId): Promise<Content> {
    const packet = (await this.#threads.read('content', message)) as ContentPacket
    switch (packet.kind) {
      case 'whole':
        return wholeContent(packet.bytes)
      case 'rows':
        return { size: packet.size, rows: () => this.#contentRows(message, packet.rows) }
      case 'damaged':
        throw await this.#contentDamaged(message)
      case 'none':
        throw new StorageFailed(`message ${formatMessageId(message)} is not in the queue`)
    }
  }

  async *#contentRows(message: MessageId, rows: number): AsyncGenerator<Uint8Array> {
    for (let row = 0; row < rows; row++) {
      const bytes = (await this.#threads.read('contentRow', { message, row })) as
        | Uint8Array
        | undefined
      if (!bytes) throw await this.#contentDamaged(message)
      yield bytes
    }
  }

  async #contentDamaged(message: MessageId): Promise<ContentDamaged> {
    await this.#setAside({ messages: [message], entries: [] })
    return new ContentDamaged(`the content of ${formatMessageId(message)} is damaged`)
  }

  due(options: DueOptions): Promise<DueBatch> {
    return this.#dueBatch('due', options)
  }

  dueAt(site: SiteName, options: { now: number; limit: number }): Promise<DueBatch> {
    return this.#dueBatch('dueAt', { site, ...options })
  }

  async #dueBatch(query: string, argument: object): Promise<DueBatch> {
    const packet = (await this.#threads.read(query, argument)) as Packet
    const messages = await this.#messagesOf(packet)
    const { last } = packet
    if (!last) return { messages }
    const key = { message: last[0] as MessageId, index: last[1] }
    return { messages, next: { at: last[2] ?? 0, key } }
  }

  nextDue(after: number): Promise<number | undefined> {
    return this.#threads.read('nextDue', after) as Promise<number | undefined>
  }

  async clampDue({ live, sandbox }: Readonly<Record<World, number>>): Promise<void> {
    for (const slice of [
      { sandbox: 0, latest: live },
      { sandbox: 1, latest: sandbox },
    ])
      while (((await this.#threads.call('clampDue', slice)) as number) > 0);
  }

  async reroute(siteOf: (mailbox: Mailbox, world: World) => SiteName): Promise<void> {
    let after = START
    for (;;) {
      const packet = (await this.#threads.read('routes', {
        after,
        limit: ROUTE_SLICE,
      })) as RoutePacket
      const moves: (readonly [number, number, string])[] = []
      for (const [message, idx, site, sandbox, recipient] of packet.entries) {
        const mailbox = mailboxOf(recipient)
        // A row that does not parse is set aside when it is due.
        if (mailbox === undefined) continue
        const wanted = siteOf(mailbox, sandbox === 1 ? 'sandbox' : 'live')
        if (wanted !== site) moves.push([message, idx, wanted])
      }
      if (moves.length > 0) await this.#threads.call('reroute', moves)
      const last = packet.entries.at(-1)
      if (!packet.more || !last) return
      after = [last[0], last[1]]
    }
  }

  async queuePage(options: {
    filter: QueueFilter
    after?: EntryKey
    limit: number
  }): Promise<readonly QueueRow[]> {
    const { filter, after, limit } = options
    let from = after ? ([after.message, after.index] as const) : START
    const rows: QueueRow[] = []
    for (;;) {
      const packet = (await this.#threads.read('page', { filter, after: from, limit })) as Packet
      await this.#setAside(packet.aside)
      for (const row of decodeRows(packet)) if (rows.length < limit) rows.push(row)
      // Damaged rows, or those that the filter left out, make a page shorter than it could be.
      if (rows.length >= limit || !packet.last) return rows
      from = [packet.last[0], packet.last[1]]
    }
  }

  async queueCounts(): Promise<QueueCounts> {
    const counts = (await this.#threads.read('counts', null)) as {
      ready: number
      held: number
      oldest?: number
    }
    const { ready, held, oldest } = counts
    return oldest === undefined ? { ready, held } : { ready, held, oldestAcceptedAt: oldest }
  }

  async queued(message: MessageId): Promise<DueMessage | undefined> {
    const packet = (await this.#threads.read('queued', message)) as Packet
    return (await this.#messagesOf(packet))[0]
  }

  async attempts(message: MessageId): Promise<readonly AttemptRecord[]> {
    return decodeAttempts(message, (await this.#threads.read('attempts', message)) as unknown[])
  }

  async retry(filter: QueueFilter, at: number): Promise<number> {
    return this.#inSlices('retry', { filter, at })
  }

  async prune(before: number): Promise<void> {
    await this.#inSlices('prune', { before, newest: this.#newest })
  }

  async domains(): Promise<readonly DomainRecord[]> {
    return parseAll<DomainRecord>((await this.#threads.read('domains', null)) as unknown[])
  }

  async saveDomain(record: DomainRecord): Promise<void> {
    await this.#threads.call('saveDomain', record)
  }

  removeDomain(domain: Domain): Promise<boolean> {
    return this.#threads.call('removeDomain', domain) as Promise<boolean>
  }

  async credentials(): Promise<readonly CredentialRecord[]> {
    return parseAll<CredentialRecord>((await this.#threads.read('credentials', null)) as unknown[])
  }

  async saveCredential(record: CredentialRecord): Promise<void> {
    await this.#threads.call('saveCredential', record)
  }

  removeCredential(name: string): Promise<boolean> {
    return this.#threads.call('removeCredential', name) as Promise<boolean>
  }

  async usage(): Promise<unknown> {
    const [text] = (await this.#threads.read('usage', null)) as unknown[]
    return text === undefined ? undefined : parseAll([text])[0]
  }

  async saveUsage(usage: unknown): Promise<void> {
    await this.#threads.call('saveUsage', JSON.stringify(usage))
  }

  async capture(record: CapturedMessage, raw: Uint8Array, keep: number): Promise<void> {
    await this.#threads.call('capture', { record, raw, keep })
  }

  async captured(options: { limit: number; before?: string }): Promise<readonly CapturedMessage[]> {
    return parseAll<CapturedMessage>((await this.#threads.read('captured', options)) as unknown[])
  }

  capturedRaw(id: string): Promise<Uint8Array | undefined> {
    return this.#threads.read('capturedRaw', id) as Promise<Uint8Array | undefined>
  }

  async clearCaptured(): Promise<void> {
    await this.#threads.call('clearCaptured', null)
  }

  async damage(): Promise<{ readonly count: number; readonly folder: string }> {
    return { count: this.#damaged, folder: `${this.#options.folder}/damaged` }
  }

  async look(): Promise<void> {
    await this.#threads.call('look', null)
  }

  stats(): StoreStats {
    return this.#threads.stats()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      await this.#threads.call('rememberNewest', this.#newest)
    } catch (error) {
      // Attempts and messages tell it too, unless the queue is empty and the clock steps back.
      this.#options.log.warn({ error: String(error) }, 'the newest id could not be kept')
    }
    await this.#threads.stop()
    this.#options.lock.release()
  }

  async #inSlices(name: string, argument: object): Promise<number> {
    let changed = 0
    let after: readonly [number, number] | undefined = START
    while (after) {
      const slice = (await this.#threads.call(name, { ...argument, after })) as Slice
      changed += slice.changed
      after = slice.next
    }
    return changed
  }

  async #messagesOf(packet: Packet): Promise<readonly DueMessage[]> {
    if (packet.aside) await this.#setAside(packet.aside)
    return group(packet, decodeMessages(packet))
  }

  async #setAside(aside: Aside | undefined): Promise<void> {
    if (!aside) return
    const count = (await this.#threads.call('setAside', aside)) as number
    if (count === 0) return
    this.#damaged += count
    this.#options.log.error(
      { count, messages: aside.messages, entries: aside.entries },
      'damaged records were set aside',
    )
  }

  #ready(ready: Ready): void {
    const { log, clock } = this.#options
    this.#damaged = ready.damaged
    this.#newest = Math.max(this.#newest, ready.newestId)
    this.#nextId = messageIds(clock.now, this.#newest)
    if (ready.recovered) {
      log.error({ ...ready.recovered }, 'the queue was damaged and is built anew')
    }
    if (ready.logCut) log.error({}, 'the log of the queue was cut: its last commits are lost')
    if (ready.lost.count > 0) {
      const { count, newest } = ready.lost
      const ids = newest.map((id) => formatMessageId(id as MessageId))
      log.error({ count, newest: ids }, 'mail that was queued is lost without a trace')
    }
    if (ready.sweptContent > 0) {
      log.info({ rows: ready.sweptContent }, 'content that never arrived whole was swept')
    }
    for (const then of this.#repaired) then()
  }
}

function wholeContent(bytes: Uint8Array): Content {
  return {
    size: bytes.byteLength,
    whole: bytes,
    async *rows() {
      if (bytes.byteLength > 0) yield bytes
    },
  }
}

function mailboxOf(recipient: string): Mailbox | undefined {
  try {
    return (JSON.parse(recipient) as { mailbox: Mailbox }).mailbox
  } catch {
    return undefined
  }
}
