import type { Resolver } from '../dns/resolver.ts'

/** The values at a name as people write them (MX: `10 mail.example.com`), or that nobody could say. */
export type Found =
  | {
      readonly kind: 'values'
      readonly values: readonly string[]
      /** The name is an alias (CNAME) of this one, and the values are that one's. */
      readonly alias?: string
    }
  | { readonly kind: 'cannot-tell'; readonly why: string }

export type AskedType = 'A' | 'AAAA' | 'MX' | 'TXT' | 'PTR'

export type Lookup = (name: string, type: AskedType) => Promise<Found>

/** Asks the world. */
export function lookupOver(resolver: Resolver): Lookup {
  return async (name, type) => {
    const answer = await resolver.resolve(name, type)
    if (answer.kind === 'cannot-tell') return { kind: 'cannot-tell', why: answer.why }
    if (answer.kind === 'records') {
      const values = answer.records.map((one) =>
        typeof one === 'string' ? one : `${one.preference} ${one.exchange}`,
      )
      return answer.name === name
        ? { kind: 'values', values }
        : { kind: 'values', values, alias: answer.name }
    }
    // An alias that leads nowhere is in the way all the same.
    const alias = await resolver.resolve(name, 'CNAME')
    if (alias.kind === 'cannot-tell') return { kind: 'cannot-tell', why: alias.why }
    return alias.kind === 'records'
      ? { kind: 'values', values: [], alias: alias.records[0]! }
      : { kind: 'values', values: [] }
  }
}
