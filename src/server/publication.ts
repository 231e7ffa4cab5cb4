// Whether the world can see a key: every server of its zone is asked itself, for a resolver's one
// answer may be of yesterday.

import type { KeySight } from '../api/keys.ts'
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
export const SEEN_INSIDE: Sight = { kind: 'published', shown: 1, servers: 1, says: '' }

/** One verdict out of many: published only when every server shows the key; else the first that does not. */
export function sightOf(answer: AuthoritativeAnswer<'TXT'>, txt: string): Sight {
  if (answer.kind === 'cannot-tell')
    return { kind: 'cannot-tell', shown: 0, servers: 0, says: answer.why }
  const said = answer.servers.map(({ host, answer: one }) => ({
    host,
    found: publicationOf(one, txt),
  }))
  const without = said.filter(({ found }) => found.kind !== 'published')
  return {
    kind: without[0]?.found.kind ?? 'published',
    shown: said.length - without.length,
    servers: said.length,
    says: without.map(({ host, found }) => `${host}: ${describe(found)}`).join('; '),
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

const WORDS: Readonly<Record<Publication['kind'], string>> = {
  published: 'shows it',
  missing: 'no record',
  'other-key': 'another key',
  revoked: 'an empty key (p=)',
  cut: 'the key is cut',
  several: 'more than one record',
  'not-usable': 'the record forbids its use (v=, k=, h= or s=)',
  'cannot-tell': 'no answer',
}

function describe(publication: Publication): string {
  return publication.kind === 'cannot-tell' ? publication.why : WORDS[publication.kind]
}
