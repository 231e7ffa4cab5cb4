// What the main thread and the workers say to each other; no code, so that either may import it.

import type { Operation } from './operations.ts'
import type { Query } from './reader.ts'

export const DATABASE_NAME = 'queue.db'

/** What the writer found when it opened the data folder. */
export type Ready = {
  readonly path: string
  readonly newestId: number
  readonly damaged: number
  readonly sweptContent: number
  /** Commits at the end of the log are gone. */
  readonly logCut: boolean
  /** Mail of which no trace is left, and the ids of the newest of it where they are known. */
  readonly lost: { readonly count: number; readonly newest: readonly number[] }
  readonly recovered?: Recovery
}

/** A damaged database was taken apart and built anew. */
export type Recovery = {
  readonly why: string
  /** Where the damaged files are. */
  readonly folder: string
  readonly messages: number
  readonly entries: number
  readonly damaged: number
}

export type ThreadData =
  | {
      readonly role: 'writer'
      readonly folder: string
      readonly reserveBytes: number
      /** The database was found damaged while it was open. */
      readonly damaged?: string
    }
  | { readonly role: 'reader'; readonly path: string }

export type Batch = {
  readonly operations: readonly (Operation | Query)[]
  readonly bytes?: ArrayBuffer
}

/** The first message of a thread. */
export type Started = { readonly ready: Ready | true } | { readonly unusable: unknown }

/** What a thread is told, besides batches. */
export const CLOSE = 'close'
