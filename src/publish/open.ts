import type { Clock } from '../std/clock.ts'
import { type CloudflareSettings, cloudflareDriver } from './cloudflare.ts'
import { type DigitalOceanSettings, digitalOceanDriver } from './digitalocean.ts'
import { type HetznerSettings, hetznerDriver } from './hetzner.ts'
import type { Driver, Publisher } from './publisher.ts'
import { type Rfc2136Settings, rfc2136Driver } from './rfc2136.ts'
import { type Route53Settings, route53Driver } from './route53.ts'
import { type Authorities, untilVisible } from './visible.ts'

export type PublisherSettings =
  | ({ readonly provider: 'rfc2136' } & Rfc2136Settings)
  | ({ readonly provider: 'cloudflare' } & CloudflareSettings)
  | ({ readonly provider: 'route53' } & Route53Settings)
  | ({ readonly provider: 'hetzner' } & HetznerSettings)
  | ({ readonly provider: 'digitalocean' } & DigitalOceanSettings)

export type PublisherDependencies = {
  readonly clock: Clock
  readonly authorities: Authorities
}

/** Makes the publisher of these settings; nothing is asked before the first call. */
export function openPublisher(
  settings: PublisherSettings,
  { clock, authorities }: PublisherDependencies,
): Publisher {
  return {
    ...driverOf(settings, clock),
    waitUntilVisible: (records, options) =>
      untilVisible(records, { authorities, clock, ...options }),
  }
}

function driverOf(settings: PublisherSettings, clock: Clock): Driver {
  switch (settings.provider) {
    case 'rfc2136':
      return rfc2136Driver(settings, clock)
    case 'cloudflare':
      return cloudflareDriver(settings, { clock })
    case 'route53':
      return route53Driver(settings, { clock })
    case 'hetzner':
      return hetznerDriver(settings, { clock })
    case 'digitalocean':
      return digitalOceanDriver(settings, { clock })
  }
}
