import { formatMailbox, type Mailbox, makeMailbox, parseMailbox } from '../mail/mailbox.ts'
import { isLocalName, type LocalNames } from './local.ts'
import type { Lookup } from './lookup.ts'

/**
 * Looks an address up as Postfix does (canonical(5)): `user@domain`, then `user` where the domain is
 * local, then `@domain`; a regexp table sees the whole address only. The first hit counts, once.
 * @returns the new address; undefined when the table says nothing, or nothing that is an address
 */
export function canonical(
  mailbox: Mailbox,
  lookup: Lookup | undefined,
  local: LocalNames,
): Mailbox | undefined {
  if (lookup === undefined) return undefined
  const result = find(mailbox, lookup, local)
  return result === undefined ? undefined : resultOf(result, mailbox, local)
}

function find(mailbox: Mailbox, lookup: Lookup, local: LocalNames): string | undefined {
  const whole = lookup.find(formatMailbox(mailbox))
  if (whole !== undefined || lookup.kind === 'regexp') return whole
  const user = isLocalName(mailbox.domain, local) ? lookup.find(mailbox.localPart) : undefined
  return user ?? lookup.find(`@${mailbox.domain}`)
}

/** `@domain` keeps the user; a bare name is one of this machine. */
function resultOf(result: string, mailbox: Mailbox, local: LocalNames): Mailbox | undefined {
  if (result.startsWith('@')) return makeMailbox(mailbox.localPart, result.slice(1))
  if (result.includes('@')) return parseMailbox(result)
  const [ours] = local.names
  return makeMailbox(result, ours ?? mailbox.domain)
}
