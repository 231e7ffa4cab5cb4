// Brings the waiting mail of a stopped Postfix over. Every file goes three steps: its message is
// committed with all entries held, the file is moved to a folder beside the queues, the entries are
// released. A crash between two steps leaves held entries: the next run finds out by the file whether
// to release them or to forget them and begin anew. So nothing is lost and nothing is sent twice.
// What cannot be sent stays where it is and is told.

import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import type { SpoolReport } from '../api/control.ts'
import { parseQueueFile, type QueuedRecipient, type QueueFile } from '../dropin/queue-file.ts'
import type { Intake, Prepared } from '../intake/accept.ts'
import type { Origin } from '../intake/door.ts'
import type { EntryKey, QueueEntry } from '../mail/entry.ts'
import type { Envelope, Notify, Recipient } from '../mail/envelope.ts'
import { parseMailbox } from '../mail/mailbox.ts'
import type { MessageId } from '../mail/message.ts'
import { Refusal } from '../mail/reply.ts'
import type { Clock } from '../std/clock.ts'
import { syncFolder } from '../std/durable.ts'
import type { Store } from '../store/store.ts'

export type SpoolParts = {
  readonly store: Store
  readonly intake: Pick<Intake, 'prepare'>
  readonly hostname: string
  readonly clock: Clock
}

const QUEUES = ['maildrop', 'incoming', 'active', 'deferred', 'hold'] as const
type Queue = (typeof QUEUES)[number]
type Place = { readonly path: string; readonly queue: Queue; readonly id: string }

const IMPORTED = 'posthorn-imported'
/** Complete files may be executed, those being written not. */
const COMPLETE = 0o100
const PAGE = 500

/** Takes all that can be taken; rejects when Postfix runs or the folder is none of its. */
export async function bringOver(parts: SpoolParts, spool: string): Promise<SpoolReport> {
  await checkStopped(spool)
  await mendLast(parts, spool)
  const report = {
    messages: 0,
    recipients: 0,
    held: 0,
    left: [] as { file: string; why: string }[],
  }
  for (const place of await filesIn(spool)) {
    const why = await takeOne(parts, spool, { place, report })
    if (why !== undefined) report.left.push({ file: relative(spool, place.path), why })
  }
  return report
}

/** Resolves to why the file stays, or undefined. */
async function takeOne(
  parts: SpoolParts,
  spool: string,
  {
    place,
    report,
  }: { place: Place; report: { messages: number; recipients: number; held: number } },
): Promise<string | undefined> {
  if (((await stat(place.path)).mode & COMPLETE) === 0) return 'Postfix never finished writing it'
  const reading = parseQueueFile(await readFile(place.path))
  if (reading.kind === 'fault') return reading.fault
  const { file } = reading
  const recipients = file.recipients.map(recipientOf)
  const odd = recipients.indexOf(undefined)
  if (odd >= 0) return `${JSON.stringify(file.recipients[odd]!.address)} is no address`
  if (recipients.length > 0) {
    const prepared = await prepare(parts, file, recipients as Recipient[])
    if (typeof prepared === 'string') return prepared
    await parts.store.commit({
      ...prepared,
      entries: prepared.entries.map((one) => hold(one, place)),
    })
    await moveAway(spool, place)
    if (place.queue === 'hold') report.held++
    else await parts.store.retry({ message: prepared.message.id }, parts.clock.now())
    report.messages++
    report.recipients += prepared.entries.length
  } else await moveAway(spool, place) // all of them had it already
  return undefined
}

async function prepare(
  { intake, hostname }: SpoolParts,
  file: QueueFile,
  recipients: readonly Recipient[],
): Promise<Prepared | string> {
  const reversePath = file.sender === '' ? null : parseMailbox(file.sender)
  if (reversePath === undefined) return `its sender ${JSON.stringify(file.sender)} is no address`
  const envelope: Envelope = {
    reversePath,
    recipients,
    body: '8bitmime',
    smtputf8: file.smtputf8,
    requireTls: false,
    ...(file.ret && { ret: file.ret === 2 ? 'headers' : 'full' }),
    ...(file.envelopeId !== undefined && { envelopeId: file.envelopeId }),
  }
  const origin: Origin = {
    door: 'postfix',
    sender: { kind: 'network', address: '127.0.0.1' },
    helloName: hostname,
    address: '127.0.0.1',
    protocol: 'local',
  }
  try {
    return await intake.prepare(
      envelope,
      async (sink) => {
        for (const chunk of pieces(file.content)) await sink(chunk)
      },
      origin,
    )
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}

const PIECE = 64 * 1024

/** Many small pieces as fewer larger ones. */
function* pieces(content: readonly Uint8Array[]): Generator<Uint8Array> {
  let waiting: Uint8Array[] = []
  let size = 0
  for (const piece of content) {
    waiting.push(piece)
    size += piece.length
    if (size < PIECE) continue
    yield Buffer.concat(waiting)
    waiting = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(waiting)
}

function recipientOf(queued: QueuedRecipient): Recipient | undefined {
  const mailbox = parseMailbox(queued.address)
  if (mailbox === undefined) return undefined
  const { notify, dsnOriginal } = queued
  return {
    mailbox,
    ...(notify && { notify: notifyOf(notify) }),
    ...(dsnOriginal && { originalRecipient: dsnOriginal }),
  }
}

function notifyOf(flags: number): Notify {
  if (flags & 1) return 'never'
  return { success: (flags & 2) !== 0, failure: (flags & 4) !== 0, delay: (flags & 8) !== 0 }
}

/** The words by which the next run knows an entry; those on hold in Postfix stay so. */
function hold(entry: QueueEntry, { queue, id }: Place): QueueEntry {
  const why =
    queue === 'hold' ? `on hold in Postfix (${id})` : `being brought over from Postfix (${id})`
  return { ...entry, state: { kind: 'held', why } }
}

const WORDS = /^(on hold in|being brought over from) Postfix \((\w+)\)$/

async function moveAway(spool: string, { path, queue, id }: Place): Promise<void> {
  const folder = join(spool, IMPORTED, queue)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await rename(path, join(folder, id))
  await syncFolder(folder)
  await syncFolder(dirname(path))
}

/** What a run that was cut off has left: held entries whose file has moved, or has not. */
async function mendLast({ store, clock }: SpoolParts, spool: string): Promise<void> {
  const found = new Map<MessageId, { id: string; onHold: boolean }>()
  let after: EntryKey | undefined
  for (;;) {
    const options = { filter: { state: 'held' } as const, limit: PAGE }
    const rows = await store.queuePage({ ...options, ...(after && { after }) })
    for (const { entry } of rows) {
      const [, how, id] = (entry.state.kind === 'held' && WORDS.exec(entry.state.why)) || []
      if (id !== undefined) found.set(entry.message, { id, onHold: how === 'on hold in' })
    }
    after = rows.at(-1)?.entry
    if (rows.length < PAGE || !after) break
  }
  if (found.size === 0) return
  const waiting = new Set((await filesIn(spool)).map(({ id }) => id))
  for (const [message, { id, onHold }] of found) {
    if (waiting.has(id)) await forget(store, message, clock.now())
    else if (!onHold) await store.retry({ message }, clock.now())
  }
}

/** The file is still there and will be read anew. */
async function forget(store: Store, id: MessageId, at: number): Promise<void> {
  const queued = await store.queued(id)
  if (!queued) return
  const changes = queued.entries.map((key) => ({ kind: 'ended', key, end: 'cancelled' }) as const)
  await store.settle({ message: queued.message, changes, notices: [], at })
}

/** All files of the queues, which may lie in folders by their first letters. */
async function filesIn(spool: string): Promise<Place[]> {
  const places: Place[] = []
  for (const queue of QUEUES) {
    const folder = join(spool, queue)
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw error
      },
    )
    for (const entry of entries) {
      if (!entry.isFile() || !/^\w+$/.test(entry.name)) continue
      const path = join(entry.parentPath, entry.name)
      places.push({ path, queue, id: basename(path) })
    }
  }
  return places
}

/** Postfix moves its files about: it must not run meanwhile. */
async function checkStopped(spool: string): Promise<void> {
  const names = await readdir(spool).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
  if (names.every((name) => !(QUEUES as readonly string[]).includes(name)))
    throw new SpoolFault('no-spool', spool)
  const text = await readFile(join(spool, 'pid', 'master.pid'), 'latin1').catch(() => '')
  const pid = Number(text.trim())
  if (!Number.isInteger(pid) || pid < 2) return
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '')
  // A process that has ended may wait for its parent to look at it.
  if (/^Name:\s+master$/m.test(status) && !/^State:\s+[ZX]/m.test(status))
    throw new SpoolFault('running', String(pid))
}

/** Why a spool cannot be read at all. */
export class SpoolFault extends Error {
  override readonly name = 'SpoolFault'
  readonly code: 'no-spool' | 'running'
  constructor(code: SpoolFault['code'], text: string) {
    super(text)
    this.code = code
  }
}
