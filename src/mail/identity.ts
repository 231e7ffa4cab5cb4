import type { Domain } from './domain.ts'

/** Who we are to the world: the HELO name and the addresses that mail leaves from. */
export type Identity = {
  readonly hostname: Domain
  readonly ipv4?: string
  readonly ipv6?: string
}
