// An ext4 with a journal in an image file: file-per-message servers suffer on one without, and the
// comparison must not rest on that. Needs root and a loop device; else the temporary folder serves.

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Workplace = {
  readonly folder: string
  readonly fileSystem: string
  dispose(): void
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
      dispose: () => rmSync(base, { recursive: true, force: true }),
    }
  }
  return {
    folder,
    fileSystem: 'ext4 with a journal, image on a loop device',
    dispose() {
      try {
        execFileSync('umount', [folder], quiet)
        rmSync(base, { recursive: true, force: true })
      } catch {
        // Somebody still works there; the fault that led here is told by whoever called.
        process.stderr.write(`left behind: ${base}\n`)
      }
    },
  }
}
