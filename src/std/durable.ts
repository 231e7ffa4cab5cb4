// Small files that must survive a power cut: keys, certificates. Written beside their place, synced,
// renamed, and the folder synced, so that a reader finds the old file or the new one and never half.

import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces (or makes) the file at `path`; resolves when it is durable. Throws what the disk says. */
export async function replaceFile(
  path: string,
  content: Uint8Array | string,
  options?: { readonly mode?: number },
): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    const file = await open(draft, 'wx', options?.mode ?? 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** Makes the names in a folder durable: after a file was made, renamed or removed. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
