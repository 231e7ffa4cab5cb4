// DNS for tests: a map of records instead of a network. Keys read `name TYPE`; a name that has
// other types (or names below it) answers `none`, a name that nobody mentions `no-such-name`.

import type { Answer, MxRecord, RecordData, RecordType, Resolver } from '../../src/dns/resolver.ts'

type FakeRecord = RecordData[RecordType]

/** Records, or the answer that a broken world gives. MX records may be written `10 mx.example.com`. */
export type FakeAnswer = readonly FakeRecord[] | 'none' | 'no-such-name' | 'cannot-tell'

export type FakeResolver = Resolver & {
  /** Every question so far, as `name TYPE`. */
  readonly asked: string[]
  /** Changes one answer while the test runs; undefined forgets it. */
  set(question: string, answer: FakeAnswer | undefined): void
}

const TTL_SECONDS = 300
const LONGEST_CHAIN = 8

/**
 * A Resolver over a map: `mapResolver({ 'example.com MX': ['10 mx.example.com'], 'mx.example.com A': ['192.0.2.1'] })`.
 * CNAMEs in the map are followed as a recursive server does. `authentic` marks the answers of names
 * (and of what is below them) as proved by DNSSEC.
 */
export function mapResolver(
  answers: Readonly<Record<string, FakeAnswer>>,
  options?: { authentic?: readonly string[] },
): FakeResolver {
  const map = new Map<string, FakeAnswer>()
  const set = (question: string, answer: FakeAnswer | undefined) => {
    const key = normalQuestion(question)
    if (answer === undefined) map.delete(key)
    else map.set(key, answer)
  }
  for (const [question, answer] of Object.entries(answers)) set(question, answer)
  const authentic = (name: string) =>
    options?.authentic?.some((above) => name === above || name.endsWith(`.${above}`)) ?? false
  const asked: string[] = []
  return {
    asked,
    set,
    async resolve<T extends RecordType>(name: string, type: T): Promise<Answer<RecordData[T]>> {
      let at = plainName(name)
      asked.push(`${at} ${type}`)
      for (let hop = 0; hop <= LONGEST_CHAIN; hop++) {
        const answer = map.get(`${at} ${type}`)
        const alias = type === 'CNAME' ? undefined : map.get(`${at} CNAME`)
        if (answer === undefined && Array.isArray(alias)) {
          at = plainName(String(alias[0]))
          continue
        }
        return typedAnswer(answer ?? missing(map, at), type, { name: at, authentic: authentic(at) })
      }
      return { kind: 'cannot-tell', why: 'too many aliases' }
    },
  }
}

/** A Resolver that never knows: every question ends in `cannot-tell`. */
export function faultyResolver(why = 'SERVFAIL'): FakeResolver {
  const asked: string[] = []
  return {
    asked,
    set: () => {},
    async resolve(name, type) {
      asked.push(`${plainName(name)} ${type}`)
      return { kind: 'cannot-tell', why }
    },
  }
}

function typedAnswer<T extends RecordType>(
  answer: FakeAnswer,
  type: T,
  options: { name: string; authentic: boolean },
): Answer<RecordData[T]> {
  const { name, authentic } = options
  if (answer === 'cannot-tell') return { kind: 'cannot-tell', why: 'SERVFAIL' }
  if (answer === 'none' || answer === 'no-such-name')
    return { kind: answer, ttlSeconds: TTL_SECONDS, authentic }
  if (answer.length === 0) return { kind: 'none', ttlSeconds: TTL_SECONDS, authentic }
  const records = answer.map((record) =>
    type === 'MX' && typeof record === 'string' ? mxRecord(record) : record,
  ) as RecordData[T][]
  return { kind: 'records', records, ttlSeconds: TTL_SECONDS, authentic, name }
}

function missing(map: ReadonlyMap<string, FakeAnswer>, name: string): FakeAnswer {
  for (const question of map.keys()) {
    const known = question.slice(0, question.lastIndexOf(' '))
    if (map.get(question) === 'no-such-name') continue
    if (known === name || known.endsWith(`.${name}`)) return 'none'
  }
  return 'no-such-name'
}

function mxRecord(text: string): MxRecord {
  const [preference, exchange] = text.split(' ')
  return { preference: Number(preference), exchange: exchange ?? '' }
}

function normalQuestion(question: string): string {
  const space = question.lastIndexOf(' ')
  return `${plainName(question.slice(0, space))} ${question.slice(space + 1).toUpperCase()}`
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
