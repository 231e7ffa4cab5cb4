import type { Clock } from '../std/clock.ts'
import type { Driver, Publisher } from './publisher.ts'
import { type Rfc2136Settings, rfc2136Driver } from './rfc2136.ts'
import { type Authorities, untilVisible } from './visible.ts'

export type PublisherSettings = { readonly provider: 'rfc2136' } & Rfc2136Settings

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
  }
}
