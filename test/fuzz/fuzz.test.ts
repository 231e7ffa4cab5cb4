// The short form of what `node test/fuzz/main.ts` does at length.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeFailure, fuzzParser, growthOf, parsers } from './parsers.ts'
import { fuzzSessions } from './sessions.ts'

const SEED = 20_261_121
const RUNS = 3_000
const SESSIONS = 500

describe('any octets at all', () => {
  it('there are parsers to try, each with a name of its own', () => {
    assert.ok(new Set(parsers.map(({ name }) => name)).size === parsers.length)
    assert.ok(parsers.length >= 15)
  })

  for (const parser of parsers) {
    it(`${parser.name}: keeps its promises`, async () => {
      const { failure } = await fuzzParser(parser, { runs: RUNS, seed: SEED })
      assert.ok(!failure, failure && describeFailure(parser.name, failure))
    })

    it(`${parser.name}: its work grows with its input and no faster`, async () => {
      assert.deepEqual(await growthOf(parser, { seed: SEED, tries: 3 }), [])
    })
  }
})

describe('any session at all', () => {
  it('gets the replies that the standard names, and leaves the messages that it completed', async () => {
    const figures = await fuzzSessions({ sessions: SESSIONS, seed: SEED })
    assert.equal(figures.failure, undefined)
    assert.ok(figures.messages > SESSIONS / 20, 'hardly any message came through')
    assert.ok(figures.handshakes > SESSIONS / 50, 'hardly any TLS handshake was made')
    assert.ok(figures.heapGrowthMiB < 100, `the heap grew by ${figures.heapGrowthMiB} MiB`)
  })
})
