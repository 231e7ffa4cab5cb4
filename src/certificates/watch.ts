// Tells when something changed in some folders. A folder is watched rather than a file, since what
// renews certificates puts new files or links in the place of the old.

import { type FSWatcher, watch } from 'node:fs'
import type { Clock, Timer } from '../std/clock.ts'
import type { Log } from '../std/log.ts'

/** What writes a certificate writes several files; but not for ever. */
const QUIET_MS = 300
const LONGEST_MS = 3_000
const MOST_FOLDERS = 200

export type FolderWatchOptions = {
  readonly clock: Clock
  readonly log: Log
  readonly onChange: () => void
}

/** Where the system cannot watch (network disks, no more watches), its user looks from time to time anyway. */
export class FolderWatch implements Disposable {
  readonly #options: FolderWatchOptions
  readonly #watchers = new Map<string, FSWatcher>()
  #timer: Timer | undefined
  #since: number | undefined

  constructor(options: FolderWatchOptions) {
    this.#options = options
  }

  /** Watches these folders and no others. */
  over(folders: readonly string[]): void {
    const wanted = new Set(folders.slice(0, MOST_FOLDERS))
    for (const [folder, watcher] of this.#watchers)
      if (!wanted.has(folder)) {
        watcher.close()
        this.#watchers.delete(folder)
      }
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#add(folder)
  }

  [Symbol.dispose](): void {
    this.over([])
    this.#timer?.cancel()
  }

  #add(folder: string): void {
    const gone = (error: unknown) => {
      this.#watchers.get(folder)?.close()
      this.#watchers.delete(folder)
      this.#options.log.debug({ folder, error: String(error) }, 'folder is not watched')
    }
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#changed())
      watcher.on('error', gone)
      this.#watchers.set(folder, watcher)
    } catch (error) {
      gone(error)
    }
  }

  #changed(): void {
    const { clock, onChange } = this.#options
    const now = clock.elapsed()
    this.#since ??= now
    this.#timer?.cancel()
    const left = Math.max(0, this.#since + LONGEST_MS - now)
    this.#timer = clock.after(Math.min(QUIET_MS, left), () => {
      this.#since = undefined
      onChange()
    })
  }
}
