// The test suite that openspf.org made for RFC 7208, as Debian's python3-spf brings it.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { parseAllDocuments } from 'yaml'
import { checkSpf } from '../../src/auth/spf.ts'
import { type FakeAnswer, mapResolver } from '../support/dns.ts'

const SUITE = '/usr/share/doc/python3-spf/rfc7208-tests.yml.gz'

type Case = {
  readonly helo: string
  readonly host: string
  readonly mailfrom: string
  readonly result: string | readonly string[]
  readonly explanation?: string
}
type Entry = 'TIMEOUT' | Readonly<Record<string, unknown>>
type Scenario = {
  readonly description: string
  readonly tests: Readonly<Record<string, Case>>
  readonly zonedata: Readonly<Record<string, readonly Entry[]>>
}

const TYPES = ['A', 'AAAA', 'MX', 'TXT', 'PTR', 'CNAME'] as const

/** The suite writes records for type 99 (SPF); they are TXT unless the name has its own. */
function resolverFor(zone: Scenario['zonedata']) {
  const resolver = mapResolver({})
  for (const [name, entries] of Object.entries(zone)) {
    const all = new Map<string, FakeAnswer>()
    const add = (type: string, value: unknown) => {
      if (value === 'TIMEOUT') all.set(type, 'cannot-tell')
      else if (value !== 'NONE')
        all.set(type, [...((all.get(type) ?? []) as string[]), text(type, value)])
      else all.set(type, entries.includes('TIMEOUT') ? 'cannot-tell' : 'none')
    }
    const own = entries.some((entry) => typeof entry === 'object' && 'TXT' in entry)
    for (const entry of entries) {
      if (entry === 'TIMEOUT') continue
      for (const [type, value] of Object.entries(entry))
        if (type !== 'SPF') add(type, value)
        else if (!own) add('TXT', value)
    }
    if (entries.includes('TIMEOUT'))
      for (const type of TYPES) if (!all.has(type)) all.set(type, 'cannot-tell')
    for (const [type, answer] of all) resolver.set(`${name} ${type}`, answer)
  }
  return resolver
}

function text(type: string, value: unknown): string {
  if (type === 'MX') return (value as [number, string]).join(' ')
  return Array.isArray(value) ? value.join('') : String(value)
}

const scenarios = existsSync(SUITE)
  ? parseAllDocuments(gunzipSync(readFileSync(SUITE)).toString('utf8')).map((document) =>
      (document as { toJS(): Scenario }).toJS(),
    )
  : []

test('the suite is there', { skip: scenarios.length === 0 && 'no python3-spf here' }, () => {
  assert.ok(scenarios.reduce((sum, { tests }) => sum + Object.keys(tests).length, 0) > 150)
})

for (const { description, tests, zonedata } of scenarios) {
  const resolver = resolverFor(zonedata)
  test(description, async (t) => {
    for (const [name, { helo, host, mailfrom, result, explanation }] of Object.entries(tests))
      await t.test(name, async () => {
        const outcome = await checkSpf(
          { address: host, sender: mailfrom, helloName: helo },
          { resolver, receiver: 'receiver.example', now: 0 },
        )
        assert.ok(
          [result].flat().includes(outcome.result),
          `${JSON.stringify(outcome)} != ${result}`,
        )
        if (explanation !== undefined && outcome.result === 'fail')
          assert.equal(outcome.explanation ?? 'DEFAULT', explanation)
      })
  })
}
