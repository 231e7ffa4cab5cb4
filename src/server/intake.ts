// What every way in has in common: limits, rights, where mail is filed.

import { randomBytes } from 'node:crypto'
import type { Dependencies } from '../api/control.ts'
import type { Config } from '../config/schema.ts'
import type { Delivery } from '../delivery/deliver.ts'
import type { Signer } from '../dkim/keyring.ts'
import { defaultIntakeLimits, type IntakeParts } from '../intake/accept.ts'
import type { RightsTable } from '../intake/rights.ts'
import type { Domain } from '../mail/domain.ts'
import type { Store } from '../store/store.ts'
import type { CredentialHouse } from './credentials.ts'
import type { Domains } from './domains.ts'
import { unsignedOf } from './given.ts'
import type { SandboxHouse } from './sandbox.ts'
import { grantOfUser } from './sendmail.ts'

type RightsParts = {
  readonly config: Config
  readonly domains: Domains
  readonly credentials: CredentialHouse
  readonly sandbox: SandboxHouse
}

export function intakeParts(
  parts: RightsParts & { readonly store: Store; readonly delivery: Delivery },
  { clock, log }: Dependencies,
): Omit<IntakeParts, 'onAccepted' | 'rewriter'> {
  const { store, delivery } = parts
  const { hostname, limits } = parts.config
  return {
    store,
    clock,
    log,
    hostname,
    limits: {
      ...defaultIntakeLimits,
      messageOctets: limits.messageSizeBytes,
      recipients: limits.recipients,
      headerOctets: limits.headerSizeBytes,
    },
    rights: rightsTable(parts),
    nonce: randomBytes(6).toString('hex'),
    siteOf: delivery.siteOf,
  }
}

/** Who may send as whom, and what signs for it. */
export function rightsTable(parts: RightsParts): RightsTable<Signer> {
  const { config, domains, credentials, sandbox } = parts
  return {
    mode: config.mode,
    worldOf: (domain) => domains.worldOf(domain),
    keysFor: (domain) => unsignedOf(config, domain) ?? domains.keyring.keysFor(domain),
    sandboxKeys: (domain) => sandbox.signerOf(domain),
    grantOf: (name) => grantOfUser(config, name) ?? credentials.credentials.grantOf(name),
    ...(config.senders === 'any' && { foreignKeys: unsigned }),
  }
}

/** Mail for a domain that is not ours leaves without a signature. */
export const unsigned = (domain: Domain) => ({ domain, keys: [] })
