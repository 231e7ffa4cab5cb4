// The admin token: whoever can read the data folder may administer the server.

import { randomBytes } from 'node:crypto'
import { chmod, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the token is: 43 letters of base64url and a line end, mode 0600. */
export function tokenFile(dataFolder: string): string {
  return join(dataFolder, 'admin-token')
}

/** Reads the token, or makes it. The folder must exist. */
export async function ensureToken(dataFolder: string): Promise<string> {
  const found = await readToken(dataFolder)
  if (found !== undefined) {
    await chmod(tokenFile(dataFolder), 0o600)
    return found
  }
  const token = randomBytes(32).toString('base64url')
  await using file = await open(tokenFile(dataFolder), 'w', 0o600)
  await file.chmod(0o600)
  await file.writeFile(`${token}\n`)
  await file.sync()
  return token
}

/** Undefined: there is none yet, or what is there is no token (a crash while it was made). */
export async function readToken(dataFolder: string): Promise<string | undefined> {
  try {
    const text = (await readFile(tokenFile(dataFolder), 'utf8')).trim()
    return /^[\w-]{20,256}$/.test(text) ? text : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
