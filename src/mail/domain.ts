import type { Brand } from '../std/brand.ts'

/** A domain name in lower case and A-labels, without the root's dot; made only by parseDomain. */
export type Domain = Brand<string, 'Domain'>

/** `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3); made only by parseAddressLiteral. */
export type AddressLiteral = Brand<string, 'AddressLiteral'>

/** Reads a domain name, Unicode or ASCII; undefined for anything that cannot be one (RFC 1035 §2.3.4, RFC 5890). */
export declare function parseDomain(text: string): Domain | undefined

/** Reads `[192.0.2.1]` or `[IPv6:…]`. */
export declare function parseAddressLiteral(text: string): AddressLiteral | undefined

/** The address inside a literal: `192.0.2.1`, `2001:db8::1`. */
export declare function literalAddress(literal: AddressLiteral): string

export declare function isAddressLiteral(name: Domain | AddressLiteral): name is AddressLiteral
