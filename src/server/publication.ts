// Whether the world can see a key: every server of its zone is asked itself, for a resolver's one
// answer may be of yesterday.

import type { KeySight, ServerSight } from '../api/keys.ts'
import { comparePublication, type Publication } from '../dkim/publication.ts'
import {
  type AuthoritativeAnswer,
  type AuthoritativeOptions,
  askAuthoritative,
} from '../dns/authoritative.ts'
import type { Answer } from '../dns/resolver.ts'

/** A key as DNS should hold it. */
export type KeyRecord = {
  readonly domain: string
  readonly selector: string
  /** As publicText() writes it. */
  readonly txt: string
}

export type Sight = Omit<KeySight, 'checkedAt'>

/** Looks for a key's record; never rejects. */
export type LookForKey = (key: KeyRecord) => Promise<Sight>

/** Asks every authoritative server of the record's zone. */
export function lookForKey(options: AuthoritativeOptions): LookForKey {
  return async ({ domain, selector, txt }) => {
    const name = `${selector}._domainkey.${domain}`
    return sightOf(await askAuthoritative(name, 'TXT', options), txt)
  }
}

/** For mail that stays inside: the sandbox's own DNS shows every key of ours at once. */
export const SEEN_INSIDE: Sight = {
  kind: 'published',
  shown: 1,
  servers: 1,
  without: [],
  why: '',
}

/** One verdict out of many: published only when every server shows the key; else the first that does not. */
export function sightOf(answer: AuthoritativeAnswer<'TXT'>, txt: string): Sight {
  if (answer.kind === 'cannot-tell')
    return { kind: 'cannot-tell', shown: 0, servers: 0, without: [], why: answer.why }
  const said = answer.servers.map(({ host, answer: one }): ServerSight => {
    const found = publicationOf(one, txt)
    return { host, kind: found.kind, why: found.kind === 'cannot-tell' ? found.why : '' }
  })
  const without = said.filter(({ kind }) => kind !== 'published')
  return {
    kind: without[0]?.kind ?? 'published',
    shown: said.length - without.length,
    servers: said.length,
    without,
    why: '',
  }
}

function publicationOf(answer: Answer<string>, txt: string): Publication {
  switch (answer.kind) {
    case 'records':
      return comparePublication(answer.records, txt)
    case 'none':
    case 'no-such-name':
      return { kind: 'missing' }
    case 'cannot-tell':
      return { kind: 'cannot-tell', why: answer.why }
  }
}
