import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempted, Event } from '../events/event.ts'
import { watchReach } from '../events/reach.ts'
import { deliveryCheck } from './reach.ts'

type Scope = 'recipient' | 'message' | 'session' | 'site'

/** An attempt with one outcome for each word: `ok`, or `transient site` and its like. */
function attempted(site: string, ...words: string[]): Event {
  const outcomes = words.map((word, index) => {
    const [permanence, scope] = word.split(' ') as ['transient' | 'permanent', Scope]
    const cause = { kind: 'network', stage: 'connect', code: 'timeout', text: 'no answer' } as const
    const status = { class: 4, subject: 4, detail: 1 } as const
    const failure = { permanence, scope, status, cause }
    return [index, word === 'ok' ? { kind: 'delivered' } : { kind: 'failed', failure }]
  })
  const attempt = { startedAt: Date.UTC(2026, 10, 22), outcomes: new Map(outcomes as never) }
  const message = { world: site.startsWith('sandbox') ? 'sandbox' : 'live' }
  return { kind: 'attempted', site, message, attempt, results: [] } as unknown as Attempted
}

const dead = 'transient site'
const CASES: readonly [
  string,
  readonly Event[],
  { waiting?: number; relayed?: boolean },
  boolean,
][] = [
  ['nothing was tried', [], {}, true],
  ['one dead destination', [1, 2, 3, 4].map(() => attempted('a', dead)), {}, true],
  ['nobody answers', ['a', 'b', 'c'].map((site) => attempted(site, dead)), {}, false],
  ['nothing waits', ['a', 'b', 'c'].map((site) => attempted(site, dead)), { waiting: 0 }, true],
  ['the only relay is dead', [1, 2].map(() => attempted('relay', dead)), { relayed: true }, false],
  ['once is no proof', [attempted('relay', dead)], { relayed: true }, true],
  ['a refusal of mail is an answer', twice('a', 'b', 'transient recipient'), {}, true],
  ['so is a refusal for good', twice('a', 'b', 'permanent site'), {}, true],
  ['one of a batch got through', twice('a', 'b', dead, 'ok'), {}, true],
  ['and then one answers', [...twice('a', 'b', dead), attempted('c', 'ok')], {}, true],
  ['the sandbox plays dead', twice('sandbox a', 'sandbox b', dead), {}, true],
]

function twice(one: string, other: string, ...words: string[]): Event[] {
  return [one, other, one, other].map((site) => attempted(site, ...words))
}

for (const [name, events, { waiting = 1, relayed = false }, ok] of CASES)
  test(`delivery is ${ok ? 'fine' : 'broken'}: ${name}`, () => {
    const told: Event[] = []
    const reach = watchReach((event) => void told.push(event))
    for (const event of events) reach.record(event)
    assert.deepEqual(told, events)
    const check = deliveryCheck(reach, { waiting, relayed })
    assert.equal(check.ok, ok, check.text)
    if (!ok)
      assert.match(check.text, /^nothing got through since 2026-11-22T00:00:00\.000Z: .*no answer$/)
  })
