import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer as DnsRecord } from 'dns-packet'
import { scriptedDns } from '../../test/support/dns-server.ts'
import { type Clock, systemClock } from '../std/clock.ts'
import { createResolver, type StubOptions } from './stub.ts'

const a = (name: string, data: string, ttl = 300): DnsRecord => ({ type: 'A', name, data, ttl })
const soa = (name: string, ttl: number, minimum: number): DnsRecord => ({
  type: 'SOA',
  name,
  ttl,
  data: { mname: 'ns.example', rname: 'x.example', minimum },
})
const NXDOMAIN = 3
const SERVFAIL = 2

const defaults: Omit<StubOptions, 'servers'> = {
  clock: systemClock,
  timeoutMs: 300,
  attempts: 1,
  cacheEntries: 100,
  trustAd: false,
}

/** A clock that is ahead by as much as the test says. */
function aheadClock(): Clock & { ahead(ms: number): void } {
  let ahead = 0
  return {
    ...systemClock,
    elapsed: () => systemClock.elapsed() + ahead,
    ahead: (ms) => {
      ahead += ms
    },
  }
}

test('the next server is asked, and the silent one rests', async () => {
  await using silent = await scriptedDns(() => 'silence')
  await using broken = await scriptedDns(() => ({ rcode: SERVFAIL }))
  await using good = await scriptedDns(({ name }) => ({ answers: [a(name, '192.0.2.1')] }))
  const clock = aheadClock()
  using resolver = createResolver({
    ...defaults,
    clock,
    servers: [silent.server, broken.server, good.server],
  })
  for (const name of ['one.example', 'two.example'])
    assert.equal((await resolver.resolve(name, 'A')).kind, 'records')
  assert.deepEqual(silent.asked, ['udp one.example A'], 'asked once, then at rest')
  assert.equal(broken.asked.length, 2)
  clock.ahead(31_000)
  await resolver.resolve('three.example', 'A')
  assert.equal(silent.asked.length, 2, 'asked again after its rest')
})

test('a closed port is noticed without waiting', async () => {
  const gone = await scriptedDns(() => 'silence')
  await gone[Symbol.asyncDispose]()
  await using good = await scriptedDns(({ name }) => ({ answers: [a(name, '192.0.2.1')] }))
  using resolver = createResolver({
    ...defaults,
    timeoutMs: 60_000,
    servers: [gone.server, good.server],
  })
  assert.equal((await resolver.resolve('example.com', 'A')).kind, 'records')
})

test('answers are kept for their time and not longer', async () => {
  const clock = aheadClock()
  await using dns = await scriptedDns(({ name }) => {
    if (name === 'no.example') return { rcode: NXDOMAIN, authorities: [soa('example', 900, 40)] }
    if (name === 'none.example') return { authorities: [soa('example', 30, 900)] }
    if (name === 'broken.example') return { rcode: SERVFAIL }
    if (name === 'bare.example') return { rcode: NXDOMAIN }
    return { answers: [a(name, '192.0.2.1', name === 'zero.example' ? 0 : 60)] }
  })
  using resolver = createResolver({ ...defaults, timeoutMs: 5000, clock, servers: [dns.server] })
  const questions = async (name: string) => {
    const before = dns.asked.length
    const answer = await resolver.resolve(name, 'A')
    return { asked: dns.asked.length - before, answer }
  }
  const table: readonly [string, number][] = [
    ['yes.example', 60],
    ['no.example', 40],
    ['none.example', 30],
    ['broken.example', 5],
  ]
  for (const [name, seconds] of table) {
    assert.equal((await questions(name)).asked, 1, name)
    clock.ahead(seconds * 1000 - 1500)
    const again = await questions(name)
    assert.equal(again.asked, 0, `${name} is kept`)
    if ('ttlSeconds' in again.answer) assert.equal(again.answer.ttlSeconds <= 2, true)
    clock.ahead(2000)
    assert.equal((await questions(name)).asked, 1, `${name} is asked again`)
  }
  for (const name of ['zero.example', 'bare.example']) {
    await questions(name)
    assert.equal((await questions(name)).asked, 1, `${name} is not kept`)
  }
})

test('the cache is bounded', async () => {
  await using dns = await scriptedDns(({ name }) => ({ answers: [a(name, '192.0.2.1')] }))
  using resolver = createResolver({
    ...defaults,
    timeoutMs: 5000,
    cacheEntries: 3,
    servers: [dns.server],
  })
  for (let i = 0; i < 5; i++) await resolver.resolve(`n${i}.example`, 'A')
  await resolver.resolve('n4.example', 'A')
  assert.equal(dns.asked.length, 5)
  await resolver.resolve('n0.example', 'A')
  assert.equal(dns.asked.length, 6)
})

test('a thousand callers of one question cost one question; of different ones, all are answered', async () => {
  await using dns = await scriptedDns(({ name }) => ({ answers: [a(name, '192.0.2.1')] }))
  using resolver = createResolver({ ...defaults, timeoutMs: 5000, servers: [dns.server] })
  await Promise.all(Array.from({ length: 1000 }, () => resolver.resolve('Example.com.', 'A')))
  assert.equal(dns.asked.length, 1)
  const many = Array.from({ length: 300 }, (_, i) => resolver.resolve(`n${i}.example`, 'A'))
  const kinds = new Set((await Promise.all(many)).map((answer) => answer.kind))
  assert.deepEqual([...kinds], ['records'])
})

test('names that no zone can hold are not asked', async () => {
  await using dns = await scriptedDns(() => ({ answers: [] }))
  using resolver = createResolver({ ...defaults, servers: [dns.server] })
  const long = 'x'.repeat(64)
  for (const name of ['', '.', 'a..b', 'a b.example', `${long}.example`, 'ё.example', 'a\r\nb'])
    assert.equal((await resolver.resolve(name, 'A')).kind, 'no-such-name', JSON.stringify(name))
  assert.equal(dns.asked.length, 0)
})

test('localhost never leaves the machine', async () => {
  using resolver = createResolver({ ...defaults, servers: [] })
  const answer = await resolver.resolve('localhost', 'A')
  assert.deepEqual(answer.kind === 'records' && answer.records, ['127.0.0.1'])
})

test('closing ends what is under way', async () => {
  await using dns = await scriptedDns(() => 'silence')
  const resolver = createResolver({ ...defaults, timeoutMs: 60_000, servers: [dns.server] })
  const answers = Array.from({ length: 200 }, (_, i) => resolver.resolve(`n${i}.example`, 'A'))
  resolver.close()
  for (const answer of await Promise.all(answers)) assert.equal(answer.kind, 'cannot-tell')
})

test('without servers nothing can be told', async () => {
  using resolver = createResolver({ ...defaults, servers: [] })
  assert.equal((await resolver.resolve('example.com', 'MX')).kind, 'cannot-tell')
})
