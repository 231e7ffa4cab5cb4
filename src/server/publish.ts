// From the section `dns_publish` to a publisher, and who must show what it publishes.

import type { Config } from '../config/schema.ts'
import { askAuthoritative } from '../dns/authoritative.ts'
import type { DnsServer } from '../dns/exchange.ts'
import type { Answer, MxRecord, Resolver } from '../dns/resolver.ts'
import { createResolver } from '../dns/stub.ts'
import { openPublisher, type PublisherSettings } from '../publish/open.ts'
import { type Publisher, plainName } from '../publish/publisher.ts'
import type { Authorities } from '../publish/visible.ts'
import type { Clock } from '../std/clock.ts'
import { serverOf } from './policy.ts'

type Dependencies = { readonly clock: Clock; readonly resolver: Resolver }

/** Undefined when the configuration lets us set no records. */
export function publisherOf({ dnsPublish }: Config, deps: Dependencies): Publisher | undefined {
  const settings = settingsOf(dnsPublish)
  if (!settings) return undefined
  const servers = dnsPublish.checkAt.map(serverOf)
  return openPublisher(settings, {
    clock: deps.clock,
    authorities: servers.length > 0 ? theseServers(servers, deps) : allServers(deps),
  })
}

/** What each provider needs was checked with the configuration. */
function settingsOf(options: Config['dnsPublish']): PublisherSettings | undefined {
  const { provider, keyName, keyAlgorithm, keySecret } = options
  const base = options.apiUrl?.replace(/\/+$/, '')
  const token = options.token ?? ''
  switch (provider) {
    case null:
      return undefined
    case 'rfc2136': {
      const server = serverOf(options.server ?? '')
      if (keyName === null || keySecret === null) return { provider, ...server }
      const secret = Buffer.from(keySecret, 'base64')
      return { provider, ...server, key: { name: keyName, algorithm: keyAlgorithm, secret } }
    }
    case 'route53': {
      const { accessKeyId, secretAccessKey } = options
      return {
        provider,
        base,
        accessKeyId: accessKeyId ?? '',
        secretAccessKey: secretAccessKey ?? '',
      }
    }
    default:
      return { provider, token, base }
  }
}

const TIMEOUT_MS = 3_000

/** Every name server of the zone. */
function allServers({ clock, resolver }: Dependencies): Authorities {
  return async (name, type) => {
    const answer = await askAuthoritative(name, type, {
      resolver,
      clock,
      timeoutMs: TIMEOUT_MS,
      allowPrivate: true,
    })
    if (answer.kind === 'cannot-tell')
      return [{ server: `name servers of ${name}`, values: undefined, why: answer.why }]
    return answer.servers.map(({ host, answer: said }) => ({ server: host, ...valuesOf(said) }))
  }
}

/** Those that the configuration names. A fresh resolver for each look, for it remembers "no". */
function theseServers(servers: readonly DnsServer[], { clock }: Dependencies): Authorities {
  return (name, type) =>
    Promise.all(
      servers.map(async (server) => {
        using one = createResolver({
          servers: [server],
          clock,
          timeoutMs: TIMEOUT_MS,
          attempts: 1,
          cacheEntries: 1,
          trustAd: false,
        })
        const place = `${server.address}:${server.port}`
        return { server: place, ...valuesOf(await one.resolve(name, type)) }
      }),
    )
}

function valuesOf(answer: Answer<string | MxRecord>) {
  switch (answer.kind) {
    case 'records':
      return {
        values: answer.records.map((one) =>
          typeof one === 'string' ? one : `${one.preference} ${plainName(one.exchange)}`,
        ),
      }
    case 'cannot-tell':
      return { values: undefined, why: answer.why }
    default:
      return { values: [] }
  }
}
