// From root to a user without rights, before a port is opened or a byte of mail is read. The image
// starts as root, because volumes and keys that were made for Postfix belong to root; what it serves
// with is uid 10001. Nothing of it happens where nobody asked for it (POSTHORN_USER) or where the
// start was not root's.

import { chmod, chown, lchown, mkdir, readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { Log } from '../std/log.ts'
import type { Context } from './context.ts'
import { descentTexts } from './descent.texts.ts'
import { CliFault, EXIT } from './world.ts'

type User = { readonly uid: number; readonly gid: number }

const GROUP_READ = 0o040
const GROUP_SEARCH = 0o010

/**
 * Hands the data folder over, lets the group read the files that the configuration names, and becomes
 * that user for good. Throws a CliFault with the mend where a right for it is missing.
 */
export async function descend(context: Context, config: Config, log: Log): Promise<void> {
  const { world, language } = context
  const texts = descentTexts[language]
  const wanted = world.environment.POSTHORN_USER ?? ''
  if (!world.become || wanted === '') return
  const [, uid, gid = uid] = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(wanted) ?? []
  if (uid === undefined || Number(uid) === 0)
    throw new CliFault(texts.notAUser(wanted), EXIT.config)
  const user = { uid: Number(uid), gid: Number(gid) }
  try {
    await mkdir(config.data, { recursive: true, mode: 0o700 })
    await handOver(config.data, user)
    for (const file of filesIn(config)) await letRead(file, { user, log })
    world.become(user)
  } catch (error) {
    const { code = '', path = '' } = error as NodeJS.ErrnoException
    if (code === 'EPERM' || code === 'EROFS' || code === 'EACCES')
      throw new CliFault(texts.rightsMissing(wanted, path), EXIT.failed)
    throw error
  }
  log.info(user, 'root no more')
}

/** A folder and all that is in it; links are not followed. */
async function handOver(folder: string, user: User): Promise<void> {
  const own = async (path: string) => {
    const { uid, gid } = await stat(path).catch(() => ({ uid: user.uid, gid: user.gid }))
    if (uid !== user.uid || gid !== user.gid) await lchown(path, user.uid, user.gid)
  }
  await own(folder)
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (!entry.isSymbolicLink()) await own(join(entry.parentPath, entry.name))
}

/** The file stays its owner's: only its group, and that of closed folders above it, becomes ours. */
async function letRead(file: string, { user, log }: { user: User; log: Log }): Promise<void> {
  const place = await realpath(file).catch(() => undefined)
  if (place === undefined || !(await stat(place)).isFile()) return // whoever needs it will say so
  const way = new Set([...above(place), ...above(file)])
  for (const folder of way) await open(folder, GROUP_SEARCH, { user, log })
  await open(place, GROUP_READ, { user, log })
}

async function open(
  path: string,
  bit: number,
  { user, log }: { user: User; log: Log },
): Promise<void> {
  const { uid, gid, mode } = await stat(path)
  const inGroup = gid === user.gid
  const may = uid === user.uid ? bit << 3 : inGroup ? bit : bit >> 3
  if ((mode & may) !== 0) return
  if (!inGroup) await chown(path, uid, user.gid)
  await chmod(path, (mode & 0o7777) | bit)
  log.warn({ path, gid: user.gid }, 'its group is ours now, so that it can be read without root')
}

function above(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [] : [...above(parent), parent]
}

/** Every absolute path in the settled configuration but the data folder; what is none does not exist. */
function filesIn({ data: _, ...config }: Config): string[] {
  const paths = new Set<string>()
  const look = (node: unknown): void => {
    if (typeof node === 'string') {
      const [, path] = /^(?:\w+:)?(\/.+)$/.exec(node) ?? []
      if (path !== undefined && !path.includes('\n')) paths.add(path)
    } else if (typeof node === 'object' && node !== null) Object.values(node).forEach(look)
  }
  look(config)
  return [...paths]
}
