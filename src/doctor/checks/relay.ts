// Where mail goes by relay: whether the relay takes calls.

import { isIP } from 'node:net'
import type { Resolver } from '../../dns/resolver.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import type { Dial } from '../dial.ts'
import { relayTexts } from '../texts/relay.ts'

const found = findingsOf(relayTexts)

export type RelayPlace = { readonly host: string; readonly port: number }

export type RelayCheckOptions = {
  readonly relays: readonly RelayPlace[]
  readonly resolver: Resolver
  readonly dial: Dial
}

/** Dials each relay without speaking: whether it likes our password the queue will tell. */
export function checkRelays(options: RelayCheckOptions): Check {
  return {
    name: 'relay',
    group: 'network',
    run: (signal) => Promise.all(options.relays.map((relay) => call(relay, options, signal))),
  }
}

async function call(
  { host, port }: RelayPlace,
  { resolver, dial }: RelayCheckOptions,
  signal: AbortSignal,
): Promise<Finding> {
  const subject = `${host}:${port}`
  const answers = isIP(host)
    ? []
    : await Promise.all([resolver.resolve(host, 'A'), resolver.resolve(host, 'AAAA')])
  const addresses = isIP(host)
    ? [host]
    : answers.flatMap((answer) => (answer.kind === 'records' ? answer.records : []))
  const unknown = answers.find((answer) => answer.kind === 'cannot-tell')
  if (addresses.length === 0 && unknown?.kind === 'cannot-tell')
    return couldNotCheck(subject, unknown.why)
  let reason = 'no address'
  for (const address of addresses) {
    const heard = await dial({ address, port }, { signal })
    if (heard.kind === 'answered') return found('RELAY_OK', subject, { host, port })
    reason = heard.kind === 'refused' ? heard.why : 'no answer'
  }
  return found('RELAY_UNREACHABLE', subject, { host, port, reason })
}
