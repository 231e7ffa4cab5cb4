import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Compiles sync.c into a library for LD_PRELOAD; undefined where there is no C compiler. */
export function buildSyncLibrary(
  folder = mkdtempSync(join(tmpdir(), 'posthorn-sync-')),
): string | undefined {
  const library = join(folder, 'sync.so')
  const source = join(import.meta.dirname, 'sync.c')
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl'], {
      stdio: 'ignore',
    })
    return library
  } catch {
    return undefined
  }
}
