// What the configuration itself gives besides the store: domains that are not signed for.

import type { Config } from '../config/schema.ts'
import type { Signer } from '../dkim/keyring.ts'
import { type Domain, parentDomain } from '../mail/domain.ts'

/** A signer without keys when the domain, or the nearest above it that is configured, is not to be signed for. */
export function unsignedOf({ domains }: Config, domain: Domain): Signer | undefined {
  for (let name: Domain | undefined = domain; name; name = parentDomain(name)) {
    const settings = Object.hasOwn(domains, name) ? domains[name] : undefined
    if (settings) return settings.sign ? undefined : { domain: name, keys: [] }
  }
  return undefined
}
