// Answers while they are true: nothing is served after its time (no RFC 8767).

import { LRUCache } from 'lru-cache'
import type { Answer } from './resolver.ts'

const LONGEST_SECONDS = 86_400
const LONGEST_NEGATIVE_SECONDS = 3600
/** Failures are remembered shortly, so that a broken zone is not asked for by every message (RFC 9520 §3.2). */
const FAILURE_SECONDS = 5

type Kept = { readonly answer: Answer<unknown>; readonly expiresAt: number }

export class AnswerCache {
  readonly #entries: LRUCache<string, Kept>
  readonly #elapsed: () => number

  /** @param elapsed milliseconds that passed, from a clock that never steps */
  constructor(entries: number, elapsed: () => number) {
    this.#entries = new LRUCache({ max: entries })
    this.#elapsed = elapsed
  }

  /** The answer with the seconds that it still has. */
  get(key: string): Answer<unknown> | undefined {
    const kept = this.#entries.get(key)
    if (kept === undefined) return undefined
    const left = kept.expiresAt - this.#elapsed()
    if (left <= 0) {
      this.#entries.delete(key)
      return undefined
    }
    if (kept.answer.kind === 'cannot-tell') return kept.answer
    return { ...kept.answer, ttlSeconds: Math.floor(left / 1000) }
  }

  put(key: string, answer: Answer<unknown>): void {
    const seconds = lifetime(answer)
    if (seconds > 0) this.#entries.set(key, { answer, expiresAt: this.#elapsed() + seconds * 1000 })
  }
}

function lifetime(answer: Answer<unknown>): number {
  switch (answer.kind) {
    case 'records':
      return Math.min(answer.ttlSeconds, LONGEST_SECONDS)
    case 'none':
    case 'no-such-name':
      return Math.min(answer.ttlSeconds, LONGEST_NEGATIVE_SECONDS)
    case 'cannot-tell':
      return FAILURE_SECONDS
  }
}
