// What the rest of the house may ask of DNS. Answers are values: only a broken program throws.

export type RecordType = 'A' | 'AAAA' | 'MX' | 'TXT' | 'CNAME' | 'PTR' | 'NS' | 'TLSA'

export type MxRecord = { readonly preference: number; readonly exchange: string }

export type RecordData = {
  A: string
  AAAA: string
  MX: MxRecord
  /** The strings of one record, joined (RFC 7208 §3.3). */
  TXT: string
  CNAME: string
  PTR: string
  NS: string
  TLSA: {
    readonly usage: number
    readonly selector: number
    readonly matching: number
    readonly data: Uint8Array
  }
}

export type Answer<T> =
  | {
      readonly kind: 'records'
      readonly records: readonly T[]
      readonly ttlSeconds: number
      /** The resolver proved it by DNSSEC (AD bit), and we may believe it. */
      readonly authentic: boolean
      /** The name after CNAMEs. */
      readonly name: string
    }
  /** The name exists, the type does not (NODATA). */
  | { readonly kind: 'none'; readonly ttlSeconds: number; readonly authentic: boolean }
  /** NXDOMAIN */
  | { readonly kind: 'no-such-name'; readonly ttlSeconds: number; readonly authentic: boolean }
  /** SERVFAIL, timeout, nonsense: nothing may be concluded. */
  | { readonly kind: 'cannot-tell'; readonly why: string }

export type Resolver = {
  /** @param name with or without the final dot, A-labels */
  resolve<T extends RecordType>(name: string, type: T): Promise<Answer<RecordData[T]>>
}
