import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Commands } from './transaction.ts'

/** What the disk must have left, so that mail of a night without a server does not fill it. */
const RESERVE_BYTES = 50 * 1024 * 1024
/** Only its writer and the server know the name, so that it may be read by all who know it. */
const MODE = 0o644

/**
 * Leaves a message in the drop folder, in the form that drop-file.ts tells; returns when it is durable. Throws what the disk says.
 * The folder may be written but not read by us (mode 1733), so it cannot be synced: the second sync
 * of the file brings its new name to the disk with it.
 */
export function leave(folder: string, commands: Commands, content: Buffer, now: number): void {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize < RESERVE_BYTES + content.length) throw new Error('the disk is nearly full')
  const name = `${now.toString(36)}-${randomBytes(16).toString('hex')}`
  const path = join(folder, name)
  const draft = `${path}.new`
  const file = openSync(draft, 'wx', MODE)
  try {
    fchmodSync(file, MODE)
    const lines = [commands.mail, ...commands.recipients, `DATA ${content.length}`]
    writeWhole(file, Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), content]))
    fsyncSync(file)
    renameSync(draft, path)
    fsyncSync(file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
}
