import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { faultyResolver, mapResolver } from '../../test/support/dns.ts'
import { spfSamples } from '../../test/support/spf-samples.ts'
import { checkSpf } from './spf.ts'
import { isSpf, parseSpf } from './spf-record.ts'

const connection = { address: '192.0.2.25', sender: 'app@a.example', helloName: 'mail.a.example' }

for (const { name, zone, result, explanation, ...rest } of spfSamples)
  test(name, async () => {
    const outcome = await checkSpf(
      { ...connection, ...rest },
      { resolver: mapResolver(zone), receiver: 'receiver.example', now: 0 },
    )
    assert.equal(outcome.result, result, JSON.stringify(outcome))
    assert.equal(outcome.explanation, explanation)
    assert.equal(/error$/.test(result), outcome.problem !== undefined)
  })

test('an outcome says which term decided, what it cost and what is at fault', async () => {
  const resolver = mapResolver({
    'a.example TXT': ['v=spf1 a:h.example include:b.example -all'],
    'h.example A': ['192.0.2.1'],
    'b.example TXT': ['v=spf1 ip4:192.0.2.0/24 ~all'],
    'bad.example TXT': ['v=spf1 include:worse.example -all'],
    'worse.example TXT': ['v=spf1 a:h.example mx:/ -all'],
  })
  assert.deepEqual(await checkSpf(connection, { resolver }), {
    result: 'pass',
    domain: 'a.example',
    term: 'include:b.example',
    lookups: 2,
    voidLookups: 0,
    costs: [
      { term: 'a:h.example', lookups: 1 },
      { term: 'include:b.example', lookups: 1 },
    ],
  })
  const bad = await checkSpf({ ...connection, sender: 'x@bad.example' }, { resolver })
  assert.deepEqual(bad.problem, {
    kind: 'syntax',
    domain: 'worse.example',
    fault: { term: 'mx:/', fault: 'no domain name' },
  })
})

test('what lies beyond the limits is counted when asked for', async () => {
  const terms = Array.from({ length: 8 }, (_, i) => `a:n${i}.example`).join(' ')
  const resolver = mapResolver({
    'a.example TXT': [`v=spf1 include:b.example ${terms} -all`],
    'b.example TXT': [`v=spf1 ${terms} -all`],
  })
  const limits = { lookups: 50, voidLookups: 50 }
  const { result, lookups, voidLookups, costs } = await checkSpf(connection, { resolver, limits })
  assert.deepEqual([result, lookups, voidLookups], ['fail', 17, 16])
  assert.deepEqual(costs[0], { term: 'include:b.example', lookups: 9 })
})

test('an IPv4 address in the form of IPv6 is one of IPv4', async () => {
  const resolver = mapResolver({ 'a.example TXT': ['v=spf1 ip4:192.0.2.25 -all'] })
  const address = '::ffff:192.0.2.25'
  assert.equal((await checkSpf({ ...connection, address }, { resolver })).result, 'pass')
})

test('a resolver that never knows is temperror, an address that is none is none', async () => {
  const resolver = faultyResolver()
  assert.equal((await checkSpf(connection, { resolver })).result, 'temperror')
  const address = 'nonsense'
  assert.equal((await checkSpf({ ...connection, address }, { resolver })).result, 'none')
})

test('whatever a record holds, reading it throws nothing and takes its time once', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('include:', '%{d}', 'ip4:', '/24', '//64', 'redirect=', 'a', '-all', '%{ir}'),
  )
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = `v=spf1 ${pieces.join(' ')}`
      if (isSpf(text)) parseSpf(text)
    }),
  )
})
