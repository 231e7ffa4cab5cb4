import { chmod, lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DROP_FOLDER } from './place.ts'

export type Folders = {
  /** Holds the others and the notice; all may read it. */
  readonly top: string
  /** All may leave files; nobody sees those of others. */
  readonly drop: string
  readonly claimed: string
  readonly faulty: string
}

/** Sticky: who may write here may not take away what others wrote. */
const DROP_MODE = 0o1733

/** Makes the folders with their modes. Rejects with the system's error, or when they are not ours. */
export async function makeFolders(top: string): Promise<Folders> {
  const folders = {
    top,
    drop: join(top, DROP_FOLDER),
    claimed: join(top, 'claimed'),
    faulty: join(top, 'faulty'),
  }
  await mkdir(top, { recursive: true, mode: 0o755 })
  for (const [folder, mode] of [
    [folders.drop, DROP_MODE],
    [folders.claimed, 0o700],
    [folders.faulty, 0o700],
  ] as const) {
    await mkdir(folder, { recursive: true, mode })
    const found = await lstat(folder)
    const us = process.getuid!()
    // Only the owner of a sticky folder may take files of others out of it.
    if (!found.isDirectory() || (found.uid !== us && us !== 0))
      throw new Error(`${folder} must be a folder of user ${us}; Fix: chown -R ${us} ${top}`)
    if ((found.mode & 0o7777) !== mode) await chmod(folder, mode)
  }
  return folders
}
