import type { AddressLiteral, Domain } from './domain.ts'

/** `localPart` is unquoted; `domain` is lower case, A-labels (RFC 5321 §4.1.2, RFC 6531). */
export type Mailbox = { readonly localPart: string; readonly domain: Domain | AddressLiteral }

/** Reads `local@domain` as it stands in a path; undefined when it is not a Mailbox. */
export declare function parseMailbox(text: string): Mailbox | undefined

/** `local@domain`, the local part quoted where it must be. */
export declare function formatMailbox(mailbox: Mailbox): string
