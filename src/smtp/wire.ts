// The room of the protocol over sockets, both sides; it knows nothing of queue or policy.
// A Wire is a socket that is pulled: `await wire.readLine()`, `wire.write(reply)`. It owns the
// socket's events, so nothing is ever unhandled: whatever goes wrong, also while nobody reads,
// comes out of the next read as one of the errors below. content.ts reads DATA and BDAT over it,
// session.ts and verbs.ts are the server's dialogue, client.ts and transact.ts ours, server.ts owns
// listeners. What can go wrong: peers that are slow, end no line or in two ways, glue text to STARTTLS.

import type { Socket } from 'node:net'
import type { TlsInfo } from '../mail/failure.ts'
import { Alarm } from '../std/alarm.ts'
import { assert } from '../std/assert.ts'
import type { Clock } from '../std/clock.ts'
import { type PeerAddress, peerAddressOf } from './address.ts'
import { Input, type LineEnding, LineMalformed, LineTooLong } from './input.ts'
import { Output } from './output.ts'
import {
  describeTls,
  PlaintextInjected,
  type TlsSocket,
  type TlsUpgrade,
  upgradeToTls,
} from './tls.ts'

/** The peer went away (`code` from the socket, or 'closed'). */
export class WireClosed extends Error {
  override readonly name = 'WireClosed'
  readonly code: string
  constructor(code: string, options?: ErrorOptions) {
    super(`connection ${code}`, options)
    this.code = code
  }
}

/** Nothing came, or too slowly, before the deadline. */
export class WireTimeout extends Error {
  override readonly name = 'WireTimeout'
}

export type WireOptions = {
  readonly clock: Clock
  readonly lineEnding: LineEnding
  /** As a proxy names it; absent: as the socket does. */
  readonly peer?: PeerAddress
}

/** `maxBytes` counts the line's end. */
export type LineLimits = { readonly maxBytes: number; readonly timeoutMs: number }

export type TimeLimit = { readonly timeoutMs: number }

type Waiter = {
  deadline: number
  /** Settles the promise and returns true when there is what it waits for. */
  readonly ready: (chunk?: Buffer) => boolean
  readonly reject: (error: Error) => void
}

/** Unread octets above which the socket is paused. */
const PAUSE_AT = 65_536
/** Replies that the peer does not read: above this nothing more of it is read either. */
const CLOGGED_AT = 262_144
/** How long a closing peer may take to read our last words. */
const LINGER_MS = 3_000

export class Wire {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #clock: Clock
  readonly #input: Input
  readonly #output = new Output()
  #socket: Socket
  #tls: TlsInfo | undefined
  #paused = false
  #reading: Waiter | undefined
  #draining: Waiter | undefined
  readonly #alarm: Alarm
  /** Nothing more will be read; #reason says why when it is not just the end. */
  #finished = false
  /** Nothing more can be written. */
  #broken = false
  #reason: Error | undefined
  #ending = false

  constructor(socket: Socket, options: WireOptions) {
    this.#socket = socket
    this.#clock = options.clock
    this.#alarm = new Alarm(options.clock, () => this.#ring())
    this.#input = new Input(options.lineEnding)
    const peer = options.peer ?? peerAddressOf(socket)
    this.remoteAddress = peer.address
    this.remotePort = peer.port
    this.#attach(socket)
    if (socket.destroyed) this.#break()
    else if (socket.readableEnded) this.#finish()
  }

  /** What was agreed, once startTls() has succeeded. */
  get tls(): TlsInfo | undefined {
    return this.#tls
  }
  /** The socket then, for what it proves. */
  get secured(): TlsSocket | undefined {
    return this.#tls && (this.#socket as TlsSocket)
  }

  get lineEnding(): LineEnding {
    return this.#input.lineEnding
  }

  /** Octets received and not yet read. */
  get buffered(): number {
    return this.#input.size + this.#socket.readableLength
  }

  /** Nothing more can be written. */
  get closed(): boolean {
    return this.#broken
  }

  /**
   * The next line without its end: at once when it is here, else after our gathered writes are on
   * their way (RFC 2920 §3.2). ASCII, or UTF-8 where there are high octets.
   * Throws or rejects with WireClosed, WireTimeout, LineTooLong, LineMalformed.
   */
  readLine(limits: LineLimits): string | Promise<string> {
    if (this.#socket.writableLength > CLOGGED_AT) {
      return this.#drained(limits.timeoutMs).then(() => this.readLine(limits))
    }
    const line = this.#takeLine(limits.maxBytes)
    if (line !== undefined) return line
    this.#send()
    return new Promise((resolve, reject) => {
      this.#read(limits.timeoutMs, reject, (chunk) => {
        if (chunk && !this.#input.worthLooking(chunk, limits.maxBytes)) return false
        const next = this.#takeLine(limits.maxBytes)
        if (next === undefined) return false
        resolve(next)
        return true
      })
    })
  }

  /** What has come, at least one octet; the bytes are the caller's. Throws or rejects with WireClosed, WireTimeout. */
  readSome(limits: TimeLimit): Buffer | Promise<Buffer> {
    if (this.#input.size > 0) return this.#takeChunk()
    this.#send()
    return new Promise((resolve, reject) => {
      this.#read(limits.timeoutMs, reject, () => {
        if (this.#input.size === 0) return false
        resolve(this.#takeChunk())
        return true
      })
    })
  }

  /** Gives back the end of what readSome() returned. */
  unread(rest: Buffer): void {
    this.#input.unread(rest)
  }

  /** Gathers until flush() or the next read that waits. Bytes must not change afterwards. */
  write(data: string | Uint8Array): void {
    if (this.#output.add(data)) this.#send()
  }

  /** Hands what was gathered to the socket; a promise resolves when it takes more, and rejects with WireClosed or WireTimeout. */
  flush(limits: TimeLimit): Promise<void> | undefined {
    this.#send()
    if (this.#broken) return Promise.reject(this.#why())
    return this.#socket.writableNeedDrain ? this.#drained(limits.timeoutMs) : undefined
  }

  /**
   * Upgrades in place; what was gathered is sent first. Text that came before is never read: it
   * throws PlaintextInjected. Throws TlsFailed, WireClosed, WireTimeout too; the wire is then closed.
   */
  async startTls(upgrade: TlsUpgrade, limits: TimeLimit): Promise<TlsInfo> {
    const plain = this.#socket
    const early = upgrade.side === 'server' && upgrade.early
    if (this.buffered > 0 && !early)
      throw new PlaintextInjected('text came before the TLS handshake')
    this.#send()
    if (this.#broken || this.#finished) throw this.#why()
    const stop = new AbortController()
    const timer = this.#clock.after(limits.timeoutMs, () =>
      stop.abort(new WireTimeout('TLS handshake')),
    )
    this.#detach(plain)
    try {
      const secured = await upgradeToTls(plain, upgrade, stop.signal)
      this.#socket = secured
      this.#attach(secured)
      this.#tls = describeTls(secured)
      if (secured.destroyed) this.#break()
      return this.#tls
    } catch (error) {
      plain.destroy()
      this.#break(error as Error)
      throw error
    } finally {
      timer.cancel()
    }
  }

  /** A read that waits now waits at most this long from now: for servers under stress. */
  hasten(timeoutMs: number): void {
    const reading = this.#reading
    if (!reading) return
    reading.deadline = Math.min(reading.deadline, this.#clock.elapsed() + timeoutMs)
    this.#alarm.by(reading.deadline)
  }

  /** The pending read and all later ones fail with `reason` once what came is used up; writing still works. */
  interrupt(reason: Error): void {
    this.#finish(reason)
  }

  /** Sends what was gathered and closes. What the peer still says is dropped, so that it can read our last words. */
  end(): void {
    this.#send()
    this.#finish()
    if (this.#broken || this.#ending) return
    this.#ending = true
    this.#input.clear()
    this.#socket.resume()
    this.#socket.end()
    this.#alarm.off()
    this.#alarm.by(this.#clock.elapsed() + LINGER_MS)
  }

  /** end() for a peer that has said its last word: once ours has left, nothing can reset it any more. */
  part(): void {
    this.#send()
    const isSaid = !this.#tls && this.buffered === 0 && this.#socket.writableLength === 0
    if (isSaid) this.destroy()
    else this.end()
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy()
    this.#break()
  }

  /** Kept as fields, so that they can be taken off for the TLS handshake. */
  readonly #onData = (chunk: Buffer): void => {
    if (this.#ending) return
    const kept = this.#input.push(chunk)
    if (this.#reading) this.#wake(kept)
    if (this.#input.size > PAUSE_AT && !this.#paused) {
      this.#paused = true
      this.#socket.pause()
    }
  }

  readonly #onEnd = (): void => {
    this.#finish()
    if (this.#ending) this.destroy()
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    this.#socket.destroy()
    this.#break(new WireClosed(error.code ?? 'error', { cause: error }))
  }

  readonly #onClose = (): void => {
    this.#break()
  }

  readonly #onDrain = (): void => {
    const draining = this.#draining
    this.#draining = undefined
    draining?.ready()
  }

  #attach(socket: Socket): void {
    this.#paused = false
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    // A server's TLSSocket tells of broken records in this way only.
    socket.on('_tlsError', this.#onError)
    socket.on('close', this.#onClose)
    socket.on('drain', this.#onDrain)
  }

  /** Takes all listeners off but one: an error of the plain socket must never be unhandled. */
  #detach(socket: Socket): void {
    socket.on('error', () => {})
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    socket.off('_tlsError', this.#onError)
    socket.off('close', this.#onClose)
    socket.off('drain', this.#onDrain)
    socket.pause()
  }

  #takeLine(maxBytes: number): string | undefined {
    const line = this.#input.takeLine(maxBytes)
    const fault = this.#input.fault
    this.#resume()
    if (fault === 'too long') throw new LineTooLong(`line of over ${maxBytes} octets`)
    if (fault) throw new LineMalformed(fault)
    return line
  }

  #takeChunk(): Buffer {
    const chunk = this.#input.takeChunk()
    this.#resume()
    return chunk
  }

  #resume(): void {
    if (!this.#paused || this.#input.size > PAUSE_AT / 2) return
    this.#paused = false
    this.#socket.resume()
  }

  #read(timeoutMs: number, reject: (error: Error) => void, ready: Waiter['ready']): void {
    assert(this.#reading === undefined, 'one read at a time')
    if (this.#finished) {
      reject(this.#why())
      return
    }
    const deadline = this.#clock.elapsed() + timeoutMs
    this.#reading = { deadline, ready, reject }
    this.#alarm.by(deadline)
  }

  #wake(chunk: Buffer): void {
    const reading = this.#reading!
    this.#reading = undefined
    try {
      if (!reading.ready(chunk)) this.#reading = reading
    } catch (error) {
      reading.reject(error as Error)
    }
  }

  #drained(timeoutMs: number): Promise<void> {
    assert(this.#draining === undefined, 'one flush at a time')
    return new Promise((resolve, reject) => {
      if (this.#broken) return reject(this.#why())
      const deadline = this.#clock.elapsed() + timeoutMs
      const ready = () => {
        resolve()
        return true
      }
      this.#draining = { deadline, ready, reject }
      this.#alarm.by(deadline)
    })
  }

  #send(): void {
    if (this.#broken || this.#ending) this.#output.drop()
    else this.#output.sendTo(this.#socket)
  }

  #ring(): void {
    if (this.#ending) this.destroy()
    this.#reading = this.#expire(this.#reading)
    this.#draining = this.#expire(this.#draining)
  }

  /** A timer may ring a fraction of a millisecond early. */
  #expire(waiter: Waiter | undefined): Waiter | undefined {
    if (waiter && waiter.deadline <= this.#clock.elapsed() + 1) {
      waiter.reject(new WireTimeout('the peer took too long'))
      return undefined
    }
    if (waiter) this.#alarm.by(waiter.deadline)
    return waiter
  }

  #finish(reason?: Error): void {
    if (!this.#finished) this.#reason = reason
    this.#finished = true
    const reading = this.#reading
    this.#reading = undefined
    reading?.reject(this.#why())
  }

  #break(reason?: Error): void {
    if (!this.#broken) this.#reason = reason ?? this.#reason
    this.#broken = true
    this.#finish(reason)
    const draining = this.#draining
    this.#draining = undefined
    draining?.reject(this.#why())
    this.#output.drop()
    this.#alarm.off()
  }

  /** Made only when somebody asks: most connections end as they should. */
  #why(): Error {
    return (this.#reason ??= new WireClosed('closed'))
  }
}
