// Sets aside what cannot be believed: the rows go to files under <data>/damaged/ as they were found,
// are counted, and leave the queue in the same commit. Nothing is deleted that is not in a file.

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { formatMessageId, type MessageId } from '../../mail/message.ts'
import { type Database, prepare } from './driver.ts'
import { Healer } from './heal.ts'

export type Aside = {
  readonly messages: readonly number[]
  readonly entries: readonly (readonly [message: number, idx: number])[]
}

export const DAMAGED_FOLDER = 'damaged'

export type AsideContext = {
  readonly database: Database
  readonly folder: string
  /** Called with each message that leaves the queue so. */
  readonly onGone?: (message: number) => void
}

/** Moves damaged rows to files; returns how many records were set aside. */
export function setAside(aside: Aside, context: AsideContext): number {
  const { database } = context
  const folder = join(context.folder, DAMAGED_FOLDER)
  const place = { ...context, folder }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let count = 0
  for (const id of new Set(aside.messages)) count += messageAside(place, id)
  for (const [id, idx] of aside.entries) count += entryAside(place, [id, idx])
  if (count > 0) {
    syncFolder(folder)
    countDamage(database, count)
  }
  return count
}

/** Adds to the number of records set aside since the data folder was made. */
export function countDamage(database: Database, count: number): void {
  prepare(
    database,
    `INSERT INTO meta VALUES ('damaged', ?1) ON CONFLICT (name) DO UPDATE SET value = value + ?1`,
  ).run(count)
}

function messageAside({ database, folder, onGone }: AsideContext, id: number): number {
  const message = database.prepare('SELECT * FROM messages WHERE id = ?').get(id)
  const entries = database.prepare('SELECT * FROM entries WHERE message = ?').all(id)
  if (!message && entries.length === 0) return 0
  const { content, ...rest } = message ?? {}
  const name = nameOf(id)
  writeDurably(join(folder, `${name}.json`), [text({ message: rest, entries })])
  const rows = prepare(
    database,
    'SELECT bytes FROM content WHERE message = ? ORDER BY row',
  ).iterate(id)
  writeDurably(join(folder, `${name}.content`), contentParts(content, rows as never))
  database.prepare('DELETE FROM entries WHERE message = ?').run(id)
  database.prepare('DELETE FROM content WHERE message = ?').run(id)
  database.prepare('DELETE FROM messages WHERE id = ?').run(id)
  if (message) onGone?.(id)
  return 1
}

function* contentParts(inline: unknown, rows: Iterable<[unknown]>): Iterable<Uint8Array | string> {
  if (inline instanceof Uint8Array || typeof inline === 'string') yield inline
  for (const [bytes] of rows) {
    if (bytes instanceof Uint8Array || typeof bytes === 'string') yield bytes
  }
}

/** One recipient's row goes; it is made anew when the message is whole, which then has lost nothing. */
function entryAside(place: AsideContext, [id, idx]: readonly [number, number]): number {
  const { database, folder } = place
  const where = 'FROM entries WHERE message = ? AND idx = ?'
  const entry = database.prepare(`SELECT * ${where}`).get(id, idx)
  if (!entry) return 0
  writeDurably(join(folder, `${nameOf(id)}-${idx}.json`), [text({ entries: [entry] })])
  database.prepare(`DELETE ${where}`).run(id, idx)
  const left = new Healer(database).heal(id)
  if (left === 0) messageAside(place, id)
  return 1
}

/** Has the message been set aside? */
export function isAside(folder: string, id: number): boolean {
  return existsSync(join(folder, DAMAGED_FOLDER, `${nameOf(id)}.json`))
}

/** A damaged id may be any number; the name of its file is still a name. */
function nameOf(id: number): string {
  return id > 0 ? formatMessageId(id as MessageId) : `row${id}`
}

function text(value: unknown): string {
  return `${JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? Buffer.from(part).toString('base64') : part), 2)}\n`
}

/** Something that is no file, where SQLite wants one, moves out of the way. */
export function makeWay(path: string, now: number): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found && !found.isFile()) renameSync(path, `${path}.${now}`)
}

/** Writes a new file and syncs it. */
export function writeDurably(path: string, parts: Iterable<Uint8Array | string>): void {
  const file = openSync(path, 'w', 0o600)
  try {
    for (const part of parts) {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
