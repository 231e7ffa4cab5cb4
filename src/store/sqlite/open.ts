// The embedded engine's door: takes the folder's lock and opens the store in it.

import { mkdirSync } from 'node:fs'
import type { Clock } from '../../std/clock.ts'
import type { Log } from '../../std/log.ts'
import type { Store } from '../store.ts'
import { lockFolder } from './lock.ts'
import { SqliteStore } from './sqlite-store.ts'

/** Free space below which no new mail is taken: two messages of the largest size, and room to settle. */
const RESERVE_BYTES = 64 * 1024 * 1024

export type StoreOptions = {
  /** The data folder; made when it is missing. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  readonly reserveBytes?: number
}

/**
 * Opens the queue in a data folder: sweeps what never arrived whole and rebuilds what is damaged.
 * Throws FolderLocked when another process has the folder, NewerSchema when a newer Posthorn wrote it.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { folder, clock, log, reserveBytes = RESERVE_BYTES } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = lockFolder(folder, clock)
  try {
    return await SqliteStore.open({ folder, clock, log, reserveBytes, lock })
  } catch (error) {
    lock.release()
    throw error
  }
}
