// One question to one server: over UDP, and over TCP when the answer does not fit or something on
// the way looks like a forgery (RFC 7766 §5). Every question has its own socket, hence its own
// random port, and a connected one, so that the kernel drops datagrams from anyone else.

import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Clock } from '../std/clock.ts'
import { newQuery, type Query, type Response, readResponse } from './packet.ts'
import type { RecordType } from './resolver.ts'

export type DnsServer = { readonly address: string; readonly port: number }

export type ExchangeOptions = {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** `silent` tells a server that said nothing from one that said no. */
export type Exchange =
  | { readonly kind: 'response'; readonly response: Response }
  | { readonly kind: 'failed'; readonly why: string; readonly silent: boolean }

type Step = Exchange | { readonly kind: 'try-tcp' }

/** Datagrams that do not match are ignored, but so many are an attack. */
const MOST_STRANGE = 8

/** Asks once; each of UDP and TCP may take the timeout. Never throws. */
export async function exchange(
  server: DnsServer,
  question: { readonly name: string; readonly type: RecordType },
  options: ExchangeOptions,
): Promise<Exchange> {
  const first = await once(server, newQuery(question.name, question.type, { edns: true }), options)
  // A server from before EDNS says so (RFC 6891 §7).
  if (first.kind !== 'response' || !/^(FORMERR|NOTIMP|BADVERS)$/.test(first.response.rcode))
    return first
  return once(server, newQuery(question.name, question.type, { edns: false }), options)
}

async function once(server: DnsServer, query: Query, options: ExchangeOptions): Promise<Exchange> {
  const answer = await overUdp(server, query, options)
  if (answer.kind === 'failed') return answer
  if (answer.kind === 'response' && !answer.response.truncated) return answer
  return overTcp(server, query, options)
}

function overUdp(server: DnsServer, query: Query, options: ExchangeOptions): Promise<Step> {
  return new Promise((resolve) => {
    const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4')
    const end = ending<Step>(options, (step) => {
      socket.close()
      resolve(step)
    })
    let strange = 0
    socket.on('error', (error) => end(failed(codeOf(error))))
    socket.on('message', (octets) => {
      const response = readResponse(octets, query)
      if (typeof response === 'string') {
        if (++strange >= MOST_STRANGE) end({ kind: 'try-tcp' })
      } else if (response.sameCase) end({ kind: 'response', response })
      else end({ kind: 'try-tcp' })
    })
    socket.connect(server.port, server.address, (error?: Error) => {
      if (error) end(failed(codeOf(error)))
      else if (!end.ended()) socket.send(query.octets)
    })
  })
}

function overTcp(server: DnsServer, query: Query, options: ExchangeOptions): Promise<Exchange> {
  return new Promise((resolve) => {
    const socket = connect({ host: server.address, port: server.port })
    const end = ending<Exchange>(options, (answer) => {
      socket.destroy()
      resolve(answer)
    })
    let received = Buffer.alloc(0)
    socket.on('error', (error) => end(failed(codeOf(error))))
    socket.on('close', () => end(failed('the server closed the connection')))
    socket.on('connect', () => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(query.octets.length)
      socket.write(Buffer.concat([length, query.octets]))
    })
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const response = readResponse(received.subarray(2, 2 + received.readUInt16BE(0)), query)
      // Nobody off the path can write here, so the case need not match.
      if (typeof response === 'object' && !response.truncated) end({ kind: 'response', response })
      else end({ kind: 'failed', why: 'a broken answer over TCP', silent: false })
    })
  })
}

type Ending<T> = ((result: T | Exchange) => void) & { ended(): boolean }

/** Ends once: by a result, by the timeout or by the signal. */
function ending<T>(options: ExchangeOptions, finish: (result: T | Exchange) => void): Ending<T> {
  let over = false
  const end = (result: T | Exchange) => {
    if (over) return
    over = true
    timer.cancel()
    options.signal.removeEventListener('abort', abort)
    finish(result)
  }
  const abort = () => end(failed('the resolver was closed'))
  const timer = options.clock.after(options.timeoutMs, () => end(failed('no answer in time')))
  if (options.signal.aborted) queueMicrotask(abort)
  else options.signal.addEventListener('abort', abort, { once: true })
  return Object.assign(end, { ended: () => over })
}

function failed(why: string): Exchange {
  return { kind: 'failed', why, silent: true }
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message
}
