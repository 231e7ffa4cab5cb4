// What the configuration itself gives besides the store: passwords, and domains that are not signed for.

import type { Config } from '../config/schema.ts'
import type { Signer } from '../dkim/keyring.ts'
import { Credentials, hashPassword } from '../intake/credentials.ts'
import { type Domain, parentDomain } from '../mail/domain.ts'
import type { Clock } from '../std/clock.ts'
import type { Store } from '../store/store.ts'

/** The passwords of the store and of the configuration, whose names win. */
export async function credentialsOf(
  config: Config,
  store: Pick<Store, 'credentials'>,
  clock: Clock,
): Promise<Credentials> {
  const credentials = new Credentials(await store.credentials())
  for (const [name, { password, domains }] of Object.entries(config.credentials)) {
    const hash = await hashPassword(password)
    credentials.set({ name, hash, domains, createdAt: clock.now() })
  }
  return credentials
}

/** A signer without keys when the domain, or the nearest above it that is configured, is not to be signed for. */
export function unsignedOf({ domains }: Config, domain: Domain): Signer | undefined {
  for (let name: Domain | undefined = domain; name; name = parentDomain(name)) {
    const settings = Object.hasOwn(domains, name) ? domains[name] : undefined
    if (settings) return settings.sign ? undefined : { domain: name, keys: [] }
  }
  return undefined
}
