// Asks a web server for nothing but its Date header (RFC 9110 §6.6.1).

import { request } from 'node:https'
import { isIP } from 'node:net'
import { isPublicAddress } from '../dns/address.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Clock } from '../std/clock.ts'

export type AskTimeOptions = {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly patienceMs: number
  readonly allowPrivate: boolean
  /** 443 unless a test says otherwise. */
  readonly port?: number
}

/**
 * The time at a host in milliseconds since 1970; undefined when it says none. Rejects when it cannot
 * be reached. Its certificate is not verified: with a clock that is years off none would pass, and
 * the answer is only a hint among several.
 */
export function makeAskTime(
  options: AskTimeOptions,
): (host: string, signal: AbortSignal) => Promise<number | undefined> {
  return async (host, signal) => {
    const { resolver, clock, patienceMs, allowPrivate, port = 443 } = options
    const address = await addressOf(host, resolver)
    if (address === undefined || !(allowPrivate || isPublicAddress(address)))
      throw new Error(`${host} has no address`)
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
    const asking = request({
      host: address,
      port,
      method: 'HEAD',
      path: '/',
      headers: { host },
      ...(isIP(host) === 0 && { servername: host }),
      rejectUnauthorized: false,
      agent: false,
      signal,
    })
    const timer = clock.after(patienceMs, () => asking.destroy(new Error('no answer in time')))
    asking.on('error', reject)
    asking.on('response', (response) => {
      const time = Date.parse(response.headers.date ?? '')
      resolve(Number.isNaN(time) ? undefined : time)
      response.destroy()
    })
    asking.end()
    return promise.finally(() => timer.cancel())
  }
}

/** The first address that DNS names for a host, or itself. */
export async function addressOf(host: string, resolver: Resolver): Promise<string | undefined> {
  if (isIP(host)) return host
  const answer = await resolver.resolve(host, 'A')
  return answer.kind === 'records' ? answer.records[0] : undefined
}
