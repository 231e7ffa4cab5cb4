import { formatMailbox, type Mailbox, makeMailbox, parseMailbox } from '../mail/mailbox.ts'
import type { Expanded } from './aliases.ts'
import { isLocalName, type LocalNames } from './local.ts'
import type { Lookup } from './lookup.ts'

/** An address that is reached over more steps than these runs in circles. */
const DEEPEST = 20

/**
 * Where mail for an address goes instead, as Postfix looks it up (virtual(5)): `user@domain`, `user`
 * where the domain is local, `@domain`; again for each result, until none is found or it names
 * itself. A regexp table sees whole addresses only. Results that are no addresses are left out.
 */
export function expandVirtual(
  mailbox: Mailbox,
  lookup: Lookup,
  options: { readonly local: LocalNames; readonly mostRecipients: number },
): Expanded {
  const found = new Map<string, Mailbox>()
  let waiting: readonly Mailbox[] = [mailbox]
  let hit = false
  for (let depth = 0; waiting.length > 0; depth++) {
    if (depth > DEEPEST) return { fault: 'a circle', at: formatMailbox(waiting[0]!) }
    const next: Mailbox[] = []
    for (const one of waiting) {
      const address = formatMailbox(one)
      const targets = targetsOf(one, lookup, options.local)
      if (targets === undefined || targets.length === 0) found.set(address, one)
      else {
        hit = true
        for (const target of targets)
          if (formatMailbox(target) === address) found.set(address, one)
          else next.push(target)
      }
      if (found.size + next.length > options.mostRecipients) return { fault: 'too many' }
    }
    waiting = next
  }
  return { mailboxes: [...found.values()], found: hit }
}

function targetsOf(mailbox: Mailbox, lookup: Lookup, local: LocalNames): Mailbox[] | undefined {
  const value =
    lookup.find(formatMailbox(mailbox)) ??
    (lookup.kind === 'regexp'
      ? undefined
      : ((isLocalName(mailbox.domain, local) ? lookup.find(mailbox.localPart) : undefined) ??
        lookup.find(`@${mailbox.domain}`)))
  const [ours] = local.names
  return value?.split(/[\s,]+/).flatMap((word) => {
    if (word.startsWith('@')) return makeMailbox(mailbox.localPart, word.slice(1)) ?? []
    return parseMailbox(word) ?? makeMailbox(word, ours ?? mailbox.domain) ?? []
  })
}
