import { type Address, formatAddress, parseAddressList } from '../mail/address-list.ts'
import { decodeWords } from '../mail/encoded-word.ts'
import { fieldText, formatField, type HeaderField } from '../mail/header.ts'
import { type Mailbox, sameMailbox } from '../mail/mailbox.ts'

/**
 * Maps the addresses of a field and keeps the names beside them. A field in which no address changes,
 * or that cannot be read, stays as it is, octet by octet; one that changes is written anew, without
 * its comments and groups (RFC 5322 §3.4).
 */
export function rewriteAddresses(
  field: HeaderField,
  map: (mailbox: Mailbox) => Mailbox,
): HeaderField {
  const parsed = parseAddressList(fieldText(field))
  if (!Array.isArray(parsed)) return field
  let changed = false
  const mapped = parsed.map((address) => {
    const mailbox = map(address.mailbox)
    if (sameMailbox(mailbox, address.mailbox)) return address
    changed = true
    return { ...address, mailbox }
  })
  if (!changed) return field
  const text = write(field.name, mapped)
  return { ...field, raw: Buffer.from(text).toString('latin1') }
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
