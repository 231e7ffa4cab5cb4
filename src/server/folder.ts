import { lstat, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../std/clock.ts'
import type { Log } from '../std/log.ts'

const FILES = ['admin-token', 'lock.pid', 'routing', 'running.json']
const FOLDERS = ['certificates', 'damaged', 'keys']
/** Ours in `keys`. */
const SECRET = /\.(pem|secret)$/

/**
 * Moves what is in the place of one of our files or folders and is none out of the way, so that no
 * mail waits for somebody to look: a folder called `routing`, a file called `keys`. (The store does
 * so with its own.) It stays beside its place, with the time in its name.
 */
export async function setForeignAside(
  data: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<void> {
  const aside = async (name: string) => {
    const to = `${name}.${clock.now()}`
    await rename(join(data, name), join(data, to))
    log.error({ name, to }, 'something else was in the place of a file of ours and is set aside')
  }
  for (const name of FOLDERS) if ((await kindOf(join(data, name))) === 'file') await aside(name)
  const keys = await readdir(join(data, 'keys')).catch(() => [])
  const secrets = keys.filter((name) => SECRET.test(name)).map((name) => join('keys', name))
  for (const name of [...FILES, ...secrets])
    if ((await kindOf(join(data, name))) === 'folder') await aside(name)
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isDirectory()) return 'folder'
  return found?.isFile() ? 'file' : undefined
}
