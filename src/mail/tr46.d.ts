// Types for tr46, which has none: UTS 46, the mapping behind the IDNs of RFC 5890.

declare module 'tr46' {
  export type ToUnicodeOptions = {
    readonly checkHyphens?: boolean
    readonly checkBidi?: boolean
    readonly checkJoiners?: boolean
    readonly useSTD3ASCIIRules?: boolean
  }
  export type ToAsciiOptions = ToUnicodeOptions & { readonly verifyDNSLength?: boolean }
  /** null for a name that UTS 46 does not allow. */
  export function toASCII(name: string, options?: ToAsciiOptions): string | null
  export function toUnicode(
    name: string,
    options?: ToUnicodeOptions,
  ): { readonly domain: string; readonly error: boolean }
}
