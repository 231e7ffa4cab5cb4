import { type Domain, isAddressLiteral, parentDomain } from '../mail/domain.ts'
import type { Mailbox } from '../mail/mailbox.ts'

/** The domains that are names of this machine. */
export type LocalNames = {
  /** Our host name first, then others that were given. */
  readonly names: ReadonlySet<string>
}

/**
 * Is it a name of this machine or of a neighbour without a place in DNS? Those given, names without
 * a dot (`localhost`, a container's id) and below `localdomain`.
 */
export function isLocalName(domain: Mailbox['domain'], { names }: LocalNames): boolean {
  if (isAddressLiteral(domain)) return /^\[(?:127\.|IPv6:::1\])/i.test(domain)
  return names.has(domain) || !domain.includes('.') || /\.(?:localdomain|local)$/.test(domain)
}

/** `root@a1b2c3` becomes `root@example.com`; undefined where it is nothing local. */
export function localToDomain(
  mailbox: Mailbox,
  localDomain: Domain | undefined,
  local: LocalNames,
): Mailbox | undefined {
  if (localDomain === undefined || mailbox.domain === localDomain) return undefined
  return isLocalName(mailbox.domain, local) ? { ...mailbox, domain: localDomain } : undefined
}

/** Hides hosts: what is below one of the domains becomes that domain. */
export type Masquerade = {
  /** The first that fits counts; `except` keeps that domain and what is below it as it is. */
  readonly domains: readonly { readonly domain: Domain; readonly except: boolean }[]
  /** Local parts that are never changed, in lower case. */
  readonly users: ReadonlySet<string>
}

/** `app@web1.example.com` becomes `app@example.com`. */
export function masquerade(mailbox: Mailbox, options: Masquerade | undefined): Mailbox | undefined {
  const { domain } = mailbox
  if (!options || isAddressLiteral(domain)) return undefined
  if (options.users.has(mailbox.localPart.toLowerCase())) return undefined
  for (const rule of options.domains) {
    if (domain !== rule.domain && !isBelow(domain, rule.domain)) continue
    return rule.except || domain === rule.domain ? undefined : { ...mailbox, domain: rule.domain }
  }
  return undefined
}

function isBelow(domain: Domain, parent: Domain): boolean {
  for (let name = parentDomain(domain); name; name = parentDomain(name))
    if (name === parent) return true
  return false
}
