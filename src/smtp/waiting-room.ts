import type { Socket } from 'node:net'

/** Connections that get a session in one turn of the event loop; more would make the turns long. */
export const PER_TURN = 4
/** Of those who are sent away or have gone so many are dealt with in a turn. */
const PASSED_PER_TURN = 64
/** At the rate of one processor they wait about a second. Who talks before he is asked fills 64 KiB each. */
export const MOST_WAITING = 2_048

/**
 * Where connections wait for their session, in the order in which they came, while more come than
 * the event loop gets through. It is here and not in the system's backlog that they wait, because who
 * finds that full hears nothing, and who finds this full hears 421.
 */
export class WaitingRoom {
  readonly #begin: (socket: Socket) => boolean
  readonly #refuse: (socket: Socket) => void
  readonly #waiting = new Set<Socket>()
  #begun = 0
  #isTurning = false

  /**
   * @param begin begins a session; false when the client was sent away instead
   * @param refuse called with a connection that finds no room
   */
  constructor(begin: (socket: Socket) => boolean, refuse: (socket: Socket) => void) {
    this.#begin = begin
    this.#refuse = refuse
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** Begins a session for a connection that has just come, lets it wait for one, or refuses it. */
  enter(socket: Socket): void {
    // Asked for now, for the system forgets the address of a client that goes while it waits.
    if (!socket.remoteAddress) socket.destroy()
    else if (this.#waiting.size === 0 && this.#begun < PER_TURN) this.#take(socket)
    else if (this.#waiting.size >= MOST_WAITING) this.#refuse(socket)
    else {
      socket.once('error', () => {})
      this.#waiting.add(socket)
    }
    this.#turn()
  }

  /** Nobody waits any more, for the server drains; each is handed to `sendAway`. */
  empty(sendAway: (socket: Socket) => void): void {
    for (const socket of this.#waiting) sendAway(socket)
    this.#waiting.clear()
  }

  #turn(): void {
    if (this.#isTurning) return
    this.#isTurning = true
    setImmediate(() => {
      this.#isTurning = false
      this.#begun = 0
      let passed = 0
      for (const socket of this.#waiting) {
        if (this.#begun === PER_TURN || passed === PASSED_PER_TURN) break
        this.#waiting.delete(socket)
        if (!this.#take(socket)) passed++
      }
      if (this.#begun > 0 || this.#waiting.size > 0) this.#turn()
    })
  }

  /** True when a session began. */
  #take(socket: Socket): boolean {
    if (socket.destroyed || socket.readableEnded) {
      // It has gone while it waited, and had said nothing.
      socket.destroy()
      return false
    }
    const began = this.#begin(socket)
    if (began) this.#begun++
    return began
  }
}
