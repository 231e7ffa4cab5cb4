// What waits in memory: some entries of one message at one site, with the content if it is fresh;
// and the set of entries that memory knows, so that a read of the store does not start them twice.

import type { QueueEntry } from '../mail/entry.ts'
import type { Content, Message, MessageId } from '../mail/message.ts'

/** A content in memory, shared by the parcels of its message. */
export type FreshContent = { readonly content: Content; readonly size: number; parcels: number }

export type Parcel = {
  readonly message: Message
  readonly entries: readonly QueueEntry[]
  /** Absent: it is read from the store. */
  readonly fresh: FreshContent | undefined
}

/** A set of entries by message and index. Most messages have one recipient: then it is one number. */
export class EntrySet {
  readonly #places = new Map<MessageId, number | Set<number>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  has(message: MessageId, index: number): boolean {
    const places = this.#places.get(message)
    if (places === undefined) return false
    return typeof places === 'number' ? places === index : places.has(index)
  }

  add(message: MessageId, index: number): void {
    const places = this.#places.get(message)
    if (places === undefined) this.#places.set(message, index)
    else if (typeof places === 'number') {
      if (places === index) return
      this.#places.set(message, new Set([places, index]))
    } else {
      if (places.has(index)) return
      places.add(index)
    }
    this.#size += 1
  }

  delete(message: MessageId, index: number): void {
    const places = this.#places.get(message)
    if (places === undefined) return
    if (typeof places === 'number') {
      if (places !== index) return
      this.#places.delete(message)
    } else {
      if (!places.delete(index)) return
      if (places.size === 0) this.#places.delete(message)
    }
    this.#size -= 1
  }

  clear(): void {
    this.#places.clear()
    this.#size = 0
  }
}
