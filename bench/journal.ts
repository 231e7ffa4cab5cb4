// An ext4 with a journal in an image file: file-per-message servers suffer on one without, and the
// comparison must not rest on that. Needs root and a loop device; else the temporary folder serves.

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from './wait.ts'

export type Workplace = {
  readonly folder: string
  readonly fileSystem: string
  /** Unmounts and removes it; gives a stopped server's last process some seconds to leave. */
  dispose(): Promise<void>
}

/** Makes and mounts the image; falls back to a plain temporary folder and says so. */
export function makeWorkplace(gibibytes = 8): Workplace {
  const base = mkdtempSync(join(tmpdir(), 'posthorn-bench-'))
  chmodSync(base, 0o755) // the servers' own users must get through
  const image = join(base, 'disk.img')
  const folder = join(base, 'mnt')
  mkdirSync(folder)
  const quiet = { stdio: 'ignore' } as const
  try {
    execFileSync('truncate', ['-s', `${gibibytes}G`, image], quiet)
    execFileSync('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0', image], quiet)
    execFileSync('mount', ['-o', 'loop', image, folder], quiet)
  } catch {
    return {
      folder: base,
      fileSystem: 'the temporary folder (no loop device or not root)',
      dispose: async () => rmSync(base, { recursive: true, force: true }),
    }
  }
  return {
    folder,
    fileSystem: 'ext4 with a journal, image on a loop device',
    async dispose() {
      if (await unmounted(folder)) rmSync(base, { recursive: true, force: true })
      else process.stderr.write(`still in use, left behind: ${base}\n`)
    },
  }
}

async function unmounted(folder: string): Promise<boolean> {
  for (let tries = 60; tries > 0; tries--)
    try {
      execFileSync('umount', [folder], { stdio: 'ignore' })
      return true
    } catch {
      await sleep(250)
    }
  return false
}
