import { open, readdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { FileSource, FileText } from '../dkim/recognise.ts'

/** No key and no table that somebody writes is larger. */
const LARGEST_FILE = 256 * 1024

/** The user's files, for those who look for keys; paths are taken from the working directory. */
export function userFiles(workingDirectory: string): FileSource {
  const at = (path: string) => resolve(workingDirectory, path)
  return {
    async kind(path) {
      const found = await stat(at(path)).catch(() => undefined)
      return found?.isFile() ? 'file' : found?.isDirectory() ? 'folder' : 'none'
    },
    list: (folder) => readdir(at(folder)).catch(() => []),
    read: (path) => readText(at(path)),
  }
}

async function readText(path: string): Promise<FileText> {
  const about = await stat(path).catch(() => undefined)
  const known = about && { uid: about.uid, mode: about.mode & 0o777 }
  if (about && !about.isFile()) return { kind: 'fault', code: 'EISDIR', ...known }
  try {
    await using file = await open(path, 'r')
    const octets = Buffer.alloc(LARGEST_FILE + 1)
    const { bytesRead } = await file.read(octets, 0, octets.length, 0)
    if (bytesRead > LARGEST_FILE) return { kind: 'fault', code: 'EFBIG', ...known }
    return { kind: 'text', text: octets.toString('utf8', 0, bytesRead), mode: known?.mode ?? 0 }
  } catch (error) {
    return { kind: 'fault', code: (error as NodeJS.ErrnoException).code ?? 'error', ...known }
  }
}
