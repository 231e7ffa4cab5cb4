import { connect, type Socket } from 'node:net'
import type { Clock } from '../std/clock.ts'
import { type Agreement, has, offer, readAgreement, STEPS } from './flags.ts'
import { formatPacket, type Packet, PacketReader } from './packet.ts'

/** Where a filter listens. */
export type MilterAddress =
  | { readonly path: string }
  | { readonly host: string; readonly port: number }

/** The filter is of no use for this message: it is away, silent, or does not keep to the protocol. */
export class MilterFailure extends Error {
  override readonly name = 'MilterFailure'
}

/** More than this of unread answers, and the filter is flooding us. */
const MOST_UNREAD = 4_194_304

const GOODBYE_MS = 1_000

/** One connection to a filter, with what was agreed on it. */
export class MilterConnection {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #reader = new PacketReader()
  #agreement: Agreement | undefined
  #ended: string | undefined
  #unread = 0
  #wake: (() => void) | undefined
  /** It has served a message before this one. */
  reused = false
  /** It waits for the next message. */
  idle = false

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk)
      this.#unread += chunk.length
      // Whoever speaks unasked would answer the next message before it is told of it.
      if (this.idle) this.#end('it spoke unasked')
      if (this.#unread > MOST_UNREAD) this.#end('it floods us')
      this.#wake?.()
    })
    socket.on('error', (error) => this.#end(error.message))
    socket.on('close', () => this.#end('it closed the connection'))
  }

  /** Connects and agrees on the protocol. Throws a MilterFailure. */
  static async open(
    address: MilterAddress,
    { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
  ): Promise<MilterConnection> {
    const socket = await connected(address, clock, timeoutMs)
    const connection = new MilterConnection(socket, clock)
    try {
      connection.send(formatPacket('O', offer()))
      const answer = await connection.receive(timeoutMs)
      const agreement = answer.letter === 'O' ? readAgreement(answer.data) : 'no agreement at first'
      if (typeof agreement === 'string') throw new MilterFailure(`it wants ${agreement}`)
      connection.#agreement = agreement
      return connection
    } catch (error) {
      connection.close()
      throw error
    }
  }

  get agreement(): Agreement {
    return this.#agreement!
  }

  /** Is it worth keeping for the next message? A dead one must show at MAIL, before anything is told. */
  get canBeKept(): boolean {
    const isSilent = has(this.agreement.steps, STEPS.noMail | STEPS.silentMail)
    return this.#ended === undefined && this.#unread === 0 && !isSilent
  }

  send(packet: Uint8Array): void {
    if (this.#ended === undefined) this.#socket.write(packet)
  }

  /** Resolves when there is room for more. */
  async drained(timeoutMs: number): Promise<void> {
    if (!this.#socket.writableNeedDrain) return
    await this.#until(
      () => !this.#socket.writableNeedDrain,
      timeoutMs,
      (wake) => {
        this.#socket.once('drain', wake)
      },
    )
  }

  /** The next packet. Throws a MilterFailure when none comes in time. */
  async receive(timeoutMs: number): Promise<Packet> {
    let packet = this.#next()
    if (packet) return packet
    await this.#until(() => (packet ??= this.#next()) !== undefined, timeoutMs)
    return packet!
  }

  #next(): Packet | undefined {
    const packet = this.#reader.next()
    if (packet) this.#unread -= packet.data.length + 5
    if (this.#reader.fault !== undefined) this.#end(`it sent ${this.#reader.fault}`)
    return packet
  }

  async #until(
    done: () => boolean,
    timeoutMs: number,
    listen?: (wake: () => void) => void,
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    let late = false
    const timer = this.#clock.after(timeoutMs, () => {
      late = true
      this.#wake?.()
    })
    this.#wake = () => {
      if (done() || late || this.#ended !== undefined) resolve()
    }
    listen?.(this.#wake)
    this.#wake()
    await promise
    this.#wake = undefined
    timer.cancel()
    if (done()) return
    if (this.#ended !== undefined) throw new MilterFailure(this.#ended)
    throw new MilterFailure(`it did not answer within ${Math.round(timeoutMs / 1000)} s`)
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return
    this.#ended = why
    this.#socket.destroy()
    this.#wake?.()
  }

  /** Says goodbye where that is still possible. */
  close(): void {
    if (this.#ended !== undefined) return
    this.#ended = 'closed'
    this.#socket.write(formatPacket('Q'))
    this.#socket.destroySoon()
    // A filter that reads nothing would keep the socket for ever.
    this.#clock.after(GOODBYE_MS, () => this.#socket.destroy())
  }

  /** It cannot be used any more: closed by either side, or broken. */
  get isGone(): boolean {
    return this.#ended !== undefined
  }
}

function connected(address: MilterAddress, clock: Clock, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect('path' in address ? { path: address.path } : address)
    const timer = clock.after(timeoutMs, () => {
      socket.destroy()
      reject(new MilterFailure(`no connection within ${Math.round(timeoutMs / 1000)} s`))
    })
    const failed = (error: Error) => {
      timer.cancel()
      reject(new MilterFailure(error.message))
    }
    socket.once('error', failed)
    socket.once('connect', () => {
      timer.cancel()
      socket.off('error', failed)
      socket.setNoDelay(true)
      resolve(socket)
    })
  })
}
