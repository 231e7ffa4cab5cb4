// Mail to many must let its readers go with one click, or Gmail and Yahoo refuse it: an https
// address that takes a POST without a question (RFC 8058 §3.1). Both fields are always signed.

import { fieldText, type HeaderField } from '../mail/header.ts'
import { refuse } from '../mail/reply.ts'

/** For mail of a broadcast stream. Throws a Refusal that names what is missing. */
export function demandOneClick(fields: readonly HeaderField[]): void {
  const text = (name: string) => {
    const field = fields.find(({ lowerName }) => lowerName === name)
    return field ? fieldText(field) : ''
  }
  const missing = [
    /<\s*https:\/\/[^>\s]+\s*>/i.test(text('list-unsubscribe'))
      ? ''
      : 'List-Unsubscribe: <https://...>',
    /^\s*List-Unsubscribe=One-Click\s*$/i.test(text('list-unsubscribe-post'))
      ? ''
      : 'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
  ].filter(Boolean)
  if (missing.length === 0) return
  throw refuse(
    550,
    '5.7.1',
    `Mail of a broadcast stream needs one-click unsubscription. Fix: add ${missing.join(' and ')}`,
  )
}
