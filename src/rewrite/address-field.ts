import { type Address, formatAddress, parseAddressList } from '../mail/address-list.ts'
import { decodeWords } from '../mail/encoded-word.ts'
import { fieldText, formatField, type HeaderField } from '../mail/header.ts'
import { formatMailbox, type Mailbox, parseBareName, sameMailbox } from '../mail/mailbox.ts'

/**
 * Maps the addresses of a field and keeps the names beside them. A field in which no address changes,
 * or that cannot be read, stays as it is, octet by octet; one that changes is written anew, without
 * its comments and groups (RFC 5322 §3.4).
 */
export function rewriteAddresses(field: HeaderField, { map, complete }: AddressMaps): HeaderField {
  const text = fieldText(field)
  const asWritten = parseAddressList(text)
  const parsed = Array.isArray(asWritten) || !complete ? asWritten : withDomains(text, complete)
  if (!Array.isArray(parsed)) return field
  let changed = parsed !== asWritten
  const mapped = parsed.map((address) => {
    const mailbox = map(address.mailbox)
    if (sameMailbox(mailbox, address.mailbox)) return address
    changed = true
    return { ...address, mailbox }
  })
  if (!changed) return field
  const written = write(field.name, mapped)
  return { ...field, raw: Buffer.from(written).toString('latin1') }
}

type AddressMaps = {
  readonly map: (mailbox: Mailbox) => Mailbox
  /** What a name without a domain stands for. */
  readonly complete?: (localPart: string) => Mailbox
}

/** Reads `root` and `Cron <root>` as addresses; not where quotes, comments or groups make it hard to see. */
function withDomains(text: string, complete: (localPart: string) => Mailbox) {
  if (/["():;[\]\\]/.test(text)) return undefined
  const pieces = text.split(',').map((piece) => {
    const [, before = '', name = '', after = ''] =
      /^(\s*(?:[^<>@]*<)?\s*)([^\s<>@]+)(\s*>?\s*)$/.exec(piece) ?? []
    const localPart = parseBareName(name)
    return localPart === undefined ? piece : before + formatMailbox(complete(localPart)) + after
  })
  return parseAddressList(pieces.join(','))
}

/** A name that makes a line too long (RFC 5322 §2.1.1) is left out: only the addresses must stay. */
function write(name: string, addresses: readonly Address[]): string {
  const named = addresses.map(({ displayName, mailbox }) =>
    formatAddress(
      displayName === undefined ? { mailbox } : { displayName: decodeWords(displayName), mailbox },
    ),
  )
  try {
    return formatField(name, named.join(', '))
  } catch {
    return formatField(name, addresses.map(({ mailbox }) => formatAddress({ mailbox })).join(', '))
  }
}
