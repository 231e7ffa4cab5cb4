// The recursive servers that we ask: whether they answer, do not invent, validate DNSSEC, and may be
// believed when they say so. DANE needs one that does (RFC 7672 §2.1.1); everything else only answers.

import { type DnsServer, exchange } from '../../dns/exchange.ts'
import type { Response } from '../../dns/packet.ts'
import { believesProof } from '../../dns/stub.ts'
import type { Clock } from '../../std/clock.ts'
import { type Check, couldNotCheck, type Finding, findingsOf } from '../check.ts'
import { resolverTexts } from '../texts/resolver.ts'

const found = findingsOf(resolverTexts)

export type ResolverOptions = {
  readonly servers: readonly DnsServer[]
  readonly trustAd: boolean
  readonly clock: Clock
  readonly timeoutMs: number
  /** A domain that is signed, and one whose signatures are wrong. */
  readonly signedName: string
  readonly brokenName: string
}

/** No zone can hold it (RFC 6761 §6.4): who has an address for it makes answers up. */
const NO_NAME = 'no-such-name.posthorn.invalid'

/** Each server by itself, not as the stub sees them in turn. */
export function checkResolver(options: ResolverOptions): Check {
  return {
    name: 'resolver',
    group: 'server',
    run: async (signal) =>
      Promise.all(options.servers.map((server) => judge(server, options, signal))),
  }
}

type Heard =
  | { readonly kind: 'said'; readonly response: Response }
  | { readonly kind: 'silent'; readonly why: string }

async function judge(
  server: DnsServer,
  options: ResolverOptions,
  signal: AbortSignal,
): Promise<Finding> {
  const { clock, timeoutMs, signedName, brokenName } = options
  const subject = server.port === 53 ? server.address : `${server.address} port ${server.port}`
  const facts = { server: subject }
  const ask = async (name: string): Promise<Heard> => {
    const heard = await exchange(server, { name, type: 'A' }, { clock, timeoutMs, signal })
    return heard.kind === 'response'
      ? { kind: 'said', response: heard.response }
      : { kind: 'silent', why: heard.why }
  }
  const [signed, broken, none] = await Promise.all([ask(signedName), ask(brokenName), ask(NO_NAME)])
  if (signed.kind === 'silent' && none.kind === 'silent')
    return found('RESOLVER_SILENT', subject, { ...facts, reason: signed.why })
  if (none.kind === 'said' && none.response.answers.length > 0)
    return found('RESOLVER_INVENTS', subject, facts)
  if (rcodeOf(signed) !== 'NOERROR')
    return couldNotCheck(subject, `${signedName}: ${rcodeOf(signed)}`)
  if (signed.kind === 'said' && !signed.response.authentic)
    return found('RESOLVER_NOT_VALIDATING', subject, facts)
  if (broken.kind === 'silent') return couldNotCheck(subject, `${brokenName}: ${broken.why}`)
  if (rcodeOf(broken) !== 'SERVFAIL')
    return found('RESOLVER_HALF_VALIDATING', subject, { ...facts, name: brokenName })
  return believesProof(server, options.trustAd)
    ? found('RESOLVER_OK', subject, facts)
    : found('RESOLVER_NOT_TRUSTED', subject, facts)
}

const rcodeOf = (heard: Heard): string => (heard.kind === 'said' ? heard.response.rcode : heard.why)
