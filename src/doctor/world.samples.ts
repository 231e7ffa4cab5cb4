// A made-up DNS for the tests of checks: records by name and type, and names that fail.

import type { Answer, RecordData, RecordType, Resolver } from '../dns/resolver.ts'

type Zone = Readonly<
  Record<string, { readonly [T in RecordType]?: readonly RecordData[T][] | 'fails' }>
>

/** A resolver over a table; `fails` is a SERVFAIL, and names below an existing one make it exist. */
export function dnsOf(zone: Zone): Resolver {
  return {
    async resolve<T extends RecordType>(name: string, type: T): Promise<Answer<RecordData[T]>> {
      const plain = name.replace(/\.$/, '').toLowerCase()
      const proof = { ttlSeconds: 300, authentic: false }
      const types = zone[plain]
      if (types === undefined) {
        const exists = Object.keys(zone).some((other) => other.endsWith(`.${plain}`))
        return { kind: exists ? 'none' : 'no-such-name', ...proof }
      }
      const records = types[type]
      if (records === 'fails') return { kind: 'cannot-tell', why: 'SERVFAIL' }
      if (records === undefined) return { kind: 'none', ...proof }
      return {
        kind: 'records',
        records: records as readonly RecordData[T][],
        name: plain,
        ...proof,
      }
    },
  }
}
