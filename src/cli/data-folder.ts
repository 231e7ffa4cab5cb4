// The data folder before the server opens it: made, ours to write, and on a disk.

import { randomBytes } from 'node:crypto'
import { mkdir, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { Context } from './context.ts'
import { dataFolderTexts } from './data-folder.texts.ts'
import { CliFault } from './world.ts'

/** What statfs(2) calls file systems in memory: tmpfs and ramfs. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6])

/**
 * Makes the folder, and tries to write in it: a read-only mount and a foreign owner look alike.
 * Throws a CliFault with the mend; also when live mail would wait in memory only.
 */
export async function prepareData(context: Context, config: Config): Promise<void> {
  const folder = config.data
  const { texts } = context
  const probe = join(folder, `.write-${randomBytes(6).toString('hex')}`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(probe, '', { flag: 'wx' })
    await rm(probe)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (code === 'ENOSPC' || code === 'EDQUOT') return // the server starts, and answers 452
    const us = process.getuid?.() ?? 0
    const owner = await stat(folder).then(
      (found) => found.uid,
      () => undefined,
    )
    const says = texts.faults.dataNotWritable(folder, owner, us)
    throw new CliFault(`${says}\n  ${texts.faults.dataNotWritableFix(folder, us)}`)
  }
  if (!isLive(config) || config.storage.allowMemory) return
  const { type } = await statfs(folder)
  if (IN_MEMORY.has(type)) throw new CliFault(dataFolderTexts[context.language].inMemory(folder))
}

/** The failure of a data folder that a newer Posthorn wrote, with its mend; undefined for others. */
export function newerData(context: Context, error: Error, folder: string): CliFault | undefined {
  if (error.name !== 'NewerSchema') return undefined
  return new CliFault(dataFolderTexts[context.language].newer(folder, error.message))
}

function isLive({ mode, domains }: Config): boolean {
  return mode === 'live' || Object.values(domains).some((domain) => domain.mode === 'live')
}
