import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapResolver } from '../../test/support/dns.ts'
import { scriptedDns } from '../../test/support/dns-server.ts'
import type { Answer } from '../dns/resolver.ts'
import { systemClock } from '../std/clock.ts'
import { lookForKey, sightOf } from './publication.ts'

const TXT = 'v=DKIM1; k=rsa; p=QUJDREVGR0g='

const records = (...texts: string[]): Answer<string> => ({
  kind: 'records',
  records: texts,
  ttlSeconds: 300,
  authentic: false,
  name: 'p1._domainkey.example.com',
})
const none: Answer<string> = { kind: 'no-such-name', ttlSeconds: 300, authentic: false }
const silent: Answer<string> = { kind: 'cannot-tell', why: 'no answer' }

test('published means that every server shows the key', () => {
  const sight = (...answers: Answer<string>[]) => {
    const servers = answers.map((answer, i) => ({ host: `ns${i + 1}.example.net`, answer }))
    const seen = sightOf({ kind: 'answers', zone: 'example.com', name: 'x', servers }, TXT)
    return `${seen.kind} ${seen.shown}/${seen.servers} ${seen.without.map(({ kind }) => kind)}`
  }
  assert.equal(sight(records(TXT), records(TXT)), 'published 2/2 ')
  assert.equal(sight(records(TXT), none), 'missing 1/2 missing')
  assert.equal(sight(records(TXT), silent), 'cannot-tell 1/2 cannot-tell')
  assert.equal(sight(records(TXT, TXT), records('p=AAAA')), 'several 0/2 several,other-key')
  const unknown = sightOf({ kind: 'cannot-tell', why: 'SERVFAIL' }, TXT)
  assert.equal(`${unknown.kind} ${unknown.servers} ${unknown.why}`, 'cannot-tell 0 SERVFAIL')
})

test('the servers of the zone are asked themselves', async () => {
  let shown = false
  await using dns = await scriptedDns(({ name }) => ({
    flags: 0x0400,
    ...(shown
      ? { answers: [{ type: 'TXT', name, ttl: 300, data: ['v=DKIM1; k=rsa; ', 'p=QUJDREVGR0g='] }] }
      : { rcode: 3 }),
  }))
  const look = lookForKey({
    resolver: mapResolver({
      'example.com NS': ['ns1.example.net'],
      'ns1.example.net A': [dns.server.address],
    }),
    clock: systemClock,
    timeoutMs: 1_000,
    port: dns.server.port,
    allowPrivate: true,
  })
  const key = { domain: 'example.com', selector: 'p1', txt: TXT }
  assert.equal((await look(key)).kind, 'missing')
  shown = true
  assert.deepEqual(await look(key), {
    kind: 'published',
    shown: 1,
    servers: 1,
    without: [],
    why: '',
  })
  assert.match(dns.asked.at(-1)!, /p1\._domainkey\.example\.com TXT/)
})
