import type { Socket } from 'node:net'

/** Connections that get a session in one turn of the event loop; more would make the turns long. */
export const PER_TURN = 4
/** At the rate of one processor they wait a few seconds. */
export const MOST_WAITING = 4_096

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

  enter(socket: Socket): void {
    if (this.#waiting.size === 0 && this.#begun < PER_TURN) this.#take(socket)
    else if (this.#waiting.size >= MOST_WAITING) this.#refuse(socket)
    else {
      socket.once('error', () => {})
      this.#waiting.add(socket)
    }
    this.#turn()
  }

  /** Nobody waits any more; for a server that drains, and tells its sessions so. */
  empty(): void {
    for (const socket of this.#waiting) this.#take(socket)
    this.#waiting.clear()
  }

  #turn(): void {
    if (this.#isTurning) return
    this.#isTurning = true
    setImmediate(() => {
      this.#isTurning = false
      this.#begun = 0
      for (const socket of this.#waiting) {
        if (this.#begun === PER_TURN) break
        this.#waiting.delete(socket)
        this.#take(socket)
      }
      if (this.#begun > 0) this.#turn()
    })
  }

  #take(socket: Socket): void {
    // It has gone while it waited: nobody is served for nobody.
    if (socket.destroyed || socket.readableEnded) socket.destroy()
    else if (this.#begin(socket)) this.#begun++
  }
}
